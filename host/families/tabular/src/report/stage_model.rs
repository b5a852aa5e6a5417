//! The document `benchmark_stage_model_v1`: the times of the stages of one scenario, and what its results agree in. What was not measured is
//! null. `result_hash` is over all rows; the invariants of the schema are those of the genes that were decoded.

use super::{account, cells, integer, mean};
use bench_model::{Arguments, Arm, Value};
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

/// The scenarios whose cells measure a stage, in the order of the schema's stages; of several, the first that has a fitting cell. Those of
/// the plug-in `tabular` are in the arm of the document's scenario; a mine and engines are native.
const STAGES: [&[&str]; 8] = [
    &["mine/fetch"],
    &[DECODE],
    &["tabular/csv-write"],
    &["tabular/parquet-write"],
    &["tabular/parquet-scan"],
    &["tabular-duckdb/parquet-scan"],
    &["tabular-duckdb/aggregate", "tabular/aggregate"],
    &["tabular-polars/parquet-scan"],
];

const DECODE: &str = "tabular/decode";

/// A cell for each stage that was measured. They agree in all arguments that several of them have.
type Chosen<'a> = [Option<&'a CellView>; STAGES.len()];

/// A scenario for each arm and number of rows that the plug-in `tabular` has cells of, and for all other arguments in which the cells of a
/// stage differ.
pub(super) fn print(view: &RunView) -> Result<String, String> {
    let cells = cells(view);
    let own = cells.iter().filter(|cell| is_own(&cell.scenario));
    let keys: BTreeSet<_> = own.filter_map(|cell| Some((integer(cell, "rows")?, cell.arm_label()))).collect();
    if keys.is_empty() {
        return Err("it has no stage of a table; `bench-host run tabular-quick` makes some".to_owned());
    }
    let scenarios = keys.into_iter().flat_map(|(rows, label)| {
        let choices = choices(&cells, rows, &label);
        let names = names(&choices, &format!("{label} rows={rows}"));
        choices.iter().zip(names).map(|(chosen, name)| scenario(chosen, name)).collect::<Vec<_>>()
    });
    Ok(print_json(&Document { schema_version: SCHEMA, scenarios: scenarios.collect() }))
}

/// Whether it is a scenario of the plug-in `tabular`.
fn is_own(scenario: &str) -> bool {
    scenario.starts_with("tabular/")
}

/// All choices of cells over so many rows, with those of `tabular` in the arm `label`.
fn choices<'a>(cells: &[&'a CellView], rows: i64, label: &str) -> Vec<Chosen<'a>> {
    let of = |scenario: &&str| {
        let arm = if is_own(scenario) { label } else { Arm::Native.as_str() };
        let is_it = |cell: &&CellView| {
            cell.scenario == *scenario && cell.arm_label() == arm && integer(cell, "rows") == Some(rows)
        };
        cells.iter().copied().filter(is_it).collect::<Vec<&'a CellView>>()
    };
    // Those of `tabular` first, because the choices depend on them.
    let mut order: Vec<usize> = (0..STAGES.len()).collect();
    order.sort_by_key(|stage| !STAGES[*stage].iter().all(|scenario| is_own(scenario)));
    let mut all: Vec<Chosen<'a>> = vec![[None; STAGES.len()]];
    for stage in order {
        let alternatives: Vec<Vec<&'a CellView>> = STAGES[stage].iter().map(of).collect();
        // What of `tabular` fits nothing that was chosen so far begins a choice of its own.
        let is_apart = |cell: &&CellView| is_own(&cell.scenario) && !all.iter().any(|chosen| fits(cell, chosen));
        let apart: Vec<_> = alternatives.iter().flatten().copied().filter(is_apart).collect();
        let apart = apart.into_iter().map(|cell| with(&[None; STAGES.len()], stage, cell));
        all = all.iter().flat_map(|chosen| extended(chosen, stage, &alternatives)).chain(apart).collect();
    }
    all
}

/// `chosen` with each of the cells for `stage` that fit; unchanged if none does.
fn extended<'a>(chosen: &Chosen<'a>, stage: usize, alternatives: &[Vec<&'a CellView>]) -> Vec<Chosen<'a>> {
    let fitting = |cells: &Vec<&'a CellView>| {
        let cells = cells.iter().copied().filter(|cell| fits(cell, chosen));
        cells.map(|cell| with(chosen, stage, cell)).collect::<Vec<_>>()
    };
    let found = alternatives.iter().map(fitting).find(|found| !found.is_empty());
    found.unwrap_or_else(|| vec![*chosen])
}

fn fits(cell: &CellView, chosen: &Chosen<'_>) -> bool {
    chosen.iter().flatten().all(|other| cell.agrees_with(other, &[]))
}

fn with<'a>(chosen: &Chosen<'a>, stage: usize, cell: &'a CellView) -> Chosen<'a> {
    let mut chosen = *chosen;
    chosen[stage] = Some(cell);
    chosen
}

/// The names of `choices`: `prefix`, and the arguments of which two choices have different values.
fn names(choices: &[Chosen<'_>], prefix: &str) -> Vec<String> {
    let arguments = |chosen: &Chosen<'_>| {
        let all = chosen.iter().flatten().flat_map(|cell| cell.arguments.iter());
        all.map(|(name, value)| (name.to_owned(), value.clone())).collect::<Arguments>()
    };
    let all: Vec<Arguments> = choices.iter().map(arguments).collect();
    let name = |own: &Arguments| {
        let differs = |(name, value): &(&str, &Value)| {
            all.iter().filter_map(|other| other.get(name)).any(|other| other != *value)
        };
        let telling = own.iter().filter(differs).map(|(name, value)| format!(" {name}={value}"));
        format!("{prefix}{}", telling.collect::<String>())
    };
    all.iter().map(name).collect()
}

fn scenario(chosen: &Chosen<'_>, scenario_name: String) -> ScenarioJson {
    let [fetch, decode, csv_write, parquet_write, parquet_scan, duckdb_scan, analytics, polars_scan] =
        chosen.map(stage);
    let decoded = chosen.iter().flatten().find(|cell| cell.scenario == DECODE);
    let invariants = decoded.and_then(|cell| invariants(cell));
    ScenarioJson {
        schema_version: SCHEMA,
        scenario_name,
        stages: Stages { fetch, decode, csv_write, parquet_write, parquet_scan, duckdb_scan, analytics, polars_scan },
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
