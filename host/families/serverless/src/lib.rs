//! The family `serverless`: a function is started, or has requests sent to it, and answers. Its specification, its driver, and an
//! adapter for each kind of module. It must not know how a module is loaded, nor how a run is written or shown.

#![deny(unsafe_code)]

mod driver;
mod functions;
#[expect(unsafe_code, reason = "a probe's functions are called")]
mod native;
mod process;
mod spec;
mod wasm;

pub use functions::{Answer, Function, Functions, Initialisation, Server, Start, Started, Starter};

use bench_drivers::Driver;
use bench_family::{Family, Program};
use bench_wasm::Capabilities;

/// The family.
#[derive(Debug)]
pub struct Serverless;

impl Family for Serverless {
    fn name(&self) -> &'static str {
        spec::FAMILY
    }

    fn summary(&self) -> &'static str {
        "Functions that are started, and that answer requests"
    }

    fn drivers(&self) -> &'static [&'static dyn Driver] {
        &[&driver::FunctionDriver]
    }

    fn capabilities(&self) -> Capabilities {
        &[&wasm::HTTP]
    }

    fn programs(&self) -> &'static [Program] {
        &[process::SERVER]
    }
}
