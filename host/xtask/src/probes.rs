//! Builds the native probes, except those that take long to compile, and copies them to the folder where users look for them.

use std::path::Path;

use anyhow::Result;

use crate::artifact;
use crate::command_line::Profile;
use crate::output::say;
use crate::package;
use crate::project::Project;

const FOLDER: &str = "native-probes";

/// Builds all probes of `native-probes/*`, except those that take long to compile, into `native-probes/<name>.so`, and their programs
/// into `native-probes/<program>`.
pub(crate) fn run(project: &Project, profile: Profile) -> Result<()> {
    let members = package::members_in(project, Path::new(FOLDER))?;
    let (probes, heavy): (Vec<_>, Vec<_>) =
        members.into_iter().filter(|member| member.is_module).partition(|member| member.is_default);
    for probe in heavy {
        say(format_args!("probes: {0} left out, because it is heavy: `cargo build --release -p {0}`", probe.name));
    }
    if probes.is_empty() {
        say("probes: no package of native-probes/ has a [lib] with the crate-type cdylib");
        return Ok(());
    }
    say(format_args!("probes: {} ({})", probes.len(), profile.name()));
    let mut command = project.cargo(None);
    command.args(["build", "--profile", profile.name()]);
    artifact::build(project, &mut command, &probes, FOLDER, artifact::LIBRARY)?;
    let rustc = || {
        let mut command = project.cargo(None);
        command.args(["rustc", "--profile", profile.name()]);
        command
    };
    artifact::build_programs(project, rustc, &probes, FOLDER)?;
    if profile == Profile::Dev {
        say("probes: these are dev builds, for tests alone: run `cargo xtask probes` before you measure");
    }
    Ok(())
}
