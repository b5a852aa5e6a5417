//! Each cell over the runs that have it. Only identical cells of one machine form a history.

use super::entry::Statistic;
use super::sparkline::sparkline;
use super::trend::signed_percent;
use super::{CellEntry, RunEntry};
use crate::arguments::Varying;
use crate::document::{Body, Column, Datum, Group, Measure, Rank, Section, Table};
use bench_model::{Arguments, Arm, Unit};
use bench_stats::{Distribution, drift};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Identical cells of runs on one machine, oldest first.
#[derive(Clone, Debug)]
pub struct CellHistory<'a> {
    /// The runs that have the cell, and the cell in each.
    pub entries: Vec<(&'a RunEntry, &'a CellEntry)>,
    machine: String,
    cell: &'a CellEntry,
    statistic: Statistic,
}

/// Machine, scenario, arm, variant and arguments: cells of one history have the same.
type Key<'a> = (String, &'a str, Arm, Option<&'a str>, String);

/// A cell as programs read it.
#[derive(Serialize)]
pub(super) struct CellFields<'a> {
    scenario: &'a str,
    family: &'a str,
    arm: String,
    arguments: &'a Arguments,
    conditions: &'a [(String, String)],
    machine: &'a str,
    unit: Option<&'a Unit>,
    /// Which figure of the runs `change` is of.
    statistic: Statistic,
    /// The newest figure over the median of the earlier ones, minus 1.
    change: Option<f64>,
    runs: Vec<PointFields<'a>>,
}

/// The figure of one run.
#[derive(Serialize)]
struct PointFields<'a> {
    run: &'a str,
    p50: Option<f64>,
    mean: Option<f64>,
    samples: u64,
    processes: u32,
    instructions: Option<f64>,
}

impl<'a> CellHistory<'a> {
    /// The histories of all cells of `runs`, which are sorted by time; in the order of reports.
    pub fn of(runs: &'a [RunEntry]) -> Vec<Self> {
        let mut histories: Vec<Self> = Vec::new();
        // Where in them a cell may be found, so that no cell of a run is compared with all histories.
        let mut places: HashMap<Key<'a>, Vec<usize>> = HashMap::new();
        for run in runs {
            let of_run = run.machine();
            for cell in &run.cells {
                let machine = cell.machine.map_or_else(|| of_run.clone(), |_| run.machine_of(cell));
                let key: Key<'a> =
                    (machine, &cell.scenario, cell.arm, cell.variant.as_deref(), cell.arguments.to_string());
                let machine = key.0.clone();
                let alike = places.entry(key).or_default();
                // One without a figure goes to the history that is the latest.
                let known = alike.iter().rev().copied().find(|at| histories[*at].cell.is_same(cell));
                match known {
                    Some(at) => histories[at].push(run, cell),
                    None => {
                        alike.push(histories.len());
                        histories.push(Self::begin(run, cell, machine));
                    }
                }
            }
        }
        histories.sort_by(|a, b| a.order(b));
        histories
    }

    fn begin(run: &'a RunEntry, cell: &'a CellEntry, machine: String) -> Self {
        let mut history = Self { entries: Vec::new(), machine, cell, statistic: Statistic::Median };
        history.push(run, cell);
        history
    }

    fn push(&mut self, run: &'a RunEntry, cell: &'a CellEntry) {
        self.entries.push((run, cell));
        if self.cell.unit.is_none() && cell.unit.is_some() {
            self.cell = cell;
        }
        // A run that has a median has a mean too, so that no figure is lost.
        if cell.p50.is_none() && cell.mean.is_some() {
            self.statistic = Statistic::Mean;
        }
    }

    /// The cell, as the oldest run has it in which it has a figure.
    pub fn cell(&self) -> &'a CellEntry {
        self.cell
    }

    /// The machine that measured it: its six digits, and in a run with parts what tells it from others like it.
    pub(super) fn machine(&self) -> &str {
        &self.machine
    }

    /// What all figures are.
    pub(super) fn statistic(&self) -> Statistic {
        self.statistic
    }

    /// Whether the figures are means.
    pub(super) fn is_of_means(&self) -> bool {
        self.statistic == Statistic::Mean
    }

    /// The figures, oldest first; those of cells that are not ok are absent. All of them are means if one run has too few samples for a
    /// median, else medians.
    pub fn figures(&self) -> impl Iterator<Item = Option<f64>> {
        self.entries.iter().map(|(_, cell)| cell.figure(self.statistic))
    }

    fn order(&self, other: &Self) -> Ordering {
        let key = |one: &Self| {
            let cell = one.cell();
            (cell.scenario.clone(), cell.arguments.clone(), cell.arm, cell.variant.clone(), one.machine.clone())
        };
        // Values are never NaN, so arguments always compare.
        key(self).partial_cmp(&key(other)).unwrap_or(Ordering::Equal)
    }

    /// The figure of the newest run, and the median of the earlier ones. If the newest run has none, no older one stands in for it.
    fn newest_and_earlier(&self) -> (Option<f64>, Option<f64>) {
        let figures: Vec<Option<f64>> = self.figures().collect();
        let Some((newest, earlier)) = figures.split_last() else { return (None, None) };
        (*newest, Distribution::of_samples(earlier.iter().flatten().copied()).quantile(0.5))
    }

    /// The newest figure over the median of the earlier ones, minus 1.
    pub(super) fn change(&self) -> Option<f64> {
        let (newest, earlier) = self.newest_and_earlier();
        drift(earlier?, newest?)
    }

    pub(super) fn fields(&self) -> CellFields<'_> {
        let cell = self.cell();
        let point = |(run, cell): &(&'a RunEntry, &'a CellEntry)| PointFields {
            run: &run.id,
            p50: cell.p50,
            mean: cell.mean,
            samples: cell.samples,
            processes: cell.processes,
            instructions: cell.instructions,
        };
        CellFields {
            scenario: &cell.scenario,
            family: &cell.family,
            arm: cell.arm_label(),
            arguments: &cell.arguments,
            conditions: &cell.conditions,
            machine: &self.machine,
            unit: cell.unit.as_ref(),
            statistic: self.statistic,
            change: self.change(),
            runs: self.entries.iter().map(point).collect(),
        }
    }
}

/// A table for each sequence of scenarios whose cells differ in the same arguments.
pub(super) fn sections(histories: &[CellHistory<'_>]) -> Vec<Section> {
    let has_several_machines = histories.windows(2).any(|pair| pair[0].machine != pair[1].machine);
    let mut tables: Vec<Table> = Vec::new();
    for cells in histories.chunk_by(|one, other| one.cell().scenario == other.cell().scenario) {
        let arguments: Vec<_> = cells.iter().map(|history| &history.cell().arguments).collect();
        let varying = Varying::of(&arguments);
        let rows = cells.iter().map(|history| row(history, &varying, has_several_machines));
        let group =
            Group { name: cells[0].cell().scenario.clone(), remark: varying.shared.clone(), rows: rows.collect() };
        let columns = columns(&varying);
        match tables.last_mut() {
            Some(table) if table.columns == columns => table.groups.push(group),
            _ => tables.push(Table { grouped_by: "scenario".to_owned(), columns, groups: vec![group] }),
        }
    }
    tables.into_iter().map(|table| Section::new("history", "", Body::Table(table)).in_data()).collect()
}

fn columns(varying: &Varying) -> Vec<Column> {
    let figures = [
        Column::words("machine").rank(Rank::Filled),
        Column::words("conditions").rank(Rank::Filled),
        Column::figures("runs"),
        Column::figures("n").rank(Rank::Extra(2)),
        Column::figures("newest"),
        Column::figures("earlier").rank(Rank::Filled),
        Column::figures("change").rank(Rank::Filled),
        Column::figures("range").rank(Rank::Extra(1)),
        Column::words("over time").key("sparkline"),
    ];
    std::iter::once(Column::words("arm")).chain(varying.columns().iter().cloned()).chain(figures).collect()
}

fn row(history: &CellHistory<'_>, varying: &Varying, has_several_machines: bool) -> Vec<Datum> {
    let cell = history.cell();
    let (newest, earlier) = history.newest_and_earlier();
    let unit = cell.unit.clone().unwrap_or(Unit::Count);
    let amount = |value: f64| {
        let amount = Datum::amount(value, &unit);
        if history.is_of_means() { amount.marked("mean") } else { amount }
    };
    let known = || history.figures().flatten();
    let range = known().reduce(f64::min).zip(known().reduce(f64::max));
    let measure = Measure::Unit(unit.clone());
    let samples: u64 = history.entries.iter().map(|(_, cell)| cell.samples).sum();
    let conditions: Vec<_> = cell.conditions.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let figures = [
        if has_several_machines { Datum::text(&history.machine) } else { Datum::Blank },
        Datum::text(conditions.join(" ")),
        Datum::number(known().count() as f64, Measure::Plain),
        Datum::count(samples as f64),
        Datum::or_absent(newest.map(amount)),
        earlier.map_or(Datum::Blank, amount),
        history.change().map_or(Datum::Blank, signed),
        range.map_or(Datum::Blank, |(low, high)| Datum::Range { low, high, measure }),
        Datum::text(sparkline(history.figures())),
    ];
    std::iter::once(Datum::Text(cell.arm_label())).chain(varying.values(&cell.arguments)).chain(figures).collect()
}

/// A change with its sign.
fn signed(change: f64) -> Datum {
    Datum::text(signed_percent(1.0 + change))
}
