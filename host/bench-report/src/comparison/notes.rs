//! The notes below a comparison: one line for each problem, and then what was compared and how. Layout is left to the renderers.

use super::{Comparison, ComparisonReport, Figures, OneSided, Runs, Side};
use crate::calibration::{self, DRIFT_SHARE_MIN, Drift};
use crate::text::number;
use crate::{RunView, environment, notes, scale};
use bench_model::MachineLimit;
use bench_sink::runfile::{CalibrationRecord, Named};
use bench_stats::{LEVEL, PROCESSES_MIN, Verdict};
use std::collections::BTreeMap;

/// One line for each problem, and for each fact that the ratio does not show; none if there are neither. Not escaped.
pub(super) fn comparison_notes(comparison: &ComparisonReport, all_cells: bool) -> Vec<String> {
    let machines = comparison.across_machines.as_ref().map(|difference| {
        format!("A and B were measured on different machines ({difference}): a ratio is one of machines too, not of code alone")
    });
    let own = together(comparison.comparisons.iter().filter_map(|compared| Some((compared, compared.own_reason()?))));
    let counts = comparison.comparisons.iter().filter_map(|compared| Some(about(compared, compared.note.as_deref()?)));
    let one_sided = one_sided(comparison, all_cells);
    let limits = match &comparison.runs {
        Runs::Paired(run) => run.drifts().iter().map(notes::drift_note).collect(),
        Runs::Sides { a, b } => side_limits(a, b, comparison.across_machines.is_some()),
    };
    machines
        .into_iter()
        .chain(troubles(&comparison.runs, all_cells))
        .chain(own)
        .chain(one_sided)
        .chain(counts)
        .chain(withheld(comparison))
        .chain(limits)
        .collect()
}

/// What was measured where, and what the figures mean; a line each.
pub(super) fn footer(comparison: &ComparisonReport) -> Vec<String> {
    let mut lines = match &comparison.runs {
        Runs::Paired(run) => vec![notes::machine(run), notes::effort(run, " for all arms, interleaved")],
        Runs::Sides { a, b } => vec![side(Side::A, a), side(Side::B, b)],
    };
    let (ratio, floor) = match comparison.runs {
        // That processes are brought to one level first is why it may differ from the ratio of the medians shown.
        Runs::Paired(_) => {
            ("candidate / baseline, of median times with processes brought to one level", "an arm against itself")
        }
        Runs::Sides { .. } => ("B / A, of median times", "a process against its side"),
    };
    let (level, seed) = (trimmed(LEVEL * 100.0), comparison.options.seed);
    lines.push(format!("ratio = {ratio}"));
    let looks = looks(&comparison.runs);
    let holds = if looks > 0 { " at every look and in all rows together" } else { "" };
    lines.push(format!("interval {level} %{holds}, bootstrap over whole processes, seed {seed}; A/A = {floor}"));
    let has_verdict = |compared: &&Comparison| compared.verdict().is_some_and(|verdict| verdict != Verdict::Withheld);
    let judged = comparison.comparisons.iter().filter(has_verdict).count();
    let delta = trimmed(comparison.options.delta * 100.0);
    let judged_count = number(judged, "comparison");
    let adjusted = match looks {
        0 => format!("verdicts are Holm-adjusted over {judged_count}"),
        _ => format!("verdicts share an error of 5 % over {judged_count} and {}", number(looks, "look")),
    };
    let verdicts = format!("{adjusted}; equivalent = within ±{delta} %; ");
    let verdicts = if judged == 0 { String::new() } else { verdicts };
    lines.push(format!("{verdicts}–: not measured, or too few samples"));
    lines
}

/// The number of looks at a run that was measured until it was decided.
fn looks(runs: &Runs) -> usize {
    match runs {
        Runs::Paired(run) => run.looks.len(),
        Runs::Sides { .. } => 0,
    }
}

/// A number that a user chose: `2`, `2.5`.
pub(super) fn trimmed(value: f64) -> String {
    ((value * 1e6).round() / 1e6).to_string()
}

/// Which cells are compared with nothing, one line a reason, or a cell where `all_cells`.
fn one_sided(comparison: &ComparisonReport, all_cells: bool) -> Vec<String> {
    let about = |alone: &OneSided| {
        format!("{} {} {}: compared with nothing: {}", alone.scenario, alone.arguments, alone.label, alone.reason)
    };
    if all_cells {
        return comparison.one_sided.iter().map(about).collect();
    }
    let groups = notes::alike(comparison.one_sided.iter().map(|alone| (&alone.reason, alone)));
    let line = |(reason, cells): &(&String, Vec<&OneSided>)| match cells.as_slice() {
        [only] => about(only),
        several => format!("{}: compared with nothing: {reason} (-v lists them)", number(several.len(), "cell")),
    };
    groups.iter().map(line).collect()
}

/// A note that several comparisons share appears once.
fn together<'a>(reasons: impl Iterator<Item = (&'a Comparison, &'a str)>) -> Vec<String> {
    let said = notes::alike(reasons.map(|(compared, reason)| (reason, compared)));
    let line = |(reason, comparisons): (&str, Vec<&Comparison>)| match comparisons.as_slice() {
        [only] => about(only, reason),
        several => format!("{}: {}", number(several.len(), "comparison"), reason),
    };
    said.into_iter().map(line).collect()
}

fn about(compared: &Comparison, text: &str) -> String {
    let name = match compared.arguments.is_empty() {
        true => format!("{} {}", compared.scenario, compared.title()),
        false => format!("{} {} {}", compared.scenario, compared.arguments, compared.title()),
    };
    format!("{name}: {text}")
}

/// Problems of the runs themselves. A note that several runs of a side share appears once, and so does what disturbed their repetitions.
fn troubles(runs: &Runs, all_cells: bool) -> Vec<String> {
    let (a, b) = match runs {
        Runs::Paired(run) => return notes::troubles(run, all_cells),
        Runs::Sides { a, b } => (a, b),
    };
    let of = |side: Side, runs: &[RunView]| {
        let mut said: BTreeMap<String, usize> = BTreeMap::new();
        let own = runs.iter().flat_map(|run| notes::own_troubles(run, all_cells));
        own.for_each(|note| *said.entry(note).or_default() += 1);
        let line = |(note, count): (String, usize)| match runs.len() {
            all if all == count => format!("{side}: {note}"),
            all => format!("{side}, {count} of {all} runs: {note}"),
        };
        let disturbances = environment::disturbances(runs, all_cells).into_iter().map(|line| format!("{side}: {line}"));
        said.into_iter().map(line).chain(disturbances).collect::<Vec<_>>()
    };
    of(Side::A, a).into_iter().chain(of(Side::B, b)).collect()
}

/// Why verdicts are withheld and what to do, once for all that are so for the same reason.
fn withheld(comparison: &ComparisonReport) -> Vec<String> {
    let figures = comparison.comparisons.iter().filter_map(|compared| compared.figures.as_ref());
    let withheld = figures.filter(|figures| figures.verdict == Verdict::Withheld);
    let reasons = notes::alike(withheld.map(|figures| (why_withheld(figures, &comparison.runs), figures)));
    let line = |(reason, figures): &(String, Vec<_>)| {
        format!("{}: verdict withheld: {reason}", number(figures.len(), "comparison"))
    };
    reasons.iter().map(line).collect()
}

fn why_withheld(figures: &Figures, runs: &Runs) -> String {
    match (figures.ratios.processes < PROCESSES_MIN, figures.band, runs) {
        (true, _, Runs::Paired(_)) => format!(
            "{} cannot tell a difference from chance; measure with `--processes {PROCESSES_MIN}` or more",
            number(figures.ratios.processes as usize, "process"),
        ),
        (true, _, Runs::Sides { .. }) => format!(
            "fewer than {PROCESSES_MIN} processes a side cannot tell a difference from chance; name more runs of each side, \
             or measure with `--processes {PROCESSES_MIN}` or more"
        ),
        (false, None, _) => {
            "nothing was measured against itself, so the noise is not known; measure for longer (`--time`)".to_owned()
        }
        (false, Some(_), _) => "the samples have no spread; measure for longer (`--time`)".to_owned(),
    }
}

/// What the limits of the machine say of two sides: where they moved during the runs of one, and from one to the other.
fn side_limits(a: &[RunView], b: &[RunView], is_other_machine: bool) -> Vec<String> {
    let during = [(Side::A, a), (Side::B, b)].into_iter().flat_map(|(side, runs)| drifts(side, runs));
    let between = shifts(a, b).into_iter().filter(|_| !is_other_machine).map(|shift| {
        format!(
            "{} was {} in A and {} in B ({:+.0} %): the machine was not the same; compare figures with care",
            shift.limit,
            scale::figure(shift.before, &shift.unit),
            scale::figure(shift.after, &shift.unit),
            shift.share * 100.0,
        )
    });
    during.chain(between).collect()
}

fn drifts(side: Side, runs: &[RunView]) -> Vec<String> {
    if let [run] = runs {
        return run.drifts().iter().map(|drift| format!("{side}: {}", notes::drift_note(drift))).collect();
    }
    let mut worst: BTreeMap<String, (f64, usize)> = BTreeMap::new();
    for drift in runs.iter().flat_map(RunView::drifts) {
        let (share, count) = worst.entry(drift.limit.to_string()).or_default();
        *share = if drift.share.abs() > share.abs() { drift.share } else { *share };
        *count += 1;
    }
    let line = |(limit, (share, count)): (String, (f64, usize))| {
        let all = runs.len();
        format!(
            "{side}: {limit} drifted by up to {:+.0} % during {count} of {all} runs; compare figures with care",
            share * 100.0
        )
    };
    worst.into_iter().map(line).collect()
}

/// The limits that are another on B than on A: the means over the runs, and over the machines of merged runs.
fn shifts(a: &[RunView], b: &[RunView]) -> Vec<Drift> {
    let mean = |runs: &[RunView], limit: &Named<MachineLimit>| {
        let of = |records: &[CalibrationRecord]| {
            calibration::pairs(records).into_iter().find(|(known, _)| *known == limit)?.1.median()
        };
        let machines = runs.iter().flat_map(RunView::calibrations);
        let medians: Vec<f64> = machines.filter_map(|(_, records)| of(records)).collect();
        (!medians.is_empty()).then(|| medians.iter().sum::<f64>() / medians.len() as f64)
    };
    let known = a.first().map(|run| calibration::pairs(&run.calibration)).unwrap_or_default();
    let shift = |(limit, pair): (&Named<MachineLimit>, calibration::LimitPair<'_>)| {
        let (before, after) = (mean(a, limit)?, mean(b, limit)?);
        let share = bench_stats::drift(before, after).filter(|share| share.abs() > DRIFT_SHARE_MIN)?;
        Some(Drift { limit: limit.clone(), unit: pair.any()?.unit.clone(), before, after, share })
    };
    known.into_iter().filter_map(shift).collect()
}

/// `A: 2026-01-02T03-04-05Z-abc; A Processor × 2, …; bench-host 0.1.0; …`.
fn side(side: Side, runs: &[RunView]) -> String {
    let Some(first) = runs.first() else { return String::new() };
    let names = match runs {
        [run] => run.id.clone(),
        _ => format!("{} runs, {} to {}", runs.len(), first.id, runs.last().map_or("", |run| &run.id)),
    };
    let of = |run: &RunView| run.fingerprint.git_revision.clone();
    let revision = of(first).filter(|revision| runs.iter().all(|run| of(run).as_ref() == Some(revision)));
    let revision = revision.map_or_else(String::new, |revision| format!(" (git {})", abbreviated(&revision)));
    format!("{side}: {}; {}; {}", names + &revision, notes::machine(first), notes::effort(first, " per cell"))
}

/// Twelve digits of a revision, and whether the tree was changed.
fn abbreviated(revision: &str) -> String {
    let (digits, rest) = revision.split_at(revision.find('+').unwrap_or(revision.len()));
    digits.chars().take(12).chain(rest.chars()).collect()
}
