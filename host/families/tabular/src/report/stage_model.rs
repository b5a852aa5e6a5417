//! The document `benchmark_stage_model_v1`: the times of the stages of one scenario, and what its results agree in. What was not measured is
//! null. `result_hash` is over all rows; the invariants of the schema are those of the genes that were decoded.

use super::{account, cells, integer, mean};
use bench_model::Arm;
use bench_report::{CellView, RunView, print_json, significant};
use serde::Serialize;
use serde_json::Number;
use std::collections::BTreeSet;
use table_core::Invariants;

#[derive(Serialize)]
struct Document {
    schema_version: &'static str,
    scenarios: Vec<ScenarioJson>,
}

#[derive(Serialize)]
struct ScenarioJson {
    schema_version: &'static str,
    scenario_name: String,
    stages: Stages,
    correctness: Correctness,
}

/// The stages of the schema in its order, and two more, which it has no clock for.
#[derive(Serialize)]
struct Stages {
    fetch: Stage,
    decode: Stage,
    csv_write: Stage,
    parquet_write: Stage,
    parquet_scan: Stage,
    duckdb_scan: Stage,
    analytics: Stage,
    polars_scan: Stage,
}

/// A stage, with every member that the schema gives to any; `operations` and `rows` are further ones.
#[derive(Default, Serialize)]
struct Stage {
    /// Whether it was measured.
    enabled: bool,
    elapsed_seconds: Option<Number>,
    cpu_seconds: Option<Number>,
    peak_rss_bytes: Option<u64>,
    rows_fetched: Option<i64>,
    retries: Option<Number>,
    bytes_in: Option<Number>,
    bytes_out: Option<Number>,
    parquet_bytes: Option<Number>,
    result_hash: Option<String>,
    /// What an operation allocates, where the module's own allocator counts it: that of an engine in another language does not.
    allocations_bytes: Option<Number>,
    operations: Option<u64>,
    rows: Option<i64>,
}

#[derive(Serialize)]
struct Correctness {
    schema_fingerprint: Option<String>,
    row_count: Option<u64>,
    groupby_count: Option<u64>,
    sample_hash: Option<String>,
}

const SCHEMA: &str = "benchmark_stage_model_v1";

/// A scenario for each arm and number of rows that the plug-in `tabular` has cells of.
pub(super) fn print(view: &RunView) -> Result<String, String> {
    let cells = cells(view);
    let own = cells.iter().filter(|cell| cell.scenario.starts_with("tabular/"));
    let keys: BTreeSet<_> = own.filter_map(|cell| Some((integer(cell, "rows")?, cell.arm_label()))).collect();
    if keys.is_empty() {
        return Err("it has no stage of a table; `bench-host run tabular-quick` makes some".to_owned());
    }
    let scenarios = keys.into_iter().map(|(rows, label)| scenario(&cells, rows, &label)).collect();
    Ok(print_json(&Document { schema_version: SCHEMA, scenarios }))
}

fn scenario(cells: &[&CellView], rows: i64, label: &str) -> ScenarioJson {
    let of = |scenario: &str, label: &str| {
        let is_it = |cell: &&&CellView| {
            cell.scenario == scenario && cell.arm_label() == label && integer(cell, "rows") == Some(rows)
        };
        cells.iter().find(is_it).copied()
    };
    let native = Arm::Native.as_str();
    let own = |name: &str| of(&format!("tabular/{name}"), label);
    let decoded = own("decode");
    let invariants = decoded.and_then(invariants);
    let duckdb = |name: &str| of(&format!("tabular-duckdb/{name}"), native);
    let polars = |name: &str| of(&format!("tabular-polars/{name}"), native);
    ScenarioJson {
        schema_version: SCHEMA,
        scenario_name: format!("{label} rows={rows}"),
        stages: Stages {
            fetch: stage(of("mine/fetch", native)),
            decode: stage(decoded),
            csv_write: stage(own("csv-write")),
            parquet_write: stage(own("parquet-write")),
            parquet_scan: stage(own("parquet-scan")),
            duckdb_scan: stage(duckdb("parquet-scan")),
            analytics: stage(duckdb("aggregate").or_else(|| own("aggregate"))),
            polars_scan: stage(polars("parquet-scan")),
        },
        correctness: Correctness {
            schema_fingerprint: invariants.map(|found| format!("{:016x}", found.schema_fingerprint)),
            row_count: invariants.map(|found| found.row_count),
            groupby_count: invariants.map(|found| found.groupby_count),
            sample_hash: invariants.map(|found| format!("{:016x}", found.sample_hash)),
        },
    }
}

/// The stage that `cell` measured, if there is one.
fn stage(cell: Option<&CellView>) -> Stage {
    let Some(cell) = cell else { return Stage::default() };
    let account = account(cell);
    let figure = |metric: &str| mean(cell, metric).and_then(significant);
    let rows = integer(cell, "rows");
    let gets_rows = matches!(cell.scenario_name(), "fetch" | "decode");
    Stage {
        enabled: true,
        elapsed_seconds: cell.timed().and_then(|timed| significant(timed.summary.mean / 1e9)),
        cpu_seconds: account.as_ref().and_then(|account| significant(account.cpu_ns? / 1e9)),
        peak_rss_bytes: account.and_then(|account| account.memory_bytes_peak),
        rows_fetched: rows.filter(|_| gets_rows),
        retries: figure("retries"),
        bytes_in: figure("wire"),
        bytes_out: figure("content"),
        parquet_bytes: figure("size").filter(|_| cell.scenario_name() == "parquet-write"),
        result_hash: cell.checksum.map(|checksum| checksum.to_string()),
        allocations_bytes: figure("allocated"),
        operations: Some(cell.iterations),
        rows,
    }
}

/// The invariants that the check of this name wrote.
fn invariants(cell: &CellView) -> Option<Invariants> {
    let check = cell.checks.iter().find(|check| check.name == "invariants" && check.passed)?;
    check.detail.parse().ok()
}
