//! Checks the dependencies of both workspaces with cargo-deny: licences, sources, duplicate versions, and advisories.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Outcome;
use crate::output::say;
use crate::project::{PLUGINS_MANIFEST, Project};
use crate::setup::cargo_deny;
use crate::tool;

/// The configuration, from the root.
const CONFIG: &str = "host/deny.toml";

/// The checks that need only the lock files and the crates.
const CHECKS: [&str; 3] = ["bans", "licenses", "sources"];

/// Checks both workspaces; the advisories only if their database can be downloaded.
pub(super) fn run(project: &Project) -> Result<Outcome> {
    let Some(program) = cargo_deny::find() else {
        return Ok(Outcome::Skipped("cargo-deny is absent; `cargo xtask setup` says how to install it".to_owned()));
    };
    // Both workspaces share one configuration, of which neither uses all entries.
    check(project, &program, &[&["--allow", "unmatched-skip", "--allow", "unnecessary-skip"][..], &CHECKS].concat())?;
    let output = deny(project, &program, None).args(["fetch", "db"]).output()?;
    if output.status.success() {
        check(project, &program, &["--disable-fetch", "advisories"])?;
    } else {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let reason = reason(&said);
        let next = format!("then run `cargo deny --config {CONFIG} check advisories`");
        say(format_args!(
            "skipped: advisories: their database cannot be fetched: {reason}; see that the network is there, {next}"
        ));
    }
    Ok(Outcome::Passed)
}

/// The command of the part of this step that needs no network.
pub(super) fn shown() -> String {
    let workspace =
        |manifest: &str| format!("cargo deny{manifest} --config {CONFIG} --locked check {}", CHECKS.join(" "));
    format!("{} && {}", workspace(""), workspace(&format!(" --manifest-path {PLUGINS_MANIFEST}")))
}

fn check(project: &Project, program: &Path, what: &[&str]) -> Result<()> {
    for manifest in [None, Some(PLUGINS_MANIFEST)] {
        tool::run(deny(project, program, manifest).arg("--locked").arg("check").args(what))?;
    }
    Ok(())
}

fn deny(project: &Project, program: &Path, manifest: Option<&str>) -> Command {
    let mut command = project.command(program);
    if let Some(manifest) = manifest {
        command.args(["--manifest-path", manifest]);
    }
    command.args(["--config", CONFIG]);
    command
}

/// The last line with words, which has git's reason.
fn reason(said: &str) -> &str {
    said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_last_line_with_words() {
        assert_eq!(reason("Cloning into 'x'...\nfatal: no such host\n\n"), "fatal: no such host");
        assert_eq!(reason("\n"), "it does not say why");
    }
}
