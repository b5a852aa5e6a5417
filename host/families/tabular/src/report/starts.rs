//! What starting costs before any stage: how long a module takes to load in a fresh process, by arm, and how much it prints.

use bench_report::{Body, CellView, Column, Datum, RunView, Section, Table};
use std::collections::BTreeMap;

#[derive(Default)]
struct Starts {
    cells: Vec<u32>,
    loads_ns: Vec<f64>,
    printed_bytes: Option<u64>,
}

/// A row per module and arm; nothing for runs from before loading was timed.
pub(super) fn sections(view: &RunView, cells: &[&CellView]) -> impl Iterator<Item = Section> {
    let mut modules: BTreeMap<(String, String), Starts> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| !cell.loads_ns.is_empty()) {
        let module = cell.scenario.split('/').next().unwrap_or_default().to_owned();
        let starts = modules.entry((module, cell.arm_label())).or_default();
        starts.cells.push(cell.cell);
        starts.loads_ns.extend(&cell.loads_ns);
        starts.printed_bytes = starts.printed_bytes.into_iter().chain(cell.printed_bytes).reduce(|a, b| a + b);
    }
    let rows: Vec<_> = modules.iter().map(|((module, arm), starts)| row(module, arm, starts)).collect();
    let columns = vec![
        Column::words("module"),
        Column::words("arm"),
        Column::figures("n"),
        Column::figures("fastest").key("load_ns_min"),
        Column::figures("slowest").key("load_ns_max"),
        Column::figures("printed").key("printed_bytes"),
    ];
    let meaning = "from a worker's first step to its loaded module, engine included, compiled code from the cache where it is there; the slowest \
                   start of a component may be the one that compiled; printed: by all n processes";
    let apart = modules.iter().filter_map(|((module, arm), starts)| {
        let why = view.same_host(starts.cells.iter().copied()).err()?;
        Some(format!("starts of {module} {arm} were {why}"))
    });
    let remarks: Vec<String> = std::iter::once(meaning.to_owned()).chain(apart).collect();
    let is_empty = rows.is_empty();
    let body = Body::Table(Table::plain(columns, rows));
    let section = Section::new("tabular.starts", "starts and output of modules", body);
    (!is_empty).then(|| section.with_remarks(remarks)).into_iter()
}

fn row(module: &str, arm: &str, starts: &Starts) -> Vec<Datum> {
    let least = starts.loads_ns.iter().copied().fold(f64::INFINITY, f64::min);
    let most = starts.loads_ns.iter().copied().fold(0.0, f64::max);
    vec![
        Datum::text(module),
        Datum::text(arm),
        Datum::count(starts.loads_ns.len() as f64),
        Datum::nanoseconds(least),
        Datum::nanoseconds(most),
        Datum::or_absent(starts.printed_bytes.map(|bytes| Datum::bytes(bytes as f64))),
    ]
}
