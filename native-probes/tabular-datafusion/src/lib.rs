//! The probe `tabular-datafusion`: stages of the family `tabular` as statements of DataFusion, over the same rows and compared with the same
//! truth as those of the plug-in `tabular`.

mod allocated;
mod batches;
mod session;
mod stage;

use bench_model::{Arguments, Arm, Descriptor, ModuleError, Parameter, Scenario, Session};
use probe_abi::{Host, Probe, export_probe};
use stage::Stage;
use table_core::allocator::Counting;

/// The system's, as without it, which costs a load and a branch more while nothing is counted.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The probe.
#[derive(Debug)]
pub struct DataFusion;

/// The parameter with the folder for files.
const FOLDER: &str = "folder";

impl Probe for DataFusion {
    fn describe() -> Descriptor {
        let summary = "Stages of tables by DataFusion.";
        let descriptor = Descriptor::new("tabular-datafusion", env!("CARGO_PKG_VERSION"), summary);
        Stage::ALL.into_iter().map(describe).fold(descriptor, Descriptor::scenario)
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, Some(host))
    }
}

/// Opens a scenario. Without a host, its samples are discarded.
pub fn open(scenario: &str, arguments: &Arguments, host: Option<Host>) -> Result<Box<dyn Session>, ModuleError> {
    let stage = Stage::ALL.into_iter().find(|stage| stage.name() == scenario);
    let stage = stage.ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?;
    Ok(Box::new(session::Statements::open(stage, arguments, host)?))
}

export_probe!(DataFusion);

fn describe(stage: Stage) -> Scenario {
    let parameters = [
        Parameter::new("rows", 20_000, "number of genes, and of publications").between(0, 10_000_000),
        Parameter::new("seed", 1, "which rows the generator makes; the same as in other modules").between(0, i64::MAX),
        Parameter::new("threads", 1, "threads of DataFusion's runtime, and partitions of a plan").between(1, 64),
        Parameter::new("memory_mib", 1_024, "memory that operators of DataFusion may use, in MiB").between(16, 1 << 20),
        Parameter::new(FOLDER, "@temp", "folder for Parquet files; @temp is a scratch folder of the host"),
    ];
    let scenario = Scenario::new(stage.name(), "tabular", stage.summary())
        .in_arms([Arm::Native])
        .requires(format!("scratch:{FOLDER}"), "DataFusion reads and writes files there");
    let scenario = allocated::described(scenario);
    parameters.into_iter().fold(scenario, Scenario::parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        DataFusion::describe().validate().unwrap();
    }
}
