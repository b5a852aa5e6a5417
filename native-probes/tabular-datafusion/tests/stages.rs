//! Every stage by DataFusion against the rows of the generator.

use bench_model::{Arguments, ModuleError, Session, Value};
use probe_abi::Probe;
use tabular_datafusion::DataFusion;

/// Opens a scenario with its defaults and these changes.
fn open(scenario: &str, changes: &[(&str, Value)]) -> Result<(Box<dyn Session>, tempfile::TempDir), ModuleError> {
    let descriptor = DataFusion::describe();
    let described = descriptor.scenarios.iter().find(|described| described.name == scenario).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = Arguments::default();
    for parameter in &described.parameters {
        arguments.set(parameter.name.clone(), parameter.defaults[0].clone());
    }
    arguments.set("folder", folder.path().to_str().unwrap());
    changes.iter().for_each(|(name, value)| arguments.set(*name, value.clone()));
    Ok((tabular_datafusion::open(scenario, &arguments, None)?, folder))
}

#[test]
fn every_stage_gives_the_rows_of_the_generator() {
    for scenario in DataFusion::describe().scenarios {
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

#[test]
fn too_little_memory_is_an_error_with_its_cause() {
    let changes = [("rows", Value::from(200_000)), ("memory_mib", Value::from(16))];
    let error = open("join", &changes).err().unwrap().to_string();
    assert!(error.starts_with("DataFusion: ") && error.contains("Resources exhausted"), "{error}");
}
