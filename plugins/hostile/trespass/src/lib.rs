//! A plug-in whose every scenario but `good` reaches beyond what it was given: amounts above each maximum, and folders outside of its own. It
//! is for the sandbox of components; a probe can do what its user can.

mod amounts;
mod folders;

use bench_plugin::model::Arm;
use bench_plugin::prelude::*;

/// The parameter with the scratch folder.
const DIRECTORY: &str = "directory";

struct Trespass;

impl Plugin for Trespass {
    fn describe() -> Descriptor {
        let summary = "Reaches beyond what it was given.";
        let mut descriptor = Descriptor::new("trespass", env!("CARGO_PKG_VERSION"), summary)
            .scenario(Scenario::new("good", "hostile", "Does what it should."))
            .scenario(amounts::describe_greatest());
        for (name, summary) in amounts::ALL.iter().chain(folders::ALL) {
            descriptor = descriptor.scenario(described(name, summary));
        }
        descriptor
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        match scenario {
            "good" => Ok(each(|| std::hint::black_box(7))),
            _ if folders::ALL.iter().any(|(name, _)| *name == scenario) => {
                folders::open(scenario, arguments.text(DIRECTORY)?, host)
            }
            _ => amounts::open(scenario, arguments, host),
        }
    }
}

/// A scenario with a scratch folder and a metric with one label.
fn described(name: &str, summary: &str) -> Scenario {
    Scenario::new(name, "hostile", summary)
        .in_arms([Arm::Wasm])
        .parameter(Parameter::new(DIRECTORY, "@temp", "where the folder is made"))
        .requires("scratch:directory", "it looks for a way out of it")
        .metric(Metric::new(amounts::METRIC, Unit::Count, "of nothing in particular").label("name"))
}

bench_plugin::export!(Trespass);
