//! What tests of fleets make up: a spec, a plan and its cells, and records.

use bench_fleet::{PROTOCOL, PlannedCell, Spec};
use bench_model::{Arguments, Arm};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{CellRecord, ModuleRef, Planned, RunRecord};

/// The spec of the run `r`, without modules.
pub(crate) fn spec() -> Spec {
    Spec {
        protocol: PROTOCOL,
        host_version: "1".to_owned(),
        id: "r".to_owned(),
        words: vec!["s".to_owned()],
        command: vec!["bench-host".to_owned()],
        seed: 1,
        order_sha256: String::new(),
        modules: Vec::new(),
        signature: None,
    }
}

/// A plan of so many cells, each in so many processes.
pub(crate) fn planned(cells: u32, processes: u32) -> Planned {
    Planned { cells, processes, time_ns: None, iterations: None, within_ns: None, order_sha256: None }
}

/// A cell of this group.
pub(crate) fn planned_cell(group: u32) -> PlannedCell {
    PlannedCell {
        group,
        scenario: "m/s".to_owned(),
        arm: Arm::Wasm,
        variant: None,
        arguments: Arguments::default(),
        sha256: "d".to_owned(),
    }
}

/// The head of a run file of this spec, by an unknown program on an unknown machine.
pub(crate) fn run(spec: Spec, planned: Planned) -> RunRecord {
    RunRecord {
        id: spec.id,
        started: "1".to_owned(),
        seed: spec.seed,
        command: spec.command,
        planned,
        fingerprint: Fingerprint::default(),
        program_sha256: None,
        warnings: Vec::new(),
        inputs: Vec::new(),
    }
}

/// The cell of this number, measured by the module in `file`.
pub(crate) fn cell(cell: u32, process: u32, file: &str) -> CellRecord {
    CellRecord {
        cell,
        process,
        scenario: "m/s".to_owned(),
        family: String::new(),
        arm: Arm::Wasm,
        variant: None,
        arguments: Arguments::default(),
        module: ModuleRef { file: file.to_owned(), sha256: "d".to_owned() },
        limit: None,
        cpu: None,
        conditions: Vec::new(),
    }
}
