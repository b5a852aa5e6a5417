//! Two sides of a comparison, several runs each: from their records to comparisons of the same cell on both.

use super::compared::{Draft, Measured, judge};
use super::compared_cell::{ComparedCell, Measurement, draft, single_process};
use super::samples::Samples;
use super::{ComparisonReport, Label, OneSided, Options, Runs, Side, counts, machine};
use crate::cell::Identity;
use crate::parallel::in_parallel;
use crate::spread::widest_spread;
use crate::{CellView, ReportError, RunView};
use bench_sink::runfile::{RunFile, Status};
use bench_stats::{Band, Distribution, Summary, unpaired_ratios};
use std::cmp::Ordering;

pub(super) fn compare(
    a: Vec<RunFile>,
    b: Vec<RunFile>,
    options: &Options,
    across_machines: bool,
) -> Result<ComparisonReport, ReportError> {
    let (a_runs, a) = read(Side::A, a)?;
    let (b_runs, b) = read(Side::B, b)?;
    let (mut pairs, mut one_sided) = (Vec::new(), Vec::new());
    for entry in &a {
        match entry.counterpart(&b) {
            Some(other) => {
                let apart = machine::apart(entry.measured(&a_runs).chain(other.measured(&b_runs)));
                pairs.push(Pair { a: entry, b: other, apart });
            }
            None => one_sided.push(alone(&entry.subject, Side::B, &b_runs)),
        }
    }
    let difference = machine::difference(a_runs.iter().chain(&b_runs));
    let across_machines = if across_machines {
        let hosts = accept(&mut pairs);
        difference.map(|difference| difference.what).or(hosts)
    } else if let Some(machine::Difference { a, b, what }) = difference.or_else(|| nothing_shared(&pairs)) {
        return Err(ReportError::OtherMachine { a, b, difference: what });
    } else {
        None
    };
    let only_in_b = b.iter().filter(|entry| entry.counterpart(&a).is_none());
    one_sided.extend(only_in_b.map(|entry| alone(&entry.subject, Side::A, &a_runs)));
    let drafts = in_parallel(&pairs, |pair| compared(pair, options.seed));
    let mut subjects: Vec<&ComparedCell> = a.iter().chain(&b).map(|entry| &entry.subject).collect();
    subjects.sort_by(|a, b| order(a, b));
    Ok(ComparisonReport {
        comparisons: judge(drafts, options.delta),
        ledgers: subjects.iter().filter_map(|subject| subject.ledger()).collect(),
        accounts: subjects.iter().filter_map(|subject| subject.account()).collect(),
        one_sided,
        ladders: Vec::new(),
        options: *options,
        across_machines,
        runs: Runs::Sides { a: a_runs, b: b_runs },
    })
}

/// A cell of both sides.
struct Pair<'a> {
    a: &'a Entry,
    b: &'a Entry,
    /// Two machines that measured it, where it was not one, so that it has no ratio.
    apart: Option<(String, String)>,
}

/// That no cell was measured by one machine on both sides, if that is so.
fn nothing_shared(pairs: &[Pair<'_>]) -> Option<machine::Difference> {
    let (a, b) = pairs.first()?.apart.clone()?;
    let what = "no cell was measured by one machine on both sides".to_owned();
    pairs.iter().all(|pair| pair.apart.is_some()).then_some(machine::Difference { a, b, what })
}

/// Lets cells have a ratio although several machines measured them. Returns the first two such machines, if there are any.
fn accept(pairs: &mut [Pair<'_>]) -> Option<String> {
    let apart: Vec<_> = pairs.iter_mut().filter_map(|pair| pair.apart.take()).collect();
    apart.first().map(|(a, b)| format!("{a} and {b}"))
}

/// A cell of one side, with the samples of each of its processes.
struct Entry {
    subject: ComparedCell,
    processes: Vec<Vec<f64>>,
    /// Where it was measured: the runs by their index, and its number in each.
    cells: Vec<(usize, u32)>,
    /// Of the last run that had it.
    run: usize,
    /// Whether a run had it from two modules, so that its samples are of two programs.
    is_double: bool,
}

impl Entry {
    /// The same cell among `others`, which are in the order of reports.
    fn counterpart<'a>(&self, others: &'a [Self]) -> Option<&'a Self> {
        let index = others.binary_search_by(|other| by_identity(other.subject.identity(), self.subject.identity()));
        index.ok().map(|index| &others[index])
    }

    /// The runs of its side that have it, and its number in each.
    fn measured<'a>(&'a self, runs: &'a [RunView]) -> impl Iterator<Item = (&'a RunView, u32)> {
        self.cells.iter().filter_map(move |(run, cell)| Some((runs.get(*run)?, *cell)))
    }

    fn samples(&self) -> Distribution {
        Distribution::of_samples(self.processes.iter().flatten().copied())
    }
}

/// The runs of one side, and its cells in the order of reports.
fn read(side: Side, files: Vec<RunFile>) -> Result<(Vec<RunView>, Vec<Entry>), ReportError> {
    let (mut views, mut entries) = (Vec::new(), Vec::new());
    for (run, file) in files.into_iter().enumerate() {
        let mut samples = Samples::in_any_order(&file)?;
        let view = RunView::of(file)?;
        for cell in &view.cells {
            let entry = enter(&mut entries, side, run, cell);
            let counted = cell.ended_well.iter().filter(|_| cell.status == Status::Ok);
            entry.processes.extend(counted.filter_map(|process| samples.take(cell.cell, *process)));
        }
        views.push(view);
    }
    if views.is_empty() {
        return Err(ReportError::NoSide { side });
    }
    Ok((views, entries))
}

/// The entry of `cell`, which is of the run `run`; `entries` are and stay in the order of reports.
fn enter<'a>(entries: &'a mut Vec<Entry>, side: Side, run: usize, cell: &CellView) -> &'a mut Entry {
    match entries.binary_search_by(|entry| by_identity(entry.subject.identity(), cell.identity())) {
        Ok(index) => {
            let entry = &mut entries[index];
            entry.is_double |= entry.run == run;
            entry.run = run;
            entry.cells.push((run, cell.cell));
            entry.subject.add(cell);
            entry
        }
        Err(index) => {
            let label = Label { arm: cell.arm, variant: cell.variant.clone(), file: None, side: Some(side) };
            let subject = ComparedCell::of(cell, label);
            let cells = vec![(run, cell.cell)];
            entries.insert(index, Entry { subject, processes: Vec::new(), cells, run, is_double: false });
            &mut entries[index]
        }
    }
}

fn order(a: &ComparedCell, b: &ComparedCell) -> Ordering {
    by_identity(a.identity(), b.identity()).then_with(|| a.label.side.cmp(&b.label.side))
}

fn by_identity(a: Identity<'_>, b: Identity<'_>) -> Ordering {
    // Values are never NaN, so arguments always compare.
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

fn compared(pair: &Pair<'_>, seed: u64) -> Draft {
    let Pair { a, b, apart } = pair;
    let mut drafted = draft(&a.subject, &b.subject, || match apart {
        None => measure(a, b, seed),
        Some((a, b)) => Err((Status::Skipped, why_apart(a, b))),
    });
    let accounts = [a, b].map(|entry| entry.subject.account());
    if let [Some(a), Some(b)] = accounts {
        drafted.moved = counts::moved(&a.account, &b.account);
    }
    drafted
}

/// Why a cell of two machines has no ratio, and what to do.
fn why_apart(a: &str, b: &str) -> String {
    format!("measured on different machines ({a}, {b}); `compare RUN RUN --across-machines` compares them all the same")
}

fn measure(a: &Entry, b: &Entry, seed: u64) -> Result<Measurement, (Status, String)> {
    for entry in [a, b] {
        doubtful(entry)?;
    }
    if let ([of_a], [of_b]) = (a.subject.checksums.as_slice(), b.subject.checksums.as_slice())
        && of_a != of_b
    {
        let reason = format!("checksum {of_a} of A differs from {of_b} of B: equal arguments must yield equal results");
        return Err((Status::Failed, reason));
    }
    let processes = a.processes.len().min(b.processes.len());
    let ratios = unpaired_ratios(&a.processes, &b.processes, seed);
    if ratios.is_none() && processes != 1 {
        return Err((Status::Void, "a side has too few samples with a time above 0; measure for longer".to_owned()));
    }
    let spread = widest_spread(&a.processes, &b.processes);
    let samples = [a, b].map(Entry::samples);
    Ok(Measurement {
        reason: ratios.is_none().then(single_process),
        pairs: ratios.map_or(samples[0].count().min(samples[1].count()), |ratios| ratios.pairs),
        processes: ratios.map_or(1, |ratios| ratios.processes),
        summaries: samples.map(|samples| Summary::of(&samples)),
        measured: ratios.map(|ratios| Measured { ratios, aa: Vec::new(), band: spread.map(Band::from_log) }),
    })
}

/// Fails where it cannot be said what the samples of one side are of.
fn doubtful(entry: &Entry) -> Result<(), (Status, String)> {
    let subject = &entry.subject;
    let label = &subject.label;
    if entry.is_double {
        let files: Vec<&str> = subject.modules.iter().map(|module| module.file.as_str()).collect();
        let reason = format!("{label} is of two modules in one run ({}); compare runs of one each", files.join(", "));
        return Err((Status::Skipped, reason));
    }
    match subject.checksums.as_slice() {
        [first, second, ..] => {
            let reason = format!(
                "{label} had checksum {first} in one run and {second} in another: equal arguments must yield equal results"
            );
            Err((Status::Failed, reason))
        }
        _ => Ok(()),
    }
}

/// A cell that is not on the side `missing`.
fn alone(subject: &ComparedCell, missing: Side, runs: &[RunView]) -> OneSided {
    let cut = runs
        .iter()
        .find_map(RunView::missing)
        .map(|cut| format!("{} of {} cells of {missing} were not run: {}", cut.cells, cut.planned, cut.reason));
    OneSided {
        scenario: subject.scenario.clone(),
        arguments: subject.arguments.clone(),
        label: subject.label.clone(),
        reason: cut
            .unwrap_or_else(|| format!("{missing} has no such cell; run the same scenarios, arms and arguments")),
    }
}
