//! What tests of fleets make up: a spec, and the record of a cell.

use bench_fleet::{PROTOCOL, Spec};
use bench_model::{Arguments, Arm};
use bench_sink::runfile::{CellRecord, ModuleRef};

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
