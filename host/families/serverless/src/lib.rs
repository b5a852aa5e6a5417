//! The family `serverless`: functions that are started and that answer requests. It holds the specification, the driver, and one
//! adapter per kind of module.

#![deny(unsafe_code)]

mod driver;
mod exchange;
mod functions;
#[expect(unsafe_code, reason = "a probe's functions are called")]
mod native;
mod process;
mod report;
mod request_file;
mod spec;
mod wasm;

pub use functions::{
    Answer, Crossings, Function, Functions, HttpRequest, Initialisation, Server, Start, Started, Starter,
};

use bench_drivers::Driver;
use bench_family::{Family, Program, Shorthand, Takes};
use bench_report::FamilyReport;
use bench_wasm::{Adapters, Capabilities};

/// The family.
#[derive(Debug)]
pub struct Serverless;

impl Family for Serverless {
    fn name(&self) -> &'static str {
        spec::FAMILY
    }

    fn summary(&self) -> &'static str {
        "Functions that answer requests"
    }

    fn drivers(&self) -> &'static [&'static dyn Driver] {
        &[&driver::FunctionDriver::Known, &driver::FunctionDriver::Handler]
    }

    fn capabilities(&self) -> Capabilities {
        &[&wasm::HTTP]
    }

    fn adapters(&self) -> Adapters {
        &[&wasm::Handlers]
    }

    fn options(&self) -> &'static [Shorthand] {
        const REQUEST: Shorthand = Shorthand {
            long: "request",
            parameter: spec::REQUEST_FILE,
            takes: Takes::One("FILE.http"),
            help: "The request to a component that handles HTTP: a request line, headers, an empty line, a body [default: GET /]",
        };
        &[REQUEST]
    }

    fn report(&self) -> Option<&'static dyn FamilyReport> {
        Some(&report::StartReport)
    }

    fn programs(&self) -> &'static [Program] {
        &[process::SERVER, process::PEER]
    }
}
