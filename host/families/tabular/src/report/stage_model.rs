//! The document `benchmark_stage_model_v1`: the times of the stages of one scenario, and what its results agree in. What was not measured is
//! null. The sample that it has a hash of is all rows.

use super::{account, cells, integer, mean};
use bench_model::Arm;
use bench_report::{AccountView, CellView, RunView, print_json, significant};
use serde::Serialize;
use serde_json::Number;
use std::collections::BTreeSet;

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

#[derive(Serialize)]
struct Stages {
    fetch: Option<Fetch>,
    decode: Option<Stage>,
    csv_write: Option<Stage>,
    parquet_write: Option<ParquetWrite>,
    parquet_scan: Option<Stage>,
    duckdb_scan: Option<Stage>,
    analytics: Option<Stage>,
    polars_scan: Option<Stage>,
}

#[derive(Serialize)]
struct Fetch {
    elapsed_seconds: Option<Number>,
    cpu_seconds: Option<Number>,
    retries: Option<Number>,
    rows_fetched: i64,
    bytes_in: Option<Number>,
    bytes_out: Option<Number>,
}

#[derive(Serialize)]
struct Stage {
    elapsed_seconds: Option<Number>,
    cpu_seconds: Option<Number>,
    peak_rss_bytes: Option<u64>,
    operations: u64,
    rows: i64,
    result_hash: Option<String>,
}

#[derive(Serialize)]
struct ParquetWrite {
    elapsed_seconds: Option<Number>,
    cpu_seconds: Option<Number>,
    peak_rss_bytes: Option<u64>,
    parquet_bytes: Option<Number>,
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
    let keys: BTreeSet<_> = own.filter_map(|cell| Some((integer(cell, "rows")?, cell.arm_label(), cell.arm))).collect();
    if keys.is_empty() {
        return Err("it has no stage of a table; `bench-host run tabular-quick` makes some".to_owned());
    }
    let scenarios = keys.into_iter().map(|(rows, label, arm)| scenario(&cells, rows, &label, arm)).collect();
    Ok(print_json(&Document { schema_version: SCHEMA, scenarios }))
}

fn scenario(cells: &[&CellView], rows: i64, label: &str, arm: Arm) -> ScenarioJson {
    let of = |scenario: &str, arm: Arm| {
        let is_it =
            |cell: &&&CellView| cell.scenario == scenario && cell.arm == arm && integer(cell, "rows") == Some(rows);
        cells.iter().find(is_it).copied()
    };
    let own = |name: &str| of(&format!("tabular/{name}"), arm);
    let duckdb = |name: &str| of(&format!("tabular-duckdb/{name}"), Arm::Native);
    let polars = |name: &str| of(&format!("tabular-polars/{name}"), Arm::Native);
    let decoded = own("decode");
    ScenarioJson {
        schema_version: SCHEMA,
        scenario_name: format!("{label} rows={rows}"),
        stages: Stages {
            fetch: of("mine/fetch", Arm::Native).map(|cell| fetch(cell, rows)),
            decode: decoded.map(|cell| stage(cell, rows)),
            csv_write: own("csv-write").map(|cell| stage(cell, rows)),
            parquet_write: own("parquet-write").map(parquet_write),
            parquet_scan: own("parquet-scan").map(|cell| stage(cell, rows)),
            duckdb_scan: duckdb("parquet-scan").map(|cell| stage(cell, rows)),
            analytics: duckdb("aggregate").or_else(|| own("aggregate")).map(|cell| stage(cell, rows)),
            polars_scan: polars("parquet-scan").map(|cell| stage(cell, rows)),
        },
        correctness: Correctness {
            schema_fingerprint: decoded
                .and_then(|cell| found(cell, "schema"))
                .map(|text| text.trim_matches('"').to_owned()),
            row_count: decoded.and_then(|cell| found(cell, "rows")).and_then(|rows| rows.parse().ok()),
            groupby_count: own("aggregate").and_then(|cell| found(cell, "rows")).and_then(|rows| rows.parse().ok()),
            sample_hash: decoded.and_then(|cell| cell.checksum).map(|checksum| checksum.to_string()),
        },
    }
}

fn seconds(cell: &CellView) -> Option<Number> {
    significant(cell.timed()?.summary.mean / 1e9)
}

fn cpu_seconds(account: Option<&AccountView>) -> Option<Number> {
    significant(account?.cpu_ns? / 1e9)
}

fn fetch(cell: &CellView, rows: i64) -> Fetch {
    let figure = |metric: &str| mean(cell, metric).and_then(significant);
    Fetch {
        elapsed_seconds: seconds(cell),
        cpu_seconds: cpu_seconds(account(cell).as_ref()),
        retries: figure("retries"),
        rows_fetched: rows,
        bytes_in: figure("wire"),
        bytes_out: figure("content"),
    }
}

fn stage(cell: &CellView, rows: i64) -> Stage {
    let account = account(cell);
    Stage {
        elapsed_seconds: seconds(cell),
        cpu_seconds: cpu_seconds(account.as_ref()),
        peak_rss_bytes: account.and_then(|account| account.memory_bytes_peak),
        operations: cell.iterations,
        rows,
        result_hash: cell.checksum.map(|checksum| checksum.to_string()),
    }
}

fn parquet_write(cell: &CellView) -> ParquetWrite {
    let account = account(cell);
    ParquetWrite {
        elapsed_seconds: seconds(cell),
        cpu_seconds: cpu_seconds(account.as_ref()),
        peak_rss_bytes: account.and_then(|account| account.memory_bytes_peak),
        parquet_bytes: mean(cell, "size").and_then(significant),
    }
}

/// What a check found: the end of `expected …, found …`.
fn found<'a>(cell: &'a CellView, check: &str) -> Option<&'a str> {
    let check = cell.checks.iter().find(|known| known.name == check && known.passed)?;
    check.detail.rsplit_once(", found ").map(|(_, found)| found)
}
