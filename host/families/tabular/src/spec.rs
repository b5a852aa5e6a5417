//! What the driver `stage` measures: its scenarios and their parameters, said once.

use bench_model::{Arm, MachineLimit, Parameter, Scenario};
use table_core::mine::Format;

/// The driver's name.
pub(crate) const DRIVER: &str = "stage";

/// Its scenarios.
pub(crate) const PASS: &str = "stage-pass";
pub(crate) const DECODE: &str = "stage-decode";
pub(crate) const SCAN: &str = "stage-scan";
pub(crate) const JOIN: &str = "stage-join";
pub(crate) const AGGREGATE: &str = "stage-aggregate";

/// The parameter with the format of an answer.
pub(crate) const FORMAT: &str = "format";

pub(crate) fn scenarios() -> Vec<Scenario> {
    let formats = Format::ALL.map(Format::as_str);
    let format = Parameter::new(FORMAT, "json", "format of the answer").choices(formats);
    vec![
        scenario(PASS, "Takes a table and gives it back: what the boundary costs."),
        scenario(DECODE, "Takes a mine's answer and gives its rows.").parameter(format),
        scenario(SCAN, "Takes CSV and gives its rows, with the types given."),
        scenario(JOIN, "Takes genes and publications and gives their FULL OUTER JOIN."),
        scenario(AGGREGATE, "Takes genes and gives their numbers and sums by organism."),
    ]
}

fn scenario(name: &str, summary: &str) -> Scenario {
    let rows = Parameter::new("rows", 20_000, "number of genes, and of publications; all of them are in memory");
    let seed = Parameter::new("seed", 1, "which rows the generator makes; the same in every arm");
    Scenario::new(name, crate::FAMILY, summary)
        .driven_by(DRIVER)
        .in_arms([Arm::Wasm, Arm::Native])
        .limit(MachineLimit::MemoryRead)
        .parameter(rows.between(0, 10_000_000))
        .parameter(seed.between(0, i64::MAX))
}
