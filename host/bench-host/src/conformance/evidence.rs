//! The rules that follow from what was seen of a scenario while others were tested: the functions that it called, and the time of payloads.

use bench_engine::Report;
use bench_model::{Arguments, Capability, Scenario, Value};
use bench_stats::Distribution;
use std::collections::BTreeSet;

/// A payload of an operation so many times as large must take longer.
const LARGER: u64 = 16;

/// Smaller payloads take about as long as reading the clock.
const PAYLOAD_BYTES_MIN: u64 = 1 << 20;

/// What the scenario requires and its component has called nothing for. Optional requirements may be unused, and a path that is empty is
/// not given.
pub(super) fn unused(scenario: &Scenario, arguments: &Arguments, called: &BTreeSet<String>) -> Vec<String> {
    let is_given = |name: &str| !matches!(arguments.get(name), Some(Value::Text(text)) if text.is_empty());
    let required = scenario.requirements.iter().filter(|requirement| !requirement.optional);
    let given = required.filter(|requirement| requirement.parameter().is_none_or(is_given));
    let is_called = |begin: &&str| called.iter().any(|function| function.starts_with(*begin));
    let is_unused = |begins: &[&str]| !begins.is_empty() && !begins.iter().any(is_called);
    let unused = given.filter(|requirement| is_unused(functions(&requirement.capability)));
    unused.map(|requirement| requirement.capability.to_string()).collect()
}

/// What the names of functions begin with of which a component calls one if it uses what it requires: interface and function. None where
/// that cannot be seen.
fn functions(capability: &Capability) -> &'static [&'static str] {
    match capability {
        Capability::Net(_) | Capability::Postgres(_) => &["tcp", "udp", "ip-name-lookup#"],
        Capability::Dir { .. } | Capability::Read(_) => &["types#[method]descriptor."],
        Capability::Scratch(_) => &["types#[method]descriptor.", "log#"],
        Capability::Env(_) => &["environment#"],
        Capability::Probe(_)
        | Capability::Kernel(_)
        | Capability::Cpu(_)
        | Capability::Module(_)
        | Capability::Host(_)
        | Capability::OwnClock
        | Capability::Arms(_)
        | Capability::Other(_) => &[],
    }
}

/// What an operation processes, and how long it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload {
    bytes: u64,
    ns: f64,
}

impl Payload {
    /// That of a measurement, with the median time; `None` if it has no time or no payload.
    pub(super) fn of(report: &Report, scenario: &str) -> Option<Self> {
        let timed = report.series.iter().find(|series| series.metric == scenario)?;
        let samples = timed.raw.as_ref()?.iter().map(|sample| *sample as f64 / timed.batch.max(1) as f64);
        let ns = Distribution::of_samples(samples).quantile(0.5)?;
        let bytes = report.outcome.bytes.checked_div(report.outcome.iterations)?;
        (bytes > 0).then_some(Self { bytes, ns })
    }

    /// What is wrong with the time of this payload, given another one. One operation that was not warmed up takes rather longer, so one
    /// that is shorter has not done its work.
    pub(super) fn complaint(self, usual: Self) -> Option<String> {
        let is_larger = self.bytes >= PAYLOAD_BYTES_MIN && self.bytes / LARGER >= usual.bytes;
        (is_larger && self.ns < usual.ns).then(|| {
            format!(
                "{} B take {:.0} ns, and {} B take {:.0} ns; process the whole payload, and keep the compiler from leaving it out",
                self.bytes, self.ns, usual.bytes, usual.ns
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirement_that_no_call_belongs_to_is_unused() {
        let scenario = Scenario::new("s", "f", "")
            .requires("net:localhost:80", "")
            .requires("env:HOME", "")
            .requires("read:input", "")
            .requires("scratch:folder", "")
            .requires("probe:criu", "")
            .can_use("dir:/data:ro", "");
        let check = |input: &str, called: &[&str], expect: &[&str]| {
            let arguments = Arguments::from_iter([("input", input), ("folder", "/tmp/x")]);
            let called = called.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(unused(&scenario, &arguments, &called), expect);
        };
        check("", &[], &["net:localhost:80", "env:HOME", "scratch:folder"]);
        check("a.json", &["log#[static]log.open"], &["net:localhost:80", "env:HOME", "read:input"]);
        let all =
            ["tcp-create-socket#create-tcp-socket", "environment#get-environment", "types#[method]descriptor.open-at"];
        check("a.json", &all, &[]);
    }

    #[test]
    fn larger_payload_that_takes_no_longer_is_told() {
        let check = |bytes: u64, ns: f64, expect: bool| {
            let usual = Payload { bytes: 64 << 10, ns: 10_000.0 };
            assert_eq!(Payload { bytes, ns }.complaint(usual).is_some(), expect, "{bytes} B in {ns} ns");
        };
        check(16 << 20, 9_000.0, true);
        check(16 << 20, 11_000.0, false);
        check(512 << 10, 9_000.0, false);
        check((1 << 20) - 1, 9_000.0, false);
        check(1 << 20, 9_000.0, true);
    }
}
