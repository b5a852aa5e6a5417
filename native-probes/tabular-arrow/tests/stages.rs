//! Every stage against the rows of the generator.

use bench_model::Arguments;
use probe_abi::Probe;
use tabular_arrow::Arrow;

#[test]
fn every_stage_gives_the_rows_of_the_generator() {
    for scenario in Arrow::describe().scenarios {
        for rows in [0, 1, 9_000] {
            let arguments: Arguments = [("rows", rows), ("seed", 1)].into_iter().collect();
            let mut session = tabular_arrow::open(&scenario.name, &arguments, None).unwrap();
            session.iterate(2).unwrap();
            for check in session.verify().unwrap() {
                assert!(check.passed, "{}, {rows} rows: {}: {}", scenario.name, check.name, check.detail);
            }
        }
    }
}
