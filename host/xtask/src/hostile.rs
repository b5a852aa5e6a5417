//! Builds `plugins/hostile/*.wasm`, plug-ins that harm a careless host: those in Rust with cargo, the others with a program of `test-modules`.
//! Nothing else builds, packs or records them, and no folder of modules has them.

use std::path::Path;

use anyhow::Result;

use crate::output::say;
use crate::plugins::{SIMD, WASM_TARGET};
use crate::project::{PLUGINS_MANIFEST, Project};
use crate::{artifact, package, plugins, tool};

/// What all of them together are called in `cargo xtask plugins`, and their folder.
pub(crate) const NAME: &str = "hostile";

/// The folder, from the root.
pub(crate) const FOLDER: &str = "plugins/hostile";

/// The manifest of those in Rust, from the root.
const MANIFEST: &str = "plugins/hostile/Cargo.toml";

/// The program that makes the others.
pub(crate) const PROGRAM: &str = "hostile-modules";

/// Builds all of them, and before them the program.
pub(crate) fn build(project: &Project) -> Result<()> {
    let mut cargo = project.cargo(None);
    let program = artifact::build_program(cargo.args(["build", "--package", "test-modules", "--bin", PROGRAM]))?;
    build_with(project, &program)
}

/// Builds all of them with the program, which is built.
pub(crate) fn build_with(project: &Project, program: &Path) -> Result<()> {
    plugins::ensure_wasm_target(project)?;
    let members = package::members(project, Some(MANIFEST))?;
    say(format_args!("plugins: {} in {FOLDER}, and those of text and bytes", members.len()));
    let mut cargo = project.cargo(Some(MANIFEST));
    let (variable, flags) = project.plugin_flags(&[SIMD.to_owned()]);
    cargo.env(variable, flags).args(["build", "--release", "--locked", "--manifest-path", MANIFEST]);
    // What they share with the other plug-ins is built once.
    cargo.args(["--target", WASM_TARGET, "--target-dir"]).arg(project.target_of(Some(PLUGINS_MANIFEST)));
    artifact::build(project, &mut cargo, &members, FOLDER, "wasm")?;
    tool::run(project.command(program).arg(FOLDER))
}
