//! `setup`: installs what every contributor needs, if that is permitted, and prints how to install the rest.

pub(crate) mod cargo_deny;
mod criu;
mod duckdb;
mod mirror;
mod packager;
mod rust_part;
mod system_tool;

use std::env;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, bail};

use self::criu::CRIU;
use self::duckdb::DUCKDB;
use self::packager::Packager;
pub(crate) use self::rust_part::has_wasm_target;
use crate::command_line::Extent;
use crate::output::say;
use crate::project::Project;

/// The state of a part after its step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// It was already installed.
    Present,
    /// It was installed by this step.
    Installed,
    /// It is missing: the reason, and what to do.
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

/// Checks every part. Optional parts are only installed for [`Extent::All`], except for those that tests use and for CRIU, which does
/// not change the system. The absence of an optional part is not an error.
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
        // Optional parts are not collected, so that their absence is not an error.
        step(tool.name, state, &mut Vec::new());
    }
    step("cargo-deny", cargo_deny::ensure(project, extent), &mut Vec::new());
    step("criu", CRIU.ensure(), &mut Vec::new());
    step("duckdb", DUCKDB.ensure(extent), &mut Vec::new());
    Ok(())
}

/// Checks only the parts that building needs.
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
        bail!(
            "setup is incomplete without {names}: install them as described above, then run `cargo xtask setup` again"
        );
    }
    Ok(())
}

/// The folder for caches, the same as that of the host.
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
