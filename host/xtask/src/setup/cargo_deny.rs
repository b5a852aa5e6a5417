//! Finds cargo-deny, which checks the dependencies, or builds it with cargo, from the crate that its authors publish.

use std::path::PathBuf;

use super::State;
use crate::command_line::Extent;
use crate::project::Project;
use crate::tool;

/// The version that `host/deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// The path of the program, if it is installed.
pub(crate) fn find() -> Option<PathBuf> {
    let own = std::env::home_dir().map(|home| home.join(".cargo/bin/cargo-deny")).filter(|file| file.is_file());
    tool::find("cargo-deny").or(own)
}

/// Looks for the program. Building it compiles about 140 crates, so that is done only if the optional parts are asked for.
pub(super) fn ensure(project: &Project, extent: Extent) -> State {
    if find().is_some() {
        return State::Present;
    }
    let absent = |why: &str| {
        State::Absent(format!(
            "needed for: licences, sources and advisories of dependencies; {why}install it with `cargo install --locked cargo-deny@{VERSION}`"
        ))
    };
    if extent == Extent::Required {
        return absent("");
    }
    let mut cargo = project.cargo(None);
    match tool::run(cargo.args(["install", "--locked", "--quiet", "cargo-deny", "--version", VERSION])) {
        Ok(()) if find().is_some() => State::Installed,
        Ok(()) => absent("it was built, and is not on the search path; "),
        Err(error) => absent(&format!("{error:#}; ")),
    }
}
