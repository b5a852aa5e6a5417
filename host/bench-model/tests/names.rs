//! The names that a module gives are those that WIT documents.

use bench_model::MachineLimit;

#[test]
fn machine_limits_are_those_that_wit_names() {
    assert_eq!(MachineLimit::ALL.map(MachineLimit::as_str), vocabulary::workload::LIMITS);
}
