//! The built-in module `self`, which measures the overhead of the host. It is part of the program, because it compares the host's
//! code paths with direct calls of the libraries that they use.

pub(crate) mod chain;
#[cfg(feature = "fleet")]
mod fleet;
#[cfg(any(feature = "fleet", feature = "registry"))]
mod folder;
mod isolation;
mod pairs;
#[cfg(feature = "registry")]
mod registry;
mod sessions;

use crate::{paths, worker};
use bench_drivers::{Module, Recording};
use bench_model::{Arguments, Descriptor, Metric, ModuleError, Parameter, Scenario, Unit};
use bench_sink::{Sink, digest};
use bench_wasm::{Component, Limits, Settings};
use std::path::PathBuf;
use std::time::Duration;

/// The scenario whose operation writes gigabytes.
const MERGE_LARGE: &str = "fleet-merge-large";

/// What a slow disk takes for each repetition of it: three megabytes, in each of the few operations of a process.
const MERGE_LARGE_EACH: Duration = Duration::from_millis(150);

/// The time that a worker may take in addition to its measured time.
pub(crate) fn extra_deadline(scenario: &Scenario, arguments: &Arguments) -> Duration {
    if (scenario.family.as_str(), scenario.name.as_str()) != ("self", MERGE_LARGE) {
        return Duration::ZERO;
    }
    let repetitions = arguments.integer("repetitions").unwrap_or_default();
    MERGE_LARGE_EACH.saturating_mul(u32::try_from(repetitions).unwrap_or_default())
}

/// The module `self`.
#[derive(Debug)]
pub(crate) struct Builtin {
    cache: Option<PathBuf>,
    descriptor: Descriptor,
}

impl Builtin {
    pub(crate) fn new(cache: Option<PathBuf>) -> Self {
        Self { cache, descriptor: descriptor() }
    }

    /// The component whose scenario `empty` is called in the comparisons.
    fn component(&self) -> Result<Component, ModuleError> {
        let file = plugins()?.join("overhead.wasm");
        let digest = digest::of_file(&file).map_err(|_| {
            ModuleError::Unavailable(format!("{} is not built; run `cargo xtask plugins`", file.display()))
        })?;
        let runtime = worker::runtime(self.cache.clone(), Limits::default(), &Settings::default())
            .map_err(ModuleError::Unavailable)?;
        Component::load(&runtime, &file, &digest, bench_drivers::Grants::default())
            .map_err(|error| ModuleError::Other(error.to_string()))
    }
}

fn plugins() -> Result<PathBuf, ModuleError> {
    let project = paths::project().ok_or_else(|| {
        ModuleError::Unavailable(
            "the plug-ins of the project were not found; run in a checkout of the project".to_owned(),
        )
    })?;
    Ok(project.join("plugins"))
}

fn descriptor() -> Descriptor {
    let paths = |name: &str, summary: &str| Metric::new(name, Unit::Nanoseconds, summary).label("path");
    let scenario = |name: &str, summary: &str| Scenario::new(name, "self", summary);
    let descriptor = Descriptor::new("self", env!("CARGO_PKG_VERSION"), "The overhead of the host.")
        .scenario(
            scenario(
                "component-call",
                "1000 calls of an empty `iterate` through the host, and 1000 direct typed calls of the engine.",
            )
            .metric(paths("calls_1000", "Time from before the first of 1000 calls to after the last.")),
        )
        .scenario(
            scenario("instantiation", "10 pooled instances made through the host, and 10 made with the engine directly.").metric(
                paths("instances_10", "Time of 10 instantiations, each from a new store to an instance."),
            ),
        )
        .scenario(scenario("histogram-record", "One value recorded into an HDR histogram, without the host."))
        .scenario(scenario("sink-growth", "Record three million samples into one series of the sink.").metric(Metric::new(
            "growth",
            Unit::Bytes,
            "Growth of the resident memory between one million and three million samples.",
        )))
        .scenario(scenario(
            "bootstrap",
            "Compute the confidence intervals of a ratio of medians and of means from ten processes with 2,000 pairs each.",
        ))
        .scenario(
            scenario("list", "Run `bench-host list plugins/*.wasm` from start to exit.")
                .can_use("cpu:2", "it describes two modules at a time"),
        )
        .scenario(scenario("file-read", "Open the file of this program, read 4 KiB of it, and close it."));
    #[cfg(feature = "registry")]
    let descriptor = descriptor.scenario(scenario(
        "pull-held",
        "Find the largest plug-in by its address in a registry, which is not asked, because the store has it; its digests are checked.",
    ));
    let descriptor = with_isolation(descriptor);
    #[cfg(feature = "fleet")]
    let descriptor = with_fleet(descriptor);
    descriptor
}

/// Adds the scenarios of isolation.
fn with_isolation(descriptor: Descriptor) -> Descriptor {
    let scenario = |name: &str, summary: &str| Scenario::new(name, "self", summary);
    let by_level = |name: &str, summary: &str| Metric::new(name, Unit::Nanoseconds, summary).label(isolation::LABEL);
    let work = Parameter::new("work", isolation::WORKS[0], "the scenario of this module that is measured");
    descriptor
        .scenario(
            scenario(
                "worker-start",
                "Start a worker as a run has it, and one without isolation; each describes this module.",
            )
            .metric(by_level("worker_start", "Time from before a worker is started until it and its group are gone."))
            .metric(Metric::new(
                "added",
                Unit::Nanoseconds,
                "By how much the worker with isolation took longer than the other of its pair; 0 where it did not.",
            )),
        )
        .scenario(
            scenario("isolated-cell", "Measure a scenario in a worker as a run has it, and in one without isolation.")
                .parameter(work.sweep(isolation::WORKS).choices(isolation::WORKS))
                .metric(by_level("operations_1000", "Median time of 1000 operations in one worker.")),
        )
}

/// Adds the scenarios of fleets.
#[cfg(feature = "fleet")]
fn with_fleet(descriptor: Descriptor) -> Descriptor {
    let paths = |name: &str, summary: &str| Metric::new(name, Unit::Nanoseconds, summary).label("path");
    let scenario = |name: &str, summary: &str| Scenario::new(name, "self", summary);
    let place = "where the queue is: in the coordinator's process, or at a NATS server";
    let queue = Parameter::new("queue", fleet::QUEUES[0], place);
    let queue = queue.sweep(fleet::QUEUES.iter().copied()).choices(fleet::QUEUES.iter().copied());
    descriptor
        .scenario(
            scenario("fleet-repetition", "An agent sends repetitions of 4 KiB, which take no time, to a coordinator on this machine.")
                .can_use("cpu:2", "the agent and the coordinator take turns")
                .parameter(queue.clone())
                .metric(Metric::new(
                    "repetition",
                    Unit::Nanoseconds,
                    "Time from an order to the next claim, divided by the number of repetitions, without the agent's own run file.",
                )),
        )
        .scenario(
            scenario("fleet-figures", "Compute digests of 4 MiB in pairs, while an agent waits that has just sent a repetition, and without a fleet.")
                .metric(paths("work", "Time from before to after the computation."))
                .metric(Metric::new(
                    "ratio_low_1e6",
                    Unit::Count,
                    "Lower end of the 90 % interval of the ratio of the medians, with over without a fleet, times a million.",
                ))
                .metric(Metric::new("ratio_high_1e6", Unit::Count, "Upper end of that interval, times a million.")),
        )
        .scenario(
            scenario("fleet-join", "Start an agent on this machine with a policy, and wait until it has loaded and planned the component of a signed run.")
                .can_use("cpu:2", "the agent loads modules while the coordinator waits")
                .parameter(queue.clone())
                .metric(Metric::new(
                    "joined",
                    Unit::Nanoseconds,
                    "Time from before its process is started to the head of its run file, which comes before the rooflines.",
                )),
        )
        .scenario(
            scenario("fleet-submit", "Submit a plan of 10,000 comparison groups to the queue of a fleet.").parameter(queue),
        )
        .scenario(
            scenario("fleet-merge", "Merge 1,000 repetitions of 20 KB of two agents into one run, and verify it.").metric(
                Metric::new("merged", Unit::Nanoseconds, "Time from what was sent to a verified run on the disk."),
            ),
        )
        .scenario(
            scenario(MERGE_LARGE, "Merge repetitions of 1 MB of two agents into one run, and verify it; needs three times as much space on the disk.")
                .parameter(Parameter::new("repetitions", 200, "Number of repetitions of both agents").between(2, 100_000))
                .metric(Metric::new(
                    "merged_each",
                    Unit::Nanoseconds,
                    "Time from what was sent to a verified run on the disk, divided by the number of repetitions.",
                ))
                .metric(Metric::new(
                    "growth",
                    Unit::Bytes,
                    "The largest resident memory meanwhile, less that before anything was sent.",
                )),
        )
        .scenario(
            scenario("fleet-simulation", "Simulate fleets of ten thousand agents in all, which measure a hundred repetitions each, which take no time.")
                .parameter(Parameter::new("agents", 1_000, "Number of agents of each fleet, all of one class").between(2, 100_000))
                .metric(Metric::new(
                    "simulated",
                    Unit::Nanoseconds,
                    "Time of the coordinators, their queues and the simulation, divided by the number of repetitions.",
                ))
                .metric(Metric::new(
                    "steps_1000",
                    Unit::Count,
                    "Entries that the coordinators and their queues look at or change, for 1,000 repetitions.",
                ))
                .metric(Metric::new(
                    "entries_1000",
                    Unit::Count,
                    "Entries that the queues hold in the end, for 1,000 repetitions.",
                )),
        )
}

impl Module for Builtin {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
        let sink = Sink::new(&scenario.metrics);
        match scenario.name.as_str() {
            "component-call" => pairs::component_call(&self.component()?, sink),
            "instantiation" => pairs::instantiation(self.component()?, sink),
            "histogram-record" => Ok(sessions::histogram_record(sink)),
            "sink-growth" => sessions::sink_growth(sink),
            "bootstrap" => Ok(sessions::bootstrap(sink)),
            "list" => sessions::list(sink, &plugins()?),
            #[cfg(feature = "registry")]
            "pull-held" => registry::pull_held(sink, &plugins()?.join("pg-dest.wasm")),
            "file-read" => sessions::file_read(sink),
            "worker-start" => isolation::worker_start(sink),
            "isolated-cell" => isolation::cell(sink, arguments),
            #[cfg(feature = "fleet")]
            "fleet-repetition" => fleet::repetition(sink, arguments),
            #[cfg(feature = "fleet")]
            "fleet-figures" => fleet::figures(sink),
            #[cfg(feature = "fleet")]
            "fleet-join" => fleet::join(sink, arguments),
            #[cfg(feature = "fleet")]
            "fleet-submit" => fleet::submit(sink, arguments),
            #[cfg(feature = "fleet")]
            "fleet-merge" => fleet::merged(sink),
            #[cfg(feature = "fleet")]
            MERGE_LARGE => fleet::merged_large(sink, arguments),
            #[cfg(feature = "fleet")]
            "fleet-simulation" => fleet::simulation(sink, arguments),
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        body(self);
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::Value;

    #[test]
    fn merging_much_may_take_longer() {
        let extra = |family: &str, name: &str, repetitions: i64| {
            let arguments = [("repetitions".to_owned(), Value::from(repetitions))].into_iter().collect();
            extra_deadline(&Scenario::new(name, family, ""), &arguments).as_secs()
        };
        assert_eq!(extra("self", MERGE_LARGE, 1_000), 150);
        assert_eq!([extra("self", "fleet-merge", 1_000), extra("other", MERGE_LARGE, 1_000)], [0, 0]);
        assert_eq!(extra("self", MERGE_LARGE, -1), 0);
    }
}
