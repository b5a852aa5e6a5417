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
use bench_family::{Family, Program, Reach, Shorthand, Takes};
use bench_model::{Arguments, Scenario};
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

    fn reaches(&self, scenario: &Scenario, arguments: &Arguments) -> Vec<Reach> {
        if scenario.family != spec::FAMILY && scenario.driver != spec::HANDLER_DRIVER {
            return Vec::new();
        }
        let text = |name| arguments.text(name).unwrap_or_default();
        let request = Reach::of_file(text(spec::REQUEST_FILE));
        request.into_iter().chain(Reach::of_content(text(spec::EXPECT))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_request_and_of_its_response_are_reached() {
        let check = |scenario: &Scenario, given: &[(&str, &str)], expect: &[&str]| {
            let arguments: Arguments = given.iter().copied().collect();
            let expect: Vec<_> = expect.iter().map(|file| Reach::Read((*file).to_owned())).collect();
            assert_eq!(Serverless.reaches(scenario, &arguments), expect, "{arguments}");
        };
        for scenario in [spec::handler_handle(), spec::handler_request(), spec::handler_cold_start()] {
            check(&scenario, &[("request", ""), ("expect", "")], &[]);
            check(&scenario, &[("request", "a.http"), ("expect", "hello")], &["a.http"]);
            check(&scenario, &[("request", "/a"), ("expect", "@/b")], &["/a", "/b"]);
        }
        check(&Scenario::new("other", "other", ""), &[("expect", "@/b")], &[]);
    }
}
