//! Every stage by Polars against the rows of the generator.

use bench_model::{Arguments, ModuleError, Session, Value};
use probe_abi::Probe;
use tabular_polars::Polars;

/// Opens a scenario with its defaults and these changes.
fn open(scenario: &str, changes: &[(&str, Value)]) -> Result<(Box<dyn Session>, tempfile::TempDir), ModuleError> {
    let descriptor = Polars::describe();
    let described = descriptor.scenarios.iter().find(|described| described.name == scenario).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = Arguments::default();
    for parameter in &described.parameters {
        arguments.set(parameter.name.clone(), parameter.defaults[0].clone());
    }
    arguments.set("folder", folder.path().to_str().unwrap());
    changes.iter().for_each(|(name, value)| arguments.set(*name, value.clone()));
    Ok((tabular_polars::open(scenario, &arguments, None)?, folder))
}

#[test]
fn every_stage_gives_the_rows_of_the_generator() {
    for scenario in Polars::describe().scenarios {
        for (rows, threads) in [(0, 1), (3_000, 1), (20_000, 2)] {
            let changes = [("rows", Value::from(rows)), ("threads", Value::from(threads))];
            let (mut session, _folder) = open(&scenario.name, &changes).unwrap();
            session.iterate(2).unwrap();
            for check in session.verify().unwrap() {
                assert!(check.passed, "{}, {rows} rows: {}: {}", scenario.name, check.name, check.detail);
            }
        }
    }
}
