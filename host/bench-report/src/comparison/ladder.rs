//! Ladders: from the rungs that a run recorded to their ratios, each to the rung before and to native code.

use super::compared::Comparison;
use crate::document::{Body, Column, Datum, Measure, Rank, Section, Table};
use crate::{AccountView, CellView, RunView};
use bench_model::Arguments;
use bench_sink::runfile::{HardwareRecord, LadderRecord, Status};
use bench_stats::Verdict;

/// A scenario with its arguments, executed in ways that differ from each other by one step.
#[derive(Clone, Debug, PartialEq)]
pub struct LadderView {
    /// `module/scenario`.
    pub scenario: String,
    /// With what it was executed.
    pub arguments: Arguments,
    /// The name of the rung that the others are compared with: `native` where that takes part, else the first of its group.
    pub baseline: Option<String>,
    /// From the fastest to the slowest, as is expected.
    pub rungs: Vec<RungView>,
}

/// One rung of a ladder.
#[derive(Clone, Debug, PartialEq)]
pub struct RungView {
    /// Its name.
    pub name: String,
    /// How it differs from the rung before.
    pub step: String,
    /// The number of its cell, if it was measured.
    pub cell: Option<u32>,
    /// The number of its comparison with the baseline, native code where that takes part.
    pub to_baseline: Option<usize>,
    /// The number of its comparison with the last rung before that was measured.
    pub to_previous: Option<usize>,
    /// The reason why it was not measured, and what to do.
    pub skipped: Option<String>,
    /// What an operation of it used and did, if it was measured and that was counted.
    pub account: Option<AccountView>,
}

/// The rung that is the baseline wherever it takes part.
const NATIVE: &str = "native";

impl LadderView {
    /// Whether the others are compared with native code.
    pub(super) fn is_to_native(&self) -> bool {
        self.baseline.as_deref() == Some(NATIVE)
    }

    /// Whether one of its rungs is in the comparison of this number.
    pub(super) fn has(&self, comparison: usize) -> bool {
        self.rungs.iter().any(|rung| [rung.to_baseline, rung.to_previous].contains(&Some(comparison)))
    }
}

/// Two cells to compare: the baseline and the candidate.
pub(super) type Pair = (u32, u32);

/// The ladders of a run. Each comparison that they need is at its index in `pairs`, to which those that are missing are added.
pub(super) fn ladders(
    view: &RunView,
    pairs: &mut Vec<Pair>,
    baseline: impl Fn(&CellView) -> Option<u32>,
) -> Vec<LadderView> {
    let mut index = |pair: Pair| {
        pairs.iter().position(|known| *known == pair).unwrap_or_else(|| {
            pairs.push(pair);
            pairs.len() - 1
        })
    };
    let mut ladder = |record: &LadderRecord| {
        let cell_of = |number: Option<u32>| view.cells.iter().find(|cell| Some(cell.cell) == number);
        let mut previous: Option<u32> = None;
        let mut rungs = Vec::with_capacity(record.rungs.len());
        for rung in &record.rungs {
            let cell = cell_of(rung.cell);
            let number = cell.map(|cell| cell.cell);
            let of_baseline = cell.and_then(&baseline).filter(|baseline| Some(*baseline) != number);
            rungs.push(RungView {
                name: rung.name.clone(),
                step: rung.step.clone(),
                cell: number,
                to_baseline: number.zip(of_baseline).map(|(cell, baseline)| index((baseline, cell))),
                to_previous: number.zip(previous).map(|(cell, previous)| index((previous, cell))),
                skipped: rung.skipped.clone().or_else(|| not_measured(cell)),
                account: cell.filter(|cell| cell.status == Status::Ok).and_then(account),
            });
            previous = number.filter(|_| cell.is_some_and(|cell| cell.status == Status::Ok)).or(previous);
        }
        let first = record.rungs.iter().find_map(|rung| baseline(cell_of(rung.cell)?));
        let baseline = first.and_then(|first| rungs.iter().find(|rung| rung.cell == Some(first)));
        let baseline = baseline.map(|rung| rung.name.clone());
        LadderView { scenario: record.scenario.clone(), arguments: record.arguments.clone(), baseline, rungs }
    };
    view.ladders.iter().map(&mut ladder).collect()
}

fn account(cell: &CellView) -> Option<AccountView> {
    cell.account.as_ref().map(AccountView::of)
}

fn not_measured(cell: Option<&CellView>) -> Option<String> {
    match cell {
        None => Some("it was not run".to_owned()),
        Some(cell) if cell.status == Status::Ok => None,
        Some(cell) => Some(cell.reason.clone().unwrap_or_else(|| "no reason was given".to_owned())),
    }
}

/// A table for each ladder, with the reasons of missing rungs below it.
pub(super) fn sections(ladders: &[LadderView], comparisons: &[Comparison]) -> Vec<Section> {
    ladders.iter().map(|ladder| section(ladder, comparisons)).collect()
}

fn section(ladder: &LadderView, comparisons: &[Comparison]) -> Section {
    let columns = vec![
        Column::words("rung"),
        Column::figures("p50"),
        Column::figures("× before").key("ratio_to_previous"),
        Column::figures("95 %").key("ratio_to_previous_interval"),
        Column::words("verdict"),
        Column::figures(format!("× {}", ladder.baseline.as_deref().unwrap_or(NATIVE))).key("ratio_to_baseline"),
        Column::figures("95 %").key("ratio_to_baseline_interval"),
        Column::figures("faults").key("page_faults").rank(Rank::Extra(0)),
        Column::figures("wasm instr.").key("instructions").rank(Rank::Extra(1)),
        Column::figures("CPU instr.").key("processor_instructions").rank(Rank::Extra(3)),
        Column::words("step").rank(Rank::Extra(4)),
        Column::figures("pairs").rank(Rank::Extra(2)),
    ];
    let rows = ladder.rungs.iter().map(|rung| row(rung, ladder, comparisons)).collect();
    let absent =
        ladder.rungs.iter().filter_map(|rung| Some(format!("{} skipped: {}", rung.name, rung.skipped.as_ref()?)));
    let title = format!("{} {}", ladder.scenario, ladder.arguments);
    let body = Body::Table(Table::plain(columns, rows));
    Section::new("ladder", title.trim_end(), body).in_data().with_remarks(absent.collect())
}

fn row(rung: &RungView, ladder: &LadderView, comparisons: &[Comparison]) -> Vec<Datum> {
    let compared = |index: Option<usize>| index.and_then(|index| comparisons.get(index));
    let (to_previous, to_baseline) = (compared(rung.to_previous), compared(rung.to_baseline));
    let [before, before_interval] = ratio(to_previous);
    let [baseline, baseline_interval] = ratio(to_baseline);
    let pairs = to_previous.or(to_baseline).and_then(|compared| compared.pairs);
    let [faults, instructions, processor_instructions] = used(rung.account.as_ref());
    vec![
        Datum::text(&rung.name),
        Datum::or_absent(p50(rung, ladder, comparisons).map(Datum::nanoseconds)),
        before,
        before_interval,
        Datum::text(verdict(rung, to_previous)),
        baseline,
        baseline_interval,
        faults,
        instructions,
        processor_instructions,
        Datum::text(&rung.step),
        Datum::or_absent(pairs.map(|pairs| Datum::count(pairs as f64))),
    ]
}

/// Of an operation: the page faults, the instructions of the component, and those of the processor, as far as they are known.
fn used(account: Option<&AccountView>) -> [Datum; 3] {
    let faults = |account: &AccountView| {
        let known = [account.faults_minor, account.faults_major].into_iter().flatten();
        known.reduce(|minor, major| minor + major)
    };
    let by_processor = |account: &AccountView| match account.hardware {
        Some(HardwareRecord::Counted { instructions, .. }) if account.watched > 0 => {
            Some(instructions as f64 / account.watched as f64)
        }
        _ => None,
    };
    let figures =
        [account.and_then(faults), account.and_then(|account| account.instructions), account.and_then(by_processor)];
    figures.map(|figure| Datum::or_absent(figure.map(Datum::count)))
}

/// The median, from any comparison that the rung takes part in.
pub(super) fn p50(rung: &RungView, ladder: &LadderView, comparisons: &[Comparison]) -> Option<f64> {
    let of = |index: Option<usize>| index.and_then(|index| comparisons.get(index));
    let own = [rung.to_baseline, rung.to_previous].into_iter().find_map(of).map(|compared| &compared.candidate);
    let after = || {
        let later = ladder.rungs.iter().filter(|later| later.cell != rung.cell && rung.skipped.is_none());
        let place = |one: &RungView| ladder.rungs.iter().position(|other| other.name == one.name);
        let next = later.filter(|later| place(later) > place(rung)).find_map(|later| of(later.to_previous));
        next.map(|compared| &compared.baseline)
    };
    own.or_else(after)?.summary.as_ref()?.p50
}

fn ratio(compared: Option<&Comparison>) -> [Datum; 2] {
    let Some(figures) = compared.and_then(|compared| compared.figures.as_ref()) else {
        return [Datum::Absent, Datum::Absent];
    };
    let interval = figures.ratios.medians.interval(figures.level);
    let range = Datum::Range { low: interval.low, high: interval.high, measure: Measure::Factor };
    let is_finite = interval.low.is_finite() && interval.high.is_finite();
    [Datum::number(interval.estimate, Measure::Factor), if is_finite { range } else { Datum::Absent }]
}

fn verdict(rung: &RungView, to_previous: Option<&Comparison>) -> String {
    let verdict = to_previous.and_then(Comparison::verdict);
    let text = match verdict {
        Some(Verdict::Different) => "different",
        Some(Verdict::Equivalent) => "equivalent",
        Some(Verdict::Undecided { .. }) => "undecided",
        Some(Verdict::Withheld) => "withheld",
        None if rung.skipped.is_some() => "skipped",
        None => "",
    };
    format!("{text}{}", to_previous.map(Comparison::mark).unwrap_or_default())
}
