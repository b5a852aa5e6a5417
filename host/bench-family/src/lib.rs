//! The trait of families of benchmarks. The host has a table of families and no other knowledge of them. How to add one is described
//! in `host/bench-family/README.md`.

#![forbid(unsafe_code)]

mod option;
mod program;
mod reach;
mod servers;

pub use option::{Shorthand, Takes};
pub use program::Program;
pub use reach::Reach;
pub use servers::{Server, Servers};

use bench_drivers::{Driver, Grants, Module};
use bench_model::{Arguments, Descriptor, Scenario};
use bench_report::FamilyReport;
use bench_wasm::{Adapters, Capabilities};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Parameters that have other names in the history of runs, because its readers know those: the parameter and that name.
pub type FormerNames = &'static [(&'static str, &'static str)];

/// A family of benchmarks. Everything except its name is optional.
pub trait Family: Sync {
    /// The name by which scenarios refer to it.
    fn name(&self) -> &'static str;

    /// One line that says what it measures; also the heading of its command-line options.
    fn summary(&self) -> &'static str;

    /// The drivers of its scenarios, other than `workload`.
    fn drivers(&self) -> &'static [&'static dyn Driver] {
        &[]
    }

    /// The capabilities that its components can import in addition to those of the host.
    fn capabilities(&self) -> Capabilities {
        &[]
    }

    /// The adapters that make scenarios of components that were not written for this host.
    fn adapters(&self) -> Adapters {
        &[]
    }

    /// The kinds of programs that are the arm `process` of a component, in the component's folder.
    fn programs(&self) -> &'static [Program] {
        &[]
    }

    /// The arm `process` of a component that `descriptor` describes: a `program` that the user names with `--native`, built from the same
    /// source. `None` if the family has no such arm. An error names the file, the reason and what to do.
    fn native_program(
        &self,
        program: &Path,
        descriptor: &Descriptor,
        grants: &Grants,
    ) -> Option<Result<Box<dyn Module>, String>> {
        let _ = (program, descriptor, grants);
        None
    }

    /// What it adds to the report of a run: sections, files, documents.
    fn report(&self) -> Option<&'static dyn FamilyReport> {
        None
    }

    /// Command-line options that are shorthands for parameters of its scenarios.
    fn options(&self) -> &'static [Shorthand] {
        &[]
    }

    /// The extra time that a worker may take for these `arguments` and number of `repetitions`. Also called for scenarios of
    /// other families.
    fn extra_deadline(&self, scenario: &Scenario, arguments: &Arguments, repetitions: u64) -> Duration {
        let _ = (scenario, arguments, repetitions);
        Duration::ZERO
    }

    /// What it uses of the machine for a scenario with these `arguments`, beyond what the scenario requires. Whoever measures for others grants
    /// all of it or refuses the run, so an argument that reaches a file, an account or a server must be named here. Also called for scenarios
    /// of other families.
    fn reaches(&self, scenario: &Scenario, arguments: &Arguments) -> Vec<Reach> {
        let _ = (scenario, arguments);
        Vec::new()
    }

    /// The servers of a new run, if scenarios can require `postgres:PARAMETER` because of this family.
    fn servers(&self) -> Option<Arc<dyn Servers>> {
        None
    }

    /// If repetitions of its scenarios are written to the history of runs: the parameters with other names there.
    fn history(&self) -> Option<FormerNames> {
        None
    }
}
