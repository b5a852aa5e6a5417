//! The stages of a table's way from a mine's answer to an aggregate, each measured alone and all in a row, over data whose every cell is
//! known.

mod allocated;
mod batches;
mod input;
mod json;
mod mine_model;
mod own;
mod pass;
mod replay;
mod stage;

use bench_plugin::prelude::*;
use bench_plugin::stages::{RecordBatch, Stages};
use table_core::allocator::Counting;

/// The allocator of both arms, which costs a load and a branch more while nothing is counted.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Tabular;

impl Plugin for Tabular {
    fn describe() -> Descriptor {
        let summary = "Stages of a table's way: decode, write, scan, join, aggregate.";
        let descriptor = Descriptor::new("tabular", env!("CARGO_PKG_VERSION"), summary);
        let own = stage::ALL.iter().map(|entry| (entry.describe)());
        own.chain(stage::boundary::scenarios()).fold(descriptor, Descriptor::scenario)
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        match stage::ALL.iter().find(|entry| entry.name == scenario) {
            Some(entry) => (entry.open)(arguments, host),
            None => Err(ModuleError::UnknownScenario(scenario.to_owned())),
        }
    }
}

impl Stages for Tabular {
    fn run(
        scenario: &str,
        arguments: &Arguments,
        files: &[&[u8]],
        tables: Vec<Vec<RecordBatch>>,
    ) -> Result<Vec<RecordBatch>, ModuleError> {
        stage::boundary::run(scenario, arguments, files, tables)
    }
}

bench_plugin::export_stages!(Tabular);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        Tabular::describe().validate().unwrap();
    }
}
