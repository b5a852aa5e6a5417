//! Prepares a machine: what every contributor needs is installed where that may be done, the rest is named.
//! It must not know how a part is found or installed; `rust_part`, `system_tool`, `criu` and `packager` do.

pub(crate) mod cargo_deny;
mod criu;
mod mirror;
mod packager;
mod rust_part;
mod system_tool;

use std::env;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, bail};

use self::criu::CRIU;
use self::packager::Packager;
use crate::command_line::Extent;
use crate::output::say;
use crate::project::Project;

/// How one part stands after its step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// It was there already.
    Present,
    /// It was installed just now, and found afterwards.
    Installed,
    /// It is still absent: why, and what to do next.
    Absent(String),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Present => f.write_str("present"),
            State::Installed => f.write_str("installed"),
            State::Absent(why) => write!(f, "absent: {why}"),
        }
    }
}

/// Goes through every part. Optional ones are installed on [`Extent::All`] only, but for cargo-deny and CRIU, which leave the system
/// as it is, and for what tests use; their absence is never an error.
pub(crate) fn run(project: &Project, extent: Extent) -> Result<()> {
    let mut packager = Packager::look();
    required(project, &mut packager)?;
    say("setup: optional");
    for tool in system_tool::TESTED {
        step(tool.name, tool.ensure(&mut packager), &mut Vec::new());
    }
    for tool in system_tool::OPTIONAL {
        let state = match extent {
            Extent::All => tool.ensure(&mut packager),
            Extent::Required => tool.look(&packager),
        };
        // Optional parts are collected nowhere, so that their absence cannot fail the setup.
        step(tool.name, state, &mut Vec::new());
    }
    step("cargo-deny", cargo_deny::ensure(), &mut Vec::new());
    step("criu", CRIU.ensure(), &mut Vec::new());
    Ok(())
}

/// Goes through what building needs, and nothing else.
pub(crate) fn run_required(project: &Project) -> Result<()> {
    required(project, &mut Packager::look())
}

fn required(project: &Project, packager: &mut Packager) -> Result<()> {
    let mut lacking = Vec::new();
    say("setup: required");
    for tool in system_tool::REQUIRED {
        step(tool.name, tool.ensure(packager), &mut lacking);
    }
    for part in rust_part::REQUIRED {
        step(part.name, part.ensure(project), &mut lacking);
    }
    if !lacking.is_empty() {
        let names = lacking.join(", ");
        bail!("setup is incomplete without {names}: do what is said above, then run `cargo xtask setup` again");
    }
    Ok(())
}

/// The folder for caches, as the host looks for it.
fn cache() -> Option<PathBuf> {
    let set = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    set.or_else(|| Some(env::home_dir()?.join(".cache")))
}

fn step(name: &'static str, state: State, lacking: &mut Vec<&'static str>) {
    say(format_args!("  {name:<14} {state}"));
    if let State::Absent(_) = state {
        lacking.push(name);
    }
}
