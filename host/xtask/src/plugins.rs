//! Builds the plug-ins: each as a component and, from the same source, as probes.

use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command_line::{PluginRequest, Profile};
use crate::output::say;
use crate::package::{self, Package};
use crate::project::{PLUGINS_MANIFEST, Project};
use crate::{artifact, go, processor};

/// The target of components.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The folder of the probes for this processor, separate from the ordinary probes.
pub(crate) const NATIVE_CPU_FOLDER: &str = "plugins/native-cpu";

/// One way to build the plug-ins.
struct Arm {
    /// The target, if it is not cargo's default.
    target: Option<&'static str>,
    /// Additional flags for rustc.
    flags: Vec<String>,
    /// The folder of the modules, from the root.
    folder: &'static str,
    extension: &'static str,
}

/// Builds the requested plug-ins into `plugins/<name>.wasm` and `plugins/<name>.so`, their programs into `plugins/<program>`, and, if
/// requested, probes with all instructions of this processor into `plugins/native-cpu/<name>.so`.
pub(crate) fn run(project: &Project, request: &PluginRequest) -> Result<()> {
    let profile = request.profile;
    let members = package::members(project, Some(PLUGINS_MANIFEST))?;
    let plugins: Vec<Package> = members.into_iter().filter(|member| member.is_module && member.is_default).collect();
    let plugins = named(plugins, &request.names)?;
    if plugins.is_empty() {
        say(format_args!("plugins: no member of {PLUGINS_MANIFEST} has a [lib] with the crate-type cdylib"));
        return Ok(());
    }
    say(format_args!("plugins: {} as {WASM_TARGET} and natively ({})", plugins.len(), profile.name()));
    for (target, extension) in [(Some(WASM_TARGET), "wasm"), (None, artifact::LIBRARY)] {
        let arm = Arm { target, flags: Vec::new(), folder: "plugins", extension };
        build(project, profile, &plugins, &arm)?;
    }
    let cargo = || cargo(project, "rustc", profile, &[]);
    artifact::build_programs(project, cargo, &plugins, "plugins")?;
    if request.has_native_cpu {
        build_native_cpu(project, profile, &plugins)?;
    } else if request.names.is_empty() {
        forget(project)?;
    }
    // Plug-ins in Go are built together.
    if request.names.is_empty() {
        go::run(project)?;
    }
    if profile == Profile::Dev {
        say("plugins: these are not optimised: run `cargo xtask plugins` before you measure");
    }
    Ok(())
}

/// The plug-ins in `names`, or all if `names` is empty.
fn named(mut plugins: Vec<Package>, names: &[String]) -> Result<Vec<Package>> {
    let known = plugins.iter().map(|plugin| plugin.name.as_str()).collect::<Vec<_>>().join(", ");
    for name in names {
        ensure!(plugins.iter().any(|plugin| plugin.name == *name), "there is no plug-in `{name}`; there are: {known}");
    }
    plugins.retain(|plugin| names.is_empty() || names.contains(&plugin.name));
    Ok(plugins)
}

/// Builds the probes for this processor. They only show the effect of instructions that other arms do not use, so it is not an
/// error if the compiler cannot build them.
fn build_native_cpu(project: &Project, profile: Profile, plugins: &[Package]) -> Result<()> {
    let Some(flags) = processor::flags(project) else {
        say("plugins: native-cpu left out, because rustc refuses -Ctarget-cpu=native: compare without that arm");
        return forget(project);
    };
    say(format_args!("plugins: {} natively for this very processor ({})", plugins.len(), profile.name()));
    let (folder, extension) = (NATIVE_CPU_FOLDER, artifact::LIBRARY);
    build(project, profile, plugins, &Arm { target: Some(artifact::HOST_TARGET), flags, folder, extension })
}

/// Removes the probes of an earlier build, which are of older sources or of another processor.
fn forget(project: &Project) -> Result<()> {
    match fs::remove_dir_all(project.root().join(NATIVE_CPU_FOLDER)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{NATIVE_CPU_FOLDER} is out of date and cannot be removed"))
        }
        _ => Ok(()),
    }
}

/// A cargo command that builds in the workspace of the plug-ins, with these additional flags for rustc.
fn cargo(project: &Project, command: &str, profile: Profile, flags: &[String]) -> Command {
    let mut cargo = project.cargo(Some(PLUGINS_MANIFEST));
    let (variable, flags) = project.plugin_flags(flags);
    cargo.env(variable, flags).args([command, "--manifest-path", PLUGINS_MANIFEST, "--profile", profile.name()]);
    cargo
}

fn build(project: &Project, profile: Profile, plugins: &[Package], arm: &Arm) -> Result<()> {
    let mut command = cargo(project, "build", profile, &arm.flags);
    if let Some(target) = arm.target {
        command.args(["--target", target]);
    }
    artifact::build(project, &mut command, plugins, arm.folder, arm.extension)
}
