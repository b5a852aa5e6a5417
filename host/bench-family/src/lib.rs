//! What a family of benchmarks offers to the host. The host has a table of families and knows none of them; how to add one is in
//! `host/bench-family/README.md`.

#![forbid(unsafe_code)]

mod option;
mod program;

pub use option::{Shorthand, Takes};
pub use program::Program;

use bench_drivers::Driver;
use bench_model::{Arguments, Scenario};
use bench_wasm::Capabilities;
use std::time::Duration;

/// A family of benchmarks. Everything but its name is optional.
pub trait Family: Sync {
    /// What scenarios call it.
    fn name(&self) -> &'static str;

    /// Says in one line what it measures; the heading of its options.
    fn summary(&self) -> &'static str;

    /// What drives its scenarios, where the open driver `workload` does not.
    fn drivers(&self) -> &'static [&'static dyn Driver] {
        &[]
    }

    /// What its components can import beyond what the host offers to all.
    fn capabilities(&self) -> Capabilities {
        &[]
    }

    /// Programs beside a component that are its arm `process`.
    fn programs(&self) -> &'static [Program] {
        &[]
    }

    /// Short ways to say on the command line what its scenarios are asked for most.
    fn options(&self) -> &'static [Shorthand] {
        &[]
    }

    /// How much longer than its measured time a worker may take, because of what `arguments` ask for and so many `repetitions`.
    /// Asked for scenarios of other families too.
    fn extra_deadline(&self, scenario: &Scenario, arguments: &Arguments, repetitions: u64) -> Duration {
        let _ = (scenario, arguments, repetitions);
        Duration::ZERO
    }

    /// Whether each repetition of its scenarios is also a line of the history of all runs.
    fn keeps_history(&self) -> bool {
        false
    }
}
