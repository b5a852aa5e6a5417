//! Chains of operators as tables of raw samples: reaction times, and memory over time by phase. Knows the metrics that such
//! scenarios have in common, not how anything was run.

use crate::csv::print;
use bench_model::Value;
use bench_sink::runfile::{CellRecord, Record, RunFile, SeriesRecord};
use std::collections::BTreeMap;

/// The family, and the metrics that the tables are made of.
const FAMILY: &str = "operators";
const LATENCY: &str = "chain";
const MEMORY: &str = "memory_pss";
const MEMORY_AT: &str = "memory_at";

/// The tables of one module in one arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorTables {
    /// `operator-rust-wasm`; fit for the name of a folder.
    pub folder: String,
    /// `operator_count,run_number,latency_ms`: a row for each nonce, in the order in which they were seen.
    pub latency_csv: String,
    /// `operator_count,run_number,phase,timestamp,memory_bytes`: a row for each look at the memory, by the seconds since the
    /// worker began.
    pub memory_csv: String,
}

/// What one repetition has found.
struct Repetition {
    count: i64,
    number: u32,
    series: Vec<SeriesRecord>,
}

/// The tables of every module and arm of the run that has chains of operators. Samples that were too many to be kept one by one
/// have no rows.
pub fn operator_tables(file: &RunFile) -> Vec<OperatorTables> {
    let mut folders: BTreeMap<String, Vec<Repetition>> = BTreeMap::new();
    let mut blocks: BTreeMap<(u32, u32), (String, usize)> = BTreeMap::new();
    for record in &file.records {
        match record {
            Record::Cell(cell) if cell.family == FAMILY => {
                let Some(Value::Integer(count)) = cell.arguments.0.get("count") else { continue };
                let repetitions = folders.entry(folder(cell)).or_default();
                blocks.insert((cell.cell, cell.process), (folder(cell), repetitions.len()));
                repetitions.push(Repetition { count: *count, number: cell.process + 1, series: Vec::new() });
            }
            Record::Series(series) => {
                let block = blocks.get(&(series.cell, series.process));
                let repetition = block.and_then(|(folder, index)| folders.get_mut(folder)?.get_mut(*index));
                if let Some(repetition) = repetition {
                    repetition.series.push(series.clone());
                }
            }
            _ => (),
        }
    }
    let tables = folders.into_iter().map(|(folder, mut repetitions)| {
        repetitions.sort_by_key(|repetition| (repetition.count, repetition.number));
        OperatorTables { folder, latency_csv: latency(&repetitions), memory_csv: memory(&repetitions) }
    });
    tables.collect()
}

/// The module and the arm, of characters that every file system takes.
fn folder(cell: &CellRecord) -> String {
    let module = cell.scenario.split('/').next().unwrap_or_default();
    let variant = cell.variant.as_deref().map_or_else(String::new, |variant| format!("-{variant}"));
    let name = format!("{module}-{}{variant}", cell.arm);
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
}

impl Repetition {
    fn raw<'a>(&'a self, metric: &'a str) -> impl Iterator<Item = (&'a SeriesRecord, &'a [u64])> {
        let of_metric = self.series.iter().filter(move |series| series.metric == metric);
        of_metric.filter_map(|series| Some((series, series.raw.as_deref()?)))
    }

    /// What every row begins with.
    fn head(&self) -> (String, String) {
        (self.count.to_string(), self.number.to_string())
    }
}

fn latency(repetitions: &[Repetition]) -> String {
    let rows = repetitions.iter().flat_map(|repetition| {
        let samples = repetition.raw(LATENCY).flat_map(|(_, samples)| samples);
        samples.map(|ns| {
            let (count, number) = repetition.head();
            [count, number, (*ns as f64 / 1e6).to_string()]
        })
    });
    print(&["operator_count", "run_number", "latency_ms"], rows)
}

fn memory(repetitions: &[Repetition]) -> String {
    let mut rows = Vec::new();
    for repetition in repetitions {
        // Both series of a phase have a sample for each look, in the same order.
        for (series, bytes) in repetition.raw(MEMORY) {
            let times = repetition.raw(MEMORY_AT).find(|(times, _)| times.labels == series.labels);
            let phase = series.labels.first().map_or("", |(_, phase)| phase.as_str());
            for (ns, bytes) in times.map_or(&[][..], |(_, times)| times).iter().zip(bytes) {
                let (count, number) = repetition.head();
                rows.push([count, number, phase.to_owned(), (*ns as f64 / 1e9).to_string(), bytes.to_string()]);
            }
        }
    }
    print(&["operator_count", "run_number", "phase", "timestamp", "memory_bytes"], rows.into_iter())
}
