//! The stages, one file each, and the table of them.

mod aggregate;
pub(crate) mod boundary;
mod csv;
mod decode;
mod generate;
mod ipc;
mod join;
mod jsonl;
mod model;
mod own;
mod parquet;
mod pipeline;
mod staged;
mod stream;

use crate::pass::Pass;
use bench_plugin::prelude::*;
use table_core::{Recipe, Table};

/// A scenario of this plug-in.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) describe: fn() -> Scenario,
    pub(crate) open: Open,
}

/// How a scenario is opened.
type Open = fn(&Arguments, Host) -> Result<Box<dyn Session>, ModuleError>;

/// A stage, with its input in memory.
pub(crate) trait Stage: Sized + 'static {
    const NAME: &'static str;
    /// What an operation does, from what to what.
    const SUMMARY: &'static str;
    /// Whether its result is bytes, whose number is recorded.
    const WRITES: bool = false;

    /// Its parameters, other than those of the input.
    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }

    /// Makes the input and the expected result.
    fn prepare(recipe: Recipe, arguments: &Arguments) -> Result<Self, ModuleError>;

    /// The bytes that an operation reads.
    fn bytes(&self) -> u64;

    /// Executes one operation. The result of the one before is freed in it.
    fn run(&mut self) -> Result<(), ModuleError>;

    /// The number of bytes of the last result, if the stage writes some.
    fn written(&self) -> u64 {
        0
    }

    /// The rows of the last result; of a written file, the rows read back.
    fn result(&self) -> Result<Table, ModuleError>;

    /// What the result must be, computed in another way.
    fn expected(&self) -> &Table;

    /// Checks of what is not in the table.
    fn further_checks(&self) -> Vec<Check> {
        Vec::new()
    }
}

/// All scenarios.
pub(crate) const ALL: &[Entry] = &[
    generate::ENTRY,
    entry::<decode::Decode>(),
    entry::<csv::CsvWrite>(),
    entry::<csv::CsvScan>(),
    entry::<parquet::ParquetWrite>(),
    entry::<parquet::ParquetScan>(),
    entry::<parquet::ParquetFooter>(),
    entry::<ipc::IpcWrite>(),
    entry::<ipc::IpcScan>(),
    entry::<jsonl::JsonlWrite>(),
    entry::<jsonl::JsonlScan>(),
    entry::<join::Join>(),
    entry::<aggregate::Aggregate>(),
    pipeline::PIPELINE,
    pipeline::REPLAY,
    stream::ENTRY,
    own::CSV,
    own::PARQUET,
    model::GENERATED,
    model::OWN,
];

const fn entry<S: Stage>() -> Entry {
    Entry { name: S::NAME, describe: Pass::<S>::describe, open: Pass::<S>::open }
}

/// An error of a stage, with what it was doing.
fn failed(what: &str, reason: impl std::fmt::Display) -> ModuleError {
    ModuleError::Other(format!("{what}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the result of the stage is as expected, at sizes around the edges of a batch.
    fn check<S: Stage>(arguments: &[(&str, &str)]) {
        let mut given = Arguments::default();
        for (name, value) in arguments {
            given.set(*name, *value);
        }
        for rows in [0, 1, 8_193] {
            let mut stage = S::prepare(Recipe { rows, seed: 5 }, &given).unwrap();
            for _ in 0..2 {
                stage.run().unwrap();
            }
            let mut checks = crate::pass::parity(stage.expected(), &stage.result().unwrap());
            checks.extend(stage.further_checks());
            for check in checks {
                assert!(check.passed, "{} {arguments:?}, {rows} rows: {}: {}", S::NAME, check.name, check.detail);
            }
            assert!(!S::WRITES || stage.written() > 0);
        }
    }

    #[test]
    fn every_format_decodes_to_what_it_carries() {
        for format in ["json", "jsonrows", "csv", "tab"] {
            check::<decode::Decode>(&[("format", format)]);
        }
    }

    #[test]
    fn written_rows_read_back() {
        check::<csv::CsvWrite>(&[]);
        check::<csv::CsvScan>(&[]);
        for codec in ["none", "snappy"] {
            check::<parquet::ParquetWrite>(&[("codec", codec)]);
            check::<parquet::ParquetScan>(&[("codec", codec), ("input", "own")]);
        }
        check::<parquet::ParquetScan>(&[("codec", "none"), ("input", "canonical")]);
        check::<parquet::ParquetFooter>(&[]);
        check::<ipc::IpcWrite>(&[]);
        check::<ipc::IpcScan>(&[]);
        check::<jsonl::JsonlWrite>(&[]);
        check::<jsonl::JsonlScan>(&[]);
    }

    #[test]
    fn join_and_groups_equal_those_computed_by_sorting() {
        check::<join::Join>(&[]);
        check::<aggregate::Aggregate>(&[]);
    }
}
