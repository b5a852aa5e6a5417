//! The probe `criu`: how long a function takes from *start asked* to its first correct answer, over the ways in which a process
//! can come to be. It describes the scenario and opens it; it must not know how any of the ways works.
//!
//! To add a way of starting, write a `start::Start` in a file of `start/` and name it in `options::KINDS`.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "processes are forked, unshared and handed descriptors")]

mod checkpoint;
pub mod companion;
mod frames;
mod http;
mod listener;
mod namespace;
mod options;
mod session;
mod start;

use bench_model::{Arguments, Descriptor, ModuleError, Session};
use probe_abi::{Host, Probe, export_probe};
use std::path::PathBuf;

pub use companion::Deed;

/// The probe.
#[derive(Debug)]
pub struct Criu;

/// The executable that is started, forked and checkpointed.
#[derive(Clone, Debug)]
pub struct Companion {
    /// Where it is.
    pub program: PathBuf,
    /// What it does wrong, for tests.
    pub deed: Option<Deed>,
}

impl Probe for Criu {
    fn describe() -> Descriptor {
        let summary = "cold starts of one function: spawned, forked, and restored from a checkpoint";
        Descriptor::new("criu", env!("CARGO_PKG_VERSION"), summary).scenario(options::scenario())
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, Companion::beside_this_library()?, Some(host))
    }
}

/// Opens a scenario. Without a host, its samples are forgotten.
pub fn open(
    scenario: &str,
    arguments: &Arguments,
    companion: Companion,
    host: Option<Host>,
) -> Result<Box<dyn Session>, ModuleError> {
    if scenario != options::SCENARIO {
        return Err(ModuleError::UnknownScenario(scenario.to_owned()));
    }
    session::open(&options::Options::read(arguments)?, companion, host)
}

impl Companion {
    /// The one that was built with this library.
    fn beside_this_library() -> Result<Self, ModuleError> {
        let library = companion::this_library()
            .ok_or_else(|| ModuleError::Unavailable("this probe cannot find its own file".to_owned()))?;
        let program = library.with_file_name(companion::NAME);
        if !program.is_file() {
            let reason = format!("{} is not there; run `cargo xtask probes`", program.display());
            return Err(ModuleError::Unavailable(reason));
        }
        Ok(Self { program, deed: None })
    }
}

export_probe!(Criu);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_keeps_the_rules() {
        Criu::describe().validate().unwrap();
    }
}
