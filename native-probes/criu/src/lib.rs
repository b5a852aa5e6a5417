//! The probe `criu`: the cold start of a function, from the request to start to the first correct response, for
//! processes that are spawned, forked from a zygote, or restored from a checkpoint.
//!
//! To add a start method, write a `start::Start` in a file of `start/` and name it in `options::START_METHODS`.

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

pub use companion::ServerFault;

/// The probe.
#[derive(Debug)]
pub struct Criu;

/// The executable that is started, forked and checkpointed.
#[derive(Clone, Debug)]
pub struct Companion {
    /// Its path.
    pub program: PathBuf,
    /// The fault it must have, for tests.
    pub fault: Option<ServerFault>,
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

/// Opens a scenario. Without a host, its samples are discarded.
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
    /// The executable that was built with this library.
    fn beside_this_library() -> Result<Self, ModuleError> {
        let library = companion::this_library()
            .ok_or_else(|| ModuleError::Unavailable("cannot find the file of this probe".to_owned()))?;
        let program = library.with_file_name(companion::NAME);
        if !program.is_file() {
            let reason = format!("{} does not exist; run `cargo xtask probes`", program.display());
            return Err(ModuleError::Unavailable(reason));
        }
        Ok(Self { program, fault: None })
    }
}

export_probe!(Criu);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        Criu::describe().validate().unwrap();
    }
}
