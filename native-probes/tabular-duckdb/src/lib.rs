//! The probe `tabular-duckdb`: the stages of the family `tabular` as statements of DuckDB, over the same rows and compared with the same
//! truth as those of the plug-in `tabular`.

#![expect(unsafe_code, reason = "DuckDB's interface is C")]

mod engine;
mod own;
mod parts;
mod session;
mod stage;
mod tpch;

use bench_model::{Arguments, Arm, Descriptor, ModuleError, Parameter, Scenario, Session};
use probe_abi::{Host, Probe, export_probe};
use stage::Stage;

/// The probe.
#[derive(Debug)]
pub struct DuckDb;

/// The parameter with the folder for files.
const FOLDER: &str = "folder";

impl Probe for DuckDb {
    fn describe() -> Descriptor {
        let summary = "Stages of tables by DuckDB.";
        let further = [own::describe_csv(), own::describe_parquet(), tpch::describe()];
        let descriptor = Descriptor::new("tabular-duckdb", env!("CARGO_PKG_VERSION"), summary);
        Stage::ALL.into_iter().map(describe).chain(further).fold(descriptor, Descriptor::scenario)
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, Some(host))
    }
}

/// Opens a scenario. Without a host, its samples are discarded.
pub fn open(scenario: &str, arguments: &Arguments, host: Option<Host>) -> Result<Box<dyn Session>, ModuleError> {
    match scenario {
        tpch::NAME => return Ok(Box::new(tpch::Tpch::open(arguments)?)),
        own::CSV => return Ok(Box::new(own::OwnTable::csv(arguments)?)),
        own::PARQUET => return Ok(Box::new(own::OwnTable::parquet(arguments)?)),
        _ => {}
    }
    let stage = Stage::ALL.into_iter().find(|stage| stage.name() == scenario);
    let stage = stage.ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?;
    Ok(Box::new(session::Statements::open(stage, arguments, host)?))
}

export_probe!(DuckDb);

fn describe(stage: Stage) -> Scenario {
    let parameters = [
        Parameter::new("rows", 20_000, "number of genes, and of publications").between(0, 10_000_000),
        Parameter::new("seed", 1, "which rows the generator makes; the same as in other modules").between(0, i64::MAX),
    ];
    let scenario = Scenario::new(stage.name(), "tabular", stage.summary()).in_arms([Arm::Native]);
    let scenario = if stage.parts().is_empty() { scenario } else { parts::described(scenario) };
    described(parameters.into_iter().fold(scenario, Scenario::parameter))
}

/// Adds what every scenario has.
fn described(scenario: Scenario) -> Scenario {
    let parameters = [
        Parameter::new("threads", 1, "threads that DuckDB may use").between(1, 64),
        Parameter::new("memory_mib", 1_024, "memory that DuckDB may use for data, in MiB; it does not spill to disk")
            .between(16, 1 << 20),
        Parameter::new(
            "library",
            engine::DEFAULT,
            "path of libduckdb.so; @setup is where `cargo xtask setup --all` puts it",
        ),
        Parameter::new(FOLDER, "@temp", "folder for CSV and Parquet files; @temp is a scratch folder of the host"),
    ];
    let scenario = scenario
        .requires(format!("scratch:{FOLDER}"), "DuckDB reads and writes files there")
        .requires("probe:duckdb", "DuckDB's own library, loaded when a scenario is opened");
    parameters.into_iter().fold(scenario, Scenario::parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        DuckDb::describe().validate().unwrap();
    }
}
