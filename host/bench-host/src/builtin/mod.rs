//! The module `self`: what the host itself costs, measured like anything else. It ships inside the program, because it
//! compares the host's own paths with the libraries beneath them.

mod pairs;
mod sessions;

use crate::{paths, worker};
use bench_drivers::{Module, Recording};
use bench_model::{Arguments, Descriptor, Metric, ModuleError, Scenario, Unit};
use bench_sink::{Sink, digest};
use bench_wasm::{Component, Limits, Settings};
use std::path::PathBuf;

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

    /// The component whose empty scenario the host's path is tried on.
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
        ModuleError::Unavailable("the project's plug-ins are not here; run it in a checkout".to_owned())
    })?;
    Ok(project.join("plugins"))
}

fn descriptor() -> Descriptor {
    let paths = |name: &str, summary: &str| Metric::new(name, Unit::Nanoseconds, summary).label("path");
    let scenario = |name: &str, summary: &str| Scenario::new(name, "self", summary);
    Descriptor::new("self", env!("CARGO_PKG_VERSION"), "What the host itself costs.")
        .scenario(
            scenario(
                "component-call",
                "1000 calls of an empty `iterate` through the host, and 1000 typed calls of the engine's own.",
            )
            .metric(paths("calls_1000", "From before the first of 1000 calls to after the last.")),
        )
        .scenario(
            scenario("instantiation", "10 pooled instances through the host, and 10 of the engine's own.").metric(
                paths("instances_10", "The time of 10 instantiations, each from a ready store to an instance."),
            ),
        )
        .scenario(scenario("histogram-record", "One value recorded into an HDR histogram, without the host."))
        .scenario(scenario("sink-growth", "Three million samples into one series of the sink.").metric(Metric::new(
            "growth",
            Unit::Bytes,
            "Resident memory after three million samples, less that after one million.",
        )))
        .scenario(scenario(
            "bootstrap",
            "The interval on a ratio, out of ten processes of 2,000 pairs each: medians and means.",
        ))
        .scenario(
            scenario("list", "`bench-host list plugins/*.wasm` from its start to its end.")
                .can_use("cpu:2", "it describes two modules at a time, as it does for a user"),
        )
}

impl Module for Builtin {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open(&mut self, scenario: &Scenario, _arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
        let sink = Sink::new(&scenario.metrics);
        match scenario.name.as_str() {
            "component-call" => pairs::component_call(&self.component()?, sink),
            "instantiation" => pairs::instantiation(self.component()?, sink),
            "histogram-record" => Ok(sessions::histogram_record(sink)),
            "sink-growth" => sessions::sink_growth(sink),
            "bootstrap" => Ok(sessions::bootstrap(sink)),
            "list" => sessions::list(sink, &plugins()?),
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        body(self);
        Vec::new()
    }
}
