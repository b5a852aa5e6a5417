//! Builds the plug-ins: each as a component for the host to run and, from the same source, as its native twin.
//! It must not know what a plug-in measures.

use anyhow::Result;

use crate::artifact;
use crate::command_line::Profile;
use crate::output::say;
use crate::package::{self, Package};
use crate::project::{PLUGINS_MANIFEST, Project};

/// The target that every component is built for.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// Builds every plug-in of the plug-ins' workspace into `plugins/<name>.wasm` and `plugins/<name>.so`.
pub(crate) fn run(project: &Project, profile: Profile) -> Result<()> {
    let members = package::members(project, Some(PLUGINS_MANIFEST))?;
    let plugins: Vec<Package> = members.into_iter().filter(|member| member.is_module && member.is_default).collect();
    if plugins.is_empty() {
        say(format_args!("plugins: no member of {PLUGINS_MANIFEST} has a [lib] with the crate-type cdylib"));
        return Ok(());
    }
    say(format_args!("plugins: {} as {WASM_TARGET} and natively ({})", plugins.len(), profile.name()));
    let folder = project.root().join("plugins");
    for (target, extension) in [(Some(WASM_TARGET), "wasm"), (None, artifact::LIBRARY)] {
        let mut command = project.cargo(Some(PLUGINS_MANIFEST));
        let (variable, flags) = project.plugin_flags();
        command.env(variable, flags);
        command.args(["build", "--manifest-path", PLUGINS_MANIFEST, "--profile", profile.name()]);
        if let Some(target) = target {
            command.args(["--target", target]);
        }
        artifact::build(&mut command, &plugins, &folder, extension)?;
    }
    if profile == Profile::Dev {
        say("plugins: these are not optimised: run `cargo xtask plugins` before you measure");
    }
    Ok(())
}
