//! The charts of one cell, from its curves, its cost breakdown and the rooflines.

use super::courses::{Course, Courses, distribution};
use crate::document::Measure;
use crate::plots::{Chart, Curve, Curves, Dimension, Look, Row, Rows, Scale, Shape, Tone};
use crate::{CellView, Label, LedgerView, RunView, SeriesView, calibration, scale};
use bench_model::{MachineLimit, Unit};
use bench_sink::runfile::CalibrationRecord;

/// Fewer samples than this are not a distribution: their table says all.
const SAMPLES_MIN: u64 = 3;

/// Points of the curve of quantiles.
const QUANTILES: usize = 80;

/// So many samples must lie beyond a quantile that is shown.
const BEYOND: u64 = 10;

/// The charts of a cell that can be drawn, each with the name of its file.
pub(super) fn of_cell(view: &RunView, cell: &CellView, courses: &Courses) -> Vec<(&'static str, Chart)> {
    let Some(timed) = cell.timed() else { return Vec::new() };
    let processes: Vec<(u32, &Course)> =
        cell.ended_well.iter().filter_map(|process| Some((*process, courses.get(cell.cell, *process)?))).collect();
    let charts = [
        ("distribution", ecdf(timed, &processes)),
        ("order", order(timed, &processes)),
        ("quantiles", quantiles(timed)),
        ("breakdown", breakdown(cell)),
        ("rooflines", rooflines(view, cell, timed)),
    ];
    charts.into_iter().filter_map(|(name, chart)| Some((name, chart?))).collect()
}

fn amounts(title: &str, unit: &Unit) -> Scale {
    Scale::Amounts(Dimension { title: title.to_owned(), unit: unit.clone() })
}

/// What the samples of the timed series are.
fn quantity(timed: &SeriesView) -> &'static str {
    if timed.unit == Unit::Nanoseconds { "time" } else { "value" }
}

fn is_enough(processes: &[(u32, &Course)]) -> bool {
    processes.iter().map(|(_, course)| course.samples).sum::<u64>() >= SAMPLES_MIN
}

fn ecdf(timed: &SeriesView, processes: &[(u32, &Course)]) -> Option<Chart> {
    let has_spread = timed.summary.min < timed.summary.max;
    let curve = |(index, (process, course)): (usize, &(u32, &Course))| Curve {
        name: format!("process {process}"),
        look: Look::of(index),
        points: course
            .distribution
            .first()
            .map(|(least, _)| (*least, 0.0))
            .into_iter()
            .chain(course.distribution.iter().copied())
            .collect(),
        shape: Shape::StepAfter,
    };
    let title = "Distribution of samples, by process";
    (has_spread && is_enough(processes)).then(|| {
        Chart::Curves(Curves {
            title: title.to_owned(),
            across: amounts(quantity(timed), &timed.unit),
            up: Scale::Shares("share of samples"),
            curves: processes.iter().enumerate().map(curve).collect(),
            notes: vec![samples_note(timed, processes.len())],
        })
    })
}

fn order(timed: &SeriesView, processes: &[(u32, &Course)]) -> Option<Chart> {
    let curves = processes.iter().enumerate().filter(|(_, (_, course))| course.order.len() > 1);
    let curve = |(index, (process, course)): (usize, &(u32, &Course))| Curve {
        name: format!("process {process}"),
        look: Look::of(index),
        points: course.order.clone(),
        shape: Shape::Line,
    };
    let curves: Vec<Curve> = curves.map(curve).collect();
    let has_spread = timed.summary.min < timed.summary.max;
    (has_spread && !curves.is_empty() && is_enough(processes)).then(|| {
        Chart::Curves(Curves {
            title: "Samples in the order they were taken".to_owned(),
            across: Scale::Numbers("number of the sample"),
            up: amounts(quantity(timed), &timed.unit),
            curves,
            notes: vec![format!(
                "{} Of many samples, the least and the most of each stretch are shown.",
                samples_note(timed, processes.len())
            )],
        })
    })
}

/// Only quantiles that have ten samples beyond them.
fn quantiles(timed: &SeriesView) -> Option<Chart> {
    let count = timed.summary.count;
    let last_rank = count.checked_sub(BEYOND)?;
    let last = last_rank as f64 / count as f64;
    if last < 0.9 {
        return None;
    }
    let counted: Vec<(f64, u64)> = timed.distribution.points().collect();
    let points = quantile_points(&counted, count, last_rank)?;
    // Where all of them are one value, the table says all.
    (points[0].1 < points[points.len() - 1].1).then(|| {
        Chart::Curves(Curves {
            title: "Quantiles of all samples".to_owned(),
            across: Scale::Nines("quantile", last),
            up: amounts(quantity(timed), &timed.unit),
            curves: vec![Curve {
                name: "all processes".to_owned(),
                look: Look::of(0),
                points,
                shape: Shape::StepBefore,
            }],
            notes: vec![format!(
                "Up to the last quantile that ten samples lie beyond; n = {} samples.",
                scale::count(count as f64)
            )],
        })
    })
}

/// Shares of the samples from 0 to that of `last_rank`, each with the least value that this share does not exceed. Of many values some are
/// left out, so that a step reaches up to the next value that is kept.
fn quantile_points(counted: &[(f64, u64)], count: u64, last_rank: u64) -> Option<Vec<(f64, f64)>> {
    let share_of = |rank: u64| rank as f64 / count as f64;
    // Half of the points are even in rank; the others are in the upper end, where the axis of nines has most of its room.
    let even = distribution(counted, count, QUANTILES / 2).into_iter().map(|(value, share)| (share, value));
    let mut points: Vec<(f64, f64)> = even.filter(|(share, _)| *share < share_of(last_rank)).collect();
    let (mut seen, mut wanted) = (0, 0.9);
    let mut end = None;
    for (value, of_value) in counted {
        seen += of_value;
        if seen >= last_rank {
            end = Some(*value);
            break;
        }
        if share_of(seen) >= wanted {
            points.push((share_of(seen), *value));
            wanted = 1.0 - (1.0 - share_of(seen)).max(1e-9) * 0.8;
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points.dedup();
    let end = (share_of(last_rank), end?);
    let begin = (0.0, points.first().unwrap_or(&end).1);
    Some(std::iter::once(begin).chain(points).chain([end]).collect())
}

fn samples_note(timed: &SeriesView, processes: usize) -> String {
    let operations = timed.batch.map_or_else(String::new, |batch| match batch {
        1 => String::new(),
        batch => format!(", each the mean of {} operations", scale::count(batch as f64)),
    });
    format!("n = {} samples of {processes} processes{operations}.", scale::count(timed.samples as f64))
}

/// The parts of an operation one behind the other, and the whole.
fn breakdown(cell: &CellView) -> Option<Chart> {
    let label = Label { arm: cell.arm, variant: cell.variant.clone(), file: None, side: None };
    let ledger = LedgerView::of(&cell.scenario, &cell.arguments, label, &cell.ledgers)?;
    let mut end = 0.0;
    let mut rows: Vec<Row> = Vec::new();
    for term in &ledger.terms {
        let begin = end;
        end += term.ns.mean;
        let share = term.share.map_or_else(String::new, |share| format!("  {}", scale::percent(share)));
        rows.push(Row {
            name: term.name.clone(),
            value: format!("{}{share}", scale::nanoseconds(term.ns.mean)),
            bar: Some((begin, end)),
            ..Row::default()
        });
    }
    rows.push(Row {
        name: "an operation".to_owned(),
        value: scale::nanoseconds(ledger.total.mean),
        tone: Tone::Quiet,
        bar: Some((0.0, ledger.total.mean)),
        ..Row::default()
    });
    let note = match ledger.processes {
        1 => "n = 1 process, so there is no interval.".to_owned(),
        processes => format!("Means over n = {processes} processes."),
    };
    Some(Chart::Rows(Rows {
        title: "Where the time of an operation goes".to_owned(),
        across: Dimension { title: "time".to_owned(), unit: Unit::Nanoseconds },
        is_from_zero: true,
        zone: None,
        origin: None,
        rows,
        notes: vec![format!("{note} {} operations were observed.", scale::count(ledger.operations as f64))],
    }))
}

/// The median of the cell between what the machine itself takes for simple things.
fn rooflines(view: &RunView, cell: &CellView, timed: &SeriesView) -> Option<Chart> {
    let own = cell.limit?;
    let p50 = timed.summary.p50.filter(|_| timed.unit == Unit::Nanoseconds)?;
    let per_byte = own.is_per_byte();
    let bytes = if cell.iterations > 0 { cell.bytes as f64 / cell.iterations as f64 } else { 0.0 };
    let units = |limit: MachineLimit| if limit.is_per_byte() { bytes } else { 1.0 };
    let records = view.calibration_of(cell.cell);
    let known = records.iter().flat_map(|record| &record.limits).filter_map(|limit| limit.limit.known());
    let mut limits: Vec<MachineLimit> = Vec::new();
    known.filter(|limit| limit.is_per_byte() == per_byte).for_each(|limit| {
        if !limits.contains(&limit) {
            limits.push(limit);
        }
    });
    let row = |limit: MachineLimit| {
        let floor = view.limit_of(cell.cell, limit)? * units(limit);
        let ratio = if limit == own { format!("  cell: {}", scale::ratio(p50 / floor)) } else { String::new() };
        (floor > 0.0).then(|| Row {
            name: limit.to_string(),
            value: format!("{}{ratio}", scale::nanoseconds(floor)),
            tone: if limit == own { Tone::Good } else { Tone::Quiet },
            at: Some(floor),
            ..Row::default()
        })
    };
    let mut rows: Vec<Row> = limits.iter().copied().filter_map(row).collect();
    if rows.is_empty() {
        return None;
    }
    rows.push(Row {
        name: "p50 of this cell".to_owned(),
        value: scale::nanoseconds(p50),
        at: Some(p50),
        ..Row::default()
    });
    rows.sort_by(|a, b| a.at.unwrap_or(0.0).total_cmp(&b.at.unwrap_or(0.0)));
    let what = if per_byte {
        format!(", for the {} of an operation", Measure::Unit(Unit::Bytes).text(bytes))
    } else {
        String::new()
    };
    let whose = match view.host_of(cell.cell) {
        None => "this run, measured before and after it".to_owned(),
        Some(host) => format!("{}, which measured the cell, before and after its part of the run", host.name()),
    };
    Some(Chart::Rows(Rows {
        title: "Against what the machine itself takes".to_owned(),
        across: Dimension { title: "time".to_owned(), unit: Unit::Nanoseconds },
        is_from_zero: false,
        zone: None,
        origin: None,
        rows,
        notes: vec![format!(
            "Rooflines of {whose}{what}; n = {} samples each time. The one that the cell is compared with is \
             marked. The cell: {}",
            counted(records, &limits),
            samples_note(timed, cell.ended_well.len())
        )],
    }))
}

/// How many samples each of `limits` was measured with: `200`, or `20 to 200`.
fn counted(records: &[CalibrationRecord], limits: &[MachineLimit]) -> String {
    let pairs = calibration::pairs(records);
    let shown = pairs.iter().filter(|(limit, _)| limit.known().is_some_and(|limit| limits.contains(&limit)));
    let records = shown.flat_map(|(_, pair)| [pair.before, pair.after]).flatten();
    let counts: Vec<u64> = records.filter(|record| record.median.is_some()).map(|record| record.count).collect();
    match (counts.iter().min(), counts.iter().max()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
        (Some(least), _) => least.to_string(),
        (None, _) => "0".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_the_share_does_not_exceed() {
        // 60 % at 1, 30 % at 2, 10 % at 9.
        let points = quantile_points(&[(1.0, 600), (2.0, 300), (9.0, 100)], 1000, 990).unwrap();
        assert_eq!(points, [(0.0, 1.0), (0.6, 1.0), (0.9, 2.0), (0.99, 9.0)]);
    }

    #[test]
    fn steps_between_few_quantiles_are_never_below_the_samples() {
        let samples = bench_stats::Distribution::of_samples((0..10_000).map(|at| f64::from(at * 7919 % 9973)));
        let counted: Vec<(f64, u64)> = samples.points().collect();
        let points = quantile_points(&counted, 10_000, 9_990).unwrap();
        assert!(points.len() <= 2 * QUANTILES, "{} points", points.len());
        assert_eq!(points[points.len() - 1].0, 0.999);
        assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1), "{points:?}");
        // Between ranks, so that rounding decides nothing.
        for q in (0..998).map(|q| (f64::from(q) + 0.123) / 1000.0) {
            let drawn = points.iter().find(|(share, _)| *share >= q).map(|(_, value)| *value);
            assert!(drawn >= samples.quantile(q), "{q}: {drawn:?}");
        }
    }
}
