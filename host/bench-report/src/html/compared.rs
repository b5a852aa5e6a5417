//! What was compared: a forest plot of all ratios, and a table with their verdicts.

use super::cell::chart;
use super::sections;
use super::write::safe;
use crate::comparison::verdict;
use crate::plots::{Chart, Dimension, Row, Rows, Tone};
use crate::{
    Body, Comparison, ComparisonDetail, ComparisonReport, Document, Runs, Section, comparison_document, notes, scale,
};
use bench_model::{Arguments, Unit};
use bench_stats::{LEVEL, Verdict};
use std::collections::BTreeMap;

/// Ratios with their intervals, the noise of each arm against itself, and the margin of equivalence; none where there is no ratio. The
/// notes say which runs they are of.
pub(super) fn forest(comparison: &ComparisonReport) -> Option<Chart> {
    let delta = comparison.options.delta;
    let mut of_scenarios: BTreeMap<&str, Vec<&Arguments>> = BTreeMap::new();
    for compared in &comparison.comparisons {
        of_scenarios.entry(&compared.scenario).or_default().push(&compared.arguments);
    }
    // The arguments are in the table; those that do not vary would leave no room for the arms.
    let varying: BTreeMap<&str, Vec<&str>> =
        of_scenarios.into_iter().map(|(scenario, all)| (scenario, Arguments::varying(&all))).collect();
    let with_ratio: Vec<Row> = comparison
        .comparisons
        .iter()
        .filter_map(|compared| row(compared, &only(&compared.arguments, &varying[&*compared.scenario]), delta))
        .collect();
    if with_ratio.is_empty() {
        return None;
    }
    let (counted, views) = match &comparison.runs {
        Runs::Paired(run) => ("pairs of samples, and processes", vec![&**run]),
        Runs::Sides { a, b } => ("samples and processes of the side that has fewer", a.iter().chain(b).collect()),
    };
    let note = format!(
        "Ratio of median times with its {} % interval over whole processes, seed {}; n: {counted}; grey: an arm against itself; \
         shaded: within ±{} %, which counts as equivalent. Below 1 is faster.",
        LEVEL * 100.0,
        comparison.options.seed,
        (delta * 1e4).round() / 100.0
    );
    Some(Chart::Rows(Rows {
        title: "Ratios".to_owned(),
        across: Dimension { title: "time of the candidate / time of the baseline".to_owned(), unit: Unit::Count },
        is_from_zero: false,
        zone: Some((1.0 / (1.0 + delta), 1.0 + delta)),
        origin: Some(1.0),
        rows: with_ratio,
        notes: std::iter::once(note).chain(views.into_iter().map(notes::source)).collect(),
    }))
}

/// Those of `arguments` with these names.
fn only(arguments: &Arguments, names: &[&str]) -> Arguments {
    arguments.iter().filter(|(name, _)| names.contains(name)).map(|(name, value)| (name, value.clone())).collect()
}

/// The row of a ratio, which `arguments` tell from the others of its scenario.
fn row(compared: &Comparison, arguments: &Arguments, delta: f64) -> Option<Row> {
    let figures = compared.figures.as_ref()?;
    // As in the table: of a comparison that was looked at repeatedly, one that holds at every look.
    let interval = figures.ratios.medians.interval(figures.level);
    let processes = compared.processes.unwrap_or_default();
    let has_interval = interval.low.is_finite() && interval.high.is_finite() && processes >= bench_stats::PROCESSES_MIN;
    let ratio = figures.ratios.medians.ratio();
    let counted = format!("n = {} in {processes} proc.", scale::count(compared.pairs.unwrap_or_default() as f64));
    let words = match has_interval {
        true => format!("{}{}  {counted}", verdict(compared, delta), compared.mark()),
        false => format!("{counted}, no interval{}", compared.mark()),
    };
    let (arguments, title) = (arguments.to_string(), compared.title());
    let parts = [&compared.scenario, &arguments, &title].into_iter().filter(|part| !part.is_empty());
    Some(Row {
        name: parts.map(String::as_str).collect::<Vec<_>>().join(" "),
        value: format!("{}×  {words}", scale::factor(ratio)),
        tone: tone(figures.verdict, ratio),
        band: figures.band.map(|band| (band.low(), band.high())),
        interval: has_interval.then_some((interval.low, interval.high)),
        at: Some(ratio),
        ..Row::default()
    })
}

fn tone(verdict: Verdict, ratio: f64) -> Tone {
    match verdict {
        Verdict::Different if ratio > 1.0 => Tone::Bad,
        Verdict::Different => Tone::Good,
        Verdict::Equivalent => Tone::Plain,
        Verdict::Undecided { .. } | Verdict::Withheld => Tone::Quiet,
    }
}

/// The document of the comparison without what other parts of the page say.
pub(super) fn document(comparison: &ComparisonReport) -> Document {
    let mut document = comparison_document(comparison, ComparisonDetail { breakdown: true, all_cells: true });
    document.sections.retain(|section| !matches!(section.body, Body::Notes(_)) || section.name != "footer");
    document
}

/// Forest plot and tables; `index` tells several comparisons apart.
pub(super) fn section(comparison: &ComparisonReport, title: &str, index: usize) -> String {
    let forest = forest(comparison).map_or_else(String::new, |forest| chart(forest, "wide"));
    let is_breakdown = |section: &Section| ["ledger", "accounts"].contains(&section.name.as_str());
    let (breakdowns, tables): (Vec<_>, Vec<_>) = document(comparison).sections.into_iter().partition(is_breakdown);
    let of_sections = |sections| Document { sections, ..Document::default() };
    let (breakdowns, tables) = (of_sections(breakdowns), of_sections(tables));
    // There is no figure among them.
    let tables = sections::all(&tables, &format!("compared-{index}"), "");
    let breakdowns = match breakdowns.sections.is_empty() {
        true => String::new(),
        false => format!(
            "<details class=\"more-parts\"><summary>Where the time of operations goes</summary>{}</details>",
            sections::all(&breakdowns, &format!("breakdown-{index}"), "")
        ),
    };
    format!("<section id=\"compared-{index}\"><h2>{}</h2>{forest}{tables}{breakdowns}</section>", safe(title))
}
