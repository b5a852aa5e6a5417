//! Tables of the raw samples of chains: reaction times, and memory over time by phase.

use super::naming::{self, Key, Name};
use super::{FAMILY, LATENCY, MEMORY, PHASE};
use crate::spec::metric;
use bench_report::{DerivedFile, print_csv};
use bench_sink::runfile::{CellRecord, Record, RunFile, SeriesRecord, Status};
use std::collections::BTreeMap;

/// The series and the status of one repetition.
pub(super) struct Repetition {
    pub(super) series: Vec<SeriesRecord>,
    pub(super) status: Option<Status>,
}

/// Repetitions by the number of their process.
pub(super) type Repetitions = BTreeMap<u32, Repetition>;

/// Cells with their repetitions.
type Cells = BTreeMap<u32, (CellRecord, Repetitions)>;

/// A folder for each sequence of chains that differ only in the number of operators (`mixed`, `rust-only-process`), with two tables:
/// - `latency.csv`: `operator_count,run_number,latency_ms`, a row for each token in the order of arrival;
/// - `memory.csv`: `operator_count,run_number,phase,timestamp,memory_bytes`, a row for each sample of the memory, by the seconds since
///   the start of the worker.
///
/// A cell with a failed repetition has no rows, and neither have series with too many samples to keep each of them.
pub(super) fn files(file: &RunFile) -> Vec<DerivedFile> {
    let cells = ok_cells(file);
    let keys: Vec<_> = cells.iter().map(|(record, _)| key(record)).collect();
    let mut folders: BTreeMap<Name, Vec<Rows<'_>>> = BTreeMap::new();
    for (name, (record, repetitions)) in naming::names(&keys).into_iter().zip(&cells) {
        let Some(count) = naming::count(&record.arguments) else { continue };
        let ok = repetitions.iter().filter(|(_, repetition)| repetition.status == Some(Status::Ok));
        let rows = ok.map(|(process, repetition)| Rows { count, number: process + 1, series: &repetition.series });
        folders.entry(name).or_default().extend(rows);
    }
    let tables = folders.into_iter().flat_map(|(name, mut all)| {
        all.sort_by_key(|rows| (rows.count, rows.number));
        let tables = [("latency", latency(&all)), ("memory", memory(&all))];
        tables.map(|(table, text)| DerivedFile::text(format!("{}/{table}.csv", name.folder()), text))
    });
    tables.collect()
}

/// The cells of the family without a failed repetition.
pub(super) fn ok_cells(file: &RunFile) -> Vec<(CellRecord, Repetitions)> {
    cells(file).into_values().filter(|(_, repetitions)| is_ok(repetitions)).collect()
}

/// The cells of the family in a run file. Later records of a repetition replace earlier ones.
fn cells(file: &RunFile) -> Cells {
    let mut cells = Cells::new();
    for record in &file.records {
        match record {
            Record::Cell(cell) if cell.family == FAMILY => {
                let (_, repetitions) = cells.entry(cell.cell).or_insert_with(|| (cell.clone(), BTreeMap::new()));
                repetitions.insert(cell.process, Repetition { series: Vec::new(), status: None });
            }
            Record::Series(series) => {
                if let Some(repetition) = find(&mut cells, series.cell, series.process) {
                    repetition.series.push(series.clone());
                }
            }
            Record::Outcome(outcome) => {
                if let Some(repetition) = find(&mut cells, outcome.cell, outcome.process) {
                    repetition.status = Some(outcome.status);
                }
            }
            _ => (),
        }
    }
    cells
}

fn find(cells: &mut Cells, cell: u32, process: u32) -> Option<&mut Repetition> {
    cells.get_mut(&cell)?.1.get_mut(&process)
}

fn is_ok(repetitions: &Repetitions) -> bool {
    repetitions.values().all(|repetition| repetition.status != Some(Status::Failed))
}

pub(super) fn key(record: &CellRecord) -> Key<'_> {
    Key {
        scenario: &record.scenario,
        arm: record.arm,
        variant: record.variant.as_deref(),
        arguments: &record.arguments,
        file: &record.module.file,
    }
}

/// The series of one repetition, of which rows are made.
struct Rows<'a> {
    count: i64,
    number: u32,
    series: &'a [SeriesRecord],
}

impl<'a> Rows<'a> {
    fn raw(&self, metric: &'a str) -> impl Iterator<Item = (&'a SeriesRecord, &'a [u64])> {
        let of_metric = self.series.iter().filter(move |series| series.metric == metric);
        of_metric.filter_map(|series| Some((series, series.raw.as_deref()?)))
    }

    /// The first two columns of every row.
    fn head(&self) -> (String, String) {
        (self.count.to_string(), self.number.to_string())
    }
}

fn latency(all: &[Rows<'_>]) -> String {
    let rows = all.iter().flat_map(|rows| {
        let samples = rows.raw(LATENCY).flat_map(|(_, samples)| samples);
        samples.map(|ns| {
            let (count, number) = rows.head();
            [count, number, (*ns as f64 / 1e6).to_string()]
        })
    });
    csv(&["operator_count", "run_number", "latency_ms"], rows.map(Vec::from).collect())
}

fn memory(all: &[Rows<'_>]) -> String {
    let mut lines = Vec::new();
    for rows in all {
        for sample in memory_samples(rows.series) {
            let (count, number) = rows.head();
            let seconds = (sample.at_ns as f64 / 1e9).to_string();
            lines.push(vec![count, number, sample.phase.to_owned(), seconds, sample.bytes.to_string()]);
        }
    }
    csv(&["operator_count", "run_number", "phase", "timestamp", "memory_bytes"], lines)
}

/// A sample of the memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemorySample<'a> {
    pub(super) phase: &'a str,
    /// Since the first operator was instantiated.
    pub(super) at_ns: u64,
    pub(super) bytes: u64,
}

/// The samples of the memory among `series` of one repetition, phase by phase.
pub(super) fn memory_samples(series: &[SeriesRecord]) -> Vec<MemorySample<'_>> {
    let raw = |metric: &'static str| {
        let of_metric = series.iter().filter(move |series| series.metric == metric);
        of_metric.filter_map(|series| Some((series, series.raw.as_deref()?)))
    };
    let mut samples = Vec::new();
    // Both series of a phase have one sample per measurement, in the same order.
    for (series, bytes) in raw(MEMORY) {
        let times = raw(metric::MEMORY_AT).find(|(times, _)| times.labels == series.labels);
        let phase = series.labels.iter().find(|(name, _)| name == PHASE).map_or("", |(_, phase)| phase.as_str());
        let times = times.map_or(&[][..], |(_, times)| times);
        samples.extend(times.iter().zip(bytes).map(|(at_ns, bytes)| MemorySample {
            phase,
            at_ns: *at_ns,
            bytes: *bytes,
        }));
    }
    samples
}

fn csv(columns: &[&str], rows: Vec<Vec<String>>) -> String {
    let columns: Vec<_> = columns.iter().map(|column| (*column).to_owned()).collect();
    print_csv(&columns, &rows) + "\n"
}
