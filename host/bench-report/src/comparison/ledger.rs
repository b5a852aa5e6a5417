//! Where the time of an operation went, over all processes.

use super::Label;
use bench_model::Arguments;
use bench_sink::runfile::{LedgerRecord, TermRecord};
use bench_stats::{LEVEL, mean_interval};

/// The name of the term that holds what the others lack of the total.
const RESIDUAL: &str = "residual";

/// The ledger of one cell: the parts of an operation, which add up to its total.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerView {
    /// `module/scenario`.
    pub scenario: String,
    /// With what it was executed.
    pub arguments: Arguments,
    /// Whose ledger it is.
    pub label: Label,
    /// An operation from end to end, unobserved.
    pub total: Mean,
    /// The parts of an operation; the residual is the last.
    pub terms: Vec<LedgerTerm>,
    /// What an instance costs once.
    pub once: Vec<LedgerTerm>,
    /// What the boundary costs, measured on components that do nothing else.
    pub boundary: Vec<LedgerTerm>,
    /// An operation from end to end while it was observed.
    pub observed: Mean,
    /// What observing one event costs.
    pub event: Mean,
    /// Events of an operation.
    pub events: f64,
    /// Operations of one call, where that is the same in every process.
    pub batch: Option<u64>,
    /// Operations that were observed.
    pub operations: u64,
    /// In how many processes.
    pub processes: u32,
}

/// A part of the time, or a time of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerTerm {
    /// Its name.
    pub name: String,
    /// How long.
    pub ns: Mean,
    /// Its share of an operation's total, where it is a part of that.
    pub share: Option<f64>,
}

/// The mean over the processes, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// The 95 % interval of the mean; none of a single process.
    pub bounds: Option<(f64, f64)>,
}

impl LedgerView {
    /// The ledger of all of `records`, which are of one cell, a process each; none of none.
    pub(crate) fn of(scenario: &str, arguments: &Arguments, label: Label, records: &[LedgerRecord]) -> Option<Self> {
        let first = records.first()?;
        let mean = |of: fn(&LedgerRecord) -> f64| Mean::of(&records.iter().map(of).collect::<Vec<_>>());
        let total = mean(|record| record.total_ns);
        Some(Self {
            scenario: scenario.to_owned(),
            arguments: arguments.clone(),
            label,
            total,
            terms: parts(records, total.mean),
            once: times(records, |record| &record.once),
            boundary: times(records, |record| &record.boundary),
            observed: mean(|record| record.observed_ns),
            event: mean(|record| record.event_ns),
            events: mean(|record| record.events).mean,
            batch: records.iter().all(|record| record.batch == first.batch).then_some(first.batch),
            operations: records.iter().map(|record| record.operations).sum(),
            processes: records.len() as u32,
        })
    }

    /// The share of the total that no part accounts for.
    pub fn residual_share(&self) -> Option<f64> {
        self.terms.iter().find(|term| term.name == RESIDUAL)?.share
    }

    /// How many times longer an operation takes while it is observed.
    pub fn stretch(&self) -> Option<f64> {
        (self.total.mean > 0.0).then(|| self.observed.mean / self.total.mean)
    }
}

impl Mean {
    fn of(values: &[f64]) -> Self {
        let bounds = mean_interval(values, LEVEL).map(|interval| (interval.low, interval.high));
        Self { mean: values.iter().sum::<f64>() / values.len() as f64, bounds }
    }

    /// Half of the width of the interval.
    pub fn half_width(&self) -> Option<f64> {
        self.bounds.map(|(low, high)| (high - low) / 2.0)
    }
}

/// The parts of an operation. A process whose ledger lacks a part spent nothing on it, for its parts add up without; only
/// so do the means add up to the mean total.
fn parts(records: &[LedgerRecord], total: f64) -> Vec<LedgerTerm> {
    let mut names = names(records, |record| &record.terms);
    names.sort_by_key(|name| *name == RESIDUAL);
    let term = |name: &str| {
        let of = |record: &LedgerRecord| time(&record.terms, name).unwrap_or(0.0);
        let ns = Mean::of(&records.iter().map(of).collect::<Vec<_>>());
        LedgerTerm { name: name.to_owned(), ns, share: (total > 0.0).then(|| ns.mean / total) }
    };
    names.into_iter().map(term).collect()
}

/// Times that are not parts of another time: each is the mean over the processes that measured it.
fn times(records: &[LedgerRecord], of: fn(&LedgerRecord) -> &Vec<TermRecord>) -> Vec<LedgerTerm> {
    let term = |name: &str| {
        let found: Vec<f64> = records.iter().filter_map(|record| time(of(record), name)).collect();
        LedgerTerm { name: name.to_owned(), ns: Mean::of(&found), share: None }
    };
    names(records, of).into_iter().map(term).collect()
}

/// Every name once, in the order in which they first appear.
fn names(records: &[LedgerRecord], of: fn(&LedgerRecord) -> &Vec<TermRecord>) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for term in records.iter().flat_map(of) {
        if !names.contains(&term.name.as_str()) {
            names.push(&term.name);
        }
    }
    names
}

fn time(terms: &[TermRecord], name: &str) -> Option<f64> {
    terms.iter().filter(|term| term.name == name).map(|term| term.ns).reduce(|a, b| a + b)
}
