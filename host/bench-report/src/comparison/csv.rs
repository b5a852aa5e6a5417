//! A comparison as flat records: a row for each compared, in nanoseconds and plain ratios, nothing scaled. A figure that
//! is absent is empty.

use super::json::verdict;
use super::{Candidate, Comparison, ComparisonReport, Figures};
use crate::csv::status;
use crate::{Records, escape};
use bench_stats::{RatioEstimate, Verdict};

const COLUMNS: [&str; 25] = [
    "scenario",
    "family",
    "arguments",
    "baseline",
    "contender",
    "status",
    "reason",
    "baseline_p50_ns",
    "contender_p50_ns",
    "pairs",
    "processes",
    "ratio_of_medians",
    "ratio_of_medians_low",
    "ratio_of_medians_high",
    "ratio_of_means",
    "ratio_of_means_low",
    "ratio_of_means_high",
    "band_low",
    "band_high",
    "p_different",
    "p_equivalent",
    "verdict",
    "more_pairs",
    "delta",
    "note",
];

/// The records of `comparison`. Text of modules is escaped, so that a record is one line.
pub(super) fn records(comparison: &ComparisonReport) -> Records {
    let rows = comparison.comparisons.iter().map(|compared| row(comparison, compared).to_vec());
    Records { columns: COLUMNS.to_vec(), rows: rows.collect() }
}

fn row(comparison: &ComparisonReport, compared: &Comparison) -> [String; COLUMNS.len()] {
    let text = |text: &str| escape(text).into_owned();
    let figures = compared.figures.as_ref();
    let figure = |of: fn(&Figures) -> Option<f64>| figures.and_then(of).map(number).unwrap_or_default();
    let [ratio, low, high] = bounds(figures.map(|figures| (&figures.ratios.medians, figures.level)));
    let [mean_ratio, mean_low, mean_high] = bounds(figures.map(|figures| (&figures.ratios.means, figures.level)));
    // There is no other place that every reader of a row sees.
    let machines = comparison.across_machines.as_ref().map(|difference| format!("different machines: {difference}"));
    let notes: Vec<String> = machines.into_iter().chain(compared.note.clone()).chain(compared.disturbances()).collect();
    let band = figures.and_then(|figures| figures.band);
    [
        text(&compared.scenario),
        text(&compared.family),
        text(&compared.arguments.to_string()),
        text(&compared.baseline.label.to_string()),
        text(&compared.candidate.label.to_string()),
        status(compared.status).to_owned(),
        text(compared.reason.as_deref().unwrap_or_default()),
        p50(&compared.baseline),
        p50(&compared.candidate),
        compared.pairs.map(|pairs| pairs.to_string()).unwrap_or_default(),
        compared.processes.map(|processes| processes.to_string()).unwrap_or_default(),
        ratio,
        low,
        high,
        mean_ratio,
        mean_low,
        mean_high,
        band.map(|band| number(band.low())).unwrap_or_default(),
        band.map(|band| number(band.high())).unwrap_or_default(),
        figure(|figures| figures.p_different),
        figure(|figures| figures.p_equivalent),
        compared.verdict().map(verdict).unwrap_or_default().to_owned(),
        figures.and_then(more_pairs).map(|pairs| pairs.to_string()).unwrap_or_default(),
        comparison.options.delta.to_string(),
        text(&notes.join("; ")),
    ]
}

fn p50(candidate: &Candidate) -> String {
    candidate.summary.as_ref().and_then(|summary| summary.p50).map(number).unwrap_or_default()
}

fn bounds(estimate: Option<(&RatioEstimate, f64)>) -> [String; 3] {
    let Some(interval) = estimate.map(|(estimate, level)| estimate.interval(level)) else { return Default::default() };
    [interval.estimate, interval.low, interval.high].map(number)
}

fn more_pairs(figures: &Figures) -> Option<u64> {
    match figures.verdict {
        Verdict::Undecided { more_pairs } => Some(more_pairs),
        _ => None,
    }
}

/// With six digits: a p value may be far below 1. What is not finite is not known.
fn number(value: f64) -> String {
    let rounded = format!("{value:.5e}").parse::<f64>().ok().filter(|rounded| rounded.is_finite());
    rounded.map(|rounded| rounded.to_string()).unwrap_or_default()
}
