//! The document of a comparison: a row for each compared with its verdict and ratio first, where the time went, notes on problems, and what
//! was compared and how.

use super::notes::{comparison_notes, footer, trimmed};
use super::{
    Comparison, ComparisonReport, Figures, LedgerTerm, LedgerView, Mean, SubjectAccount, by_work, compilers, csv,
    equal_range, json, ladder,
};
use crate::arguments::Varying;
use crate::document::{Body, Column, Datum, Document, Group, Measure, Node, Notes, Rank, Section, Table, Tree};
use crate::{AccountView, outliers, scale};
use bench_model::Arguments;
use bench_sink::runfile::Status;
use bench_stats::{Summary, Verdict};

/// More pairs than anybody can measure: the ratio is as good as on the edge of what it is held against.
const PAIRS_MAX: u64 = 1_000_000_000_000;

/// How many imports of the host are named; the sum is of all.
const IMPORTS_MAX: usize = 6;

/// How much of a comparison is shown to people; programs get all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ComparisonDetail {
    /// Whether cost breakdowns and resource usage are shown.
    pub breakdown: bool,
    /// Whether cells that share a reason are listed.
    pub all_cells: bool,
}

/// `comparison` as a document; `breakdown` says whether people are shown where the time went.
pub fn comparison_document(comparison: &ComparisonReport, detail: ComparisonDetail) -> Document {
    let ComparisonDetail { breakdown, all_cells } = detail;
    let blocks = if breakdown { blocks(comparison) } else { Vec::new() };
    let mut lines = footer(comparison);
    lines.extend(compilers::lines(comparison));
    lines.extend(hint(comparison).filter(|_| !breakdown));
    let ends = [Section::warnings(comparison_notes(comparison, all_cells)), Section::footer(lines)];
    let ladders = ladder::sections(&comparison.ladders, &comparison.comparisons);
    let sections = ladders.into_iter().chain(comparisons(comparison)).chain(blocks).chain(ends);
    Document { data: json::data(comparison), records: Some(csv::records(comparison)), sections: sections.collect() }
}

/// What `--breakdown` shows, if it shows anything.
fn hint(comparison: &ComparisonReport) -> Option<String> {
    let of_rungs = !comparison.ladders.is_empty() && !comparison.accounts.is_empty();
    let what = match (comparison.ledgers.is_empty(), of_rungs) {
        (false, _) => "where the time goes",
        (true, true) => "what an operation of each rung used",
        (true, false) => return None,
    };
    Some(format!("{what}: --breakdown"))
}

/// A table for each sequence of scenarios whose comparisons differ in the same arguments, without those that ladders show.
fn comparisons(comparison: &ComparisonReport) -> Vec<Section> {
    let mut tables: Vec<Table> = Vec::new();
    let is_shown = |index: &usize| !comparison.ladders.iter().any(|ladder| ladder.has(*index));
    let shown = (0..comparison.comparisons.len()).filter(is_shown).map(|index| &comparison.comparisons[index]);
    for comparisons in shown.collect::<Vec<_>>().chunk_by(|one, other| one.scenario == other.scenario) {
        let arguments: Vec<_> = comparisons.iter().map(|compared| &compared.arguments).collect();
        let varying = Varying::of(&arguments);
        let rows = comparisons.iter().map(|compared| row(compared, &varying, comparison.options.delta));
        let group =
            Group { name: comparisons[0].scenario.clone(), remark: varying.shared.clone(), rows: rows.collect() };
        let columns = columns(&varying);
        match tables.last_mut() {
            Some(table) if table.columns == columns => table.groups.push(group),
            _ => tables.push(Table { grouped_by: "scenario".to_owned(), columns, groups: vec![group] }),
        }
    }
    tables.into_iter().map(|table| Section::new("comparisons", "", Body::Table(table)).in_data()).collect()
}

fn columns(varying: &Varying) -> Vec<Column> {
    let first = [
        Column::words("verdict"),
        Column::figures("ratio"),
        Column::figures("95 % interval").key("ratio_interval"),
        Column::words("compared"),
    ];
    let last = [
        Column::figures("baseline").key("baseline_p50"),
        Column::figures("candidate").key("contender_p50"),
        Column::figures("of means").key("ratio_of_means").rank(Rank::Extra(3)),
        Column::figures("A/A").key("noise").rank(Rank::Extra(1)),
        Column::figures("pairs").rank(Rank::Extra(2)),
        Column::figures("proc.").key("processes").rank(Rank::Extra(2)),
    ];
    first.into_iter().chain(varying.columns().iter().cloned()).chain(last).collect()
}

fn row(compared: &Comparison, varying: &Varying, delta: f64) -> Vec<Datum> {
    let count = |count: Option<u64>| Datum::or_absent(count.map(|count| Datum::count(count as f64)));
    let [ratio, interval, means, noise] = compared.figures.as_ref().map_or([const { Datum::Absent }; 4], ratios);
    let verdict = format!("{}{}", verdict(compared, delta), compared.mark());
    let first = [Datum::text(verdict), ratio, interval, Datum::text(compared.title())];
    let last = [
        p50(&compared.baseline.summary),
        p50(&compared.candidate.summary),
        means,
        noise,
        count(compared.pairs),
        count(compared.processes.map(u64::from)),
    ];
    first.into_iter().chain(varying.values(&compared.arguments)).chain(last).collect()
}

/// The median; of too few samples, the mean in its place.
fn p50(summary: &Option<Summary>) -> Datum {
    match summary {
        None => Datum::Absent,
        Some(Summary { p50: Some(p50), .. }) => Datum::nanoseconds(*p50),
        Some(summary) => Datum::nanoseconds(summary.mean).marked("mean"),
    }
}

/// The ratio, its interval, the ratio of means, and the noise floor.
fn ratios(figures: &Figures) -> [Datum; 4] {
    let ratios = &figures.ratios;
    let interval = ratios.medians.interval(figures.level);
    let range = Datum::Range { low: interval.low, high: interval.high, measure: Measure::Factor };
    let noise = figures.band.map(|band| Datum::number(band.high() - 1.0, Measure::Share).marked("±"));
    [
        Datum::number(ratios.medians.ratio(), Measure::Factor),
        if interval.low.is_finite() && interval.high.is_finite() { range } else { Datum::Absent },
        Datum::number(ratios.means.ratio(), Measure::Factor),
        Datum::or_absent(noise),
    ]
}

/// The verdict in words.
pub(crate) fn verdict(compared: &Comparison, delta: f64) -> String {
    match (compared.verdict(), compared.status) {
        (Some(Verdict::Different), _) => "different".to_owned(),
        (Some(Verdict::Equivalent), _) => format!("equivalent ±{} %", trimmed(delta * 100.0)),
        (Some(Verdict::Undecided { more_pairs: PAIRS_MAX.. }), _) => "undecided: beyond measuring".to_owned(),
        (Some(Verdict::Undecided { more_pairs }), _) => {
            format!("undecided: ~{} more pairs", scale::about(more_pairs as f64))
        }
        (Some(Verdict::Withheld), _) => "withheld".to_owned(),
        (None, Status::Failed) => "FAILED".to_owned(),
        (None, Status::Void) => "void".to_owned(),
        (None, _) => "skipped".to_owned(),
    }
}

/// A block for each ledger; the accounts of a scenario with its arguments follow the last ledger of those, or have a
/// block of their own where there is none.
fn blocks(comparison: &ComparisonReport) -> Vec<Section> {
    let mut blocks = Vec::new();
    for (scenario, arguments) in groups(comparison) {
        // Both are in the order of reports.
        let ledgers = equal_range(&comparison.ledgers, |one| {
            by_work((one.scenario.as_str(), &one.arguments), (scenario, arguments))
        });
        let accounts = equal_range(&comparison.accounts, |one| {
            by_work((one.scenario.as_str(), &one.arguments), (scenario, arguments))
        });
        let mut of_group: Vec<Section> = ledgers.iter().map(ledger).collect();
        let lines: Vec<String> = accounts.iter().flat_map(account).chain(absences(accounts)).collect();
        match of_group.last_mut() {
            Some(last) => last.remarks.extend(lines),
            None if lines.is_empty() => {}
            None => {
                let notes = Notes { lines, are_warnings: false };
                of_group.push(Section::new("accounts", name(scenario, arguments), Body::Notes(notes)).in_data());
            }
        }
        blocks.extend(of_group);
    }
    blocks
}

/// Every scenario with its arguments of which there is a ledger or an account, in the order of those.
fn groups(comparison: &ComparisonReport) -> Vec<(&str, &Arguments)> {
    let ledgers = comparison.ledgers.iter().map(|ledger| (ledger.scenario.as_str(), &ledger.arguments));
    let accounts = comparison.accounts.iter().map(|account| (account.scenario.as_str(), &account.arguments));
    let mut groups: Vec<_> = ledgers.chain(accounts).collect();
    groups.sort_by(|a, b| by_work(*a, *b));
    groups.dedup();
    groups
}

fn name(scenario: &str, arguments: &Arguments) -> String {
    format!("{scenario} {arguments}").trim_end().to_owned()
}

/// An operation and its parts.
fn ledger(ledger: &LedgerView) -> Section {
    let title = format!("{} {}", name(&ledger.scenario, &ledger.arguments), ledger.label);
    let columns = vec![
        Column::figures("mean").key("mean"),
        Column::figures("±").key("half_width").rank(Rank::Filled),
        Column::figures("share"),
    ];
    let whole = Node {
        parts: ledger.terms.iter().map(part).collect(),
        ..Node::new("an operation", values(ledger.total, None))
    };
    let observing = ledger.stretch().map(|stretch| {
        format!(
            "observing stretched an operation by {}: {}, {} events of {} each",
            scale::ratio(stretch),
            scale::nanoseconds(ledger.observed.mean),
            scale::rate(ledger.events),
            scale::nanoseconds(ledger.event.mean),
        )
    });
    let observed = format!("n {} observed in {} proc.", scale::count(ledger.operations as f64), ledger.processes);
    let lines = [times("once", &ledger.once), times("boundary", &ledger.boundary), observing, Some(observed)];
    let tree = Tree { columns, roots: vec![whole] };
    Section::new("ledger", title, Body::Tree(tree)).in_data().with_remarks(lines.into_iter().flatten().collect())
}

fn part(term: &LedgerTerm) -> Node {
    Node::new(&term.name, values(term.ns, term.share))
}

fn values(ns: Mean, share: Option<f64>) -> Vec<Datum> {
    let half = ns.half_width().map_or(Datum::Blank, |half| Datum::nanoseconds(half).marked("±"));
    let share = share.map_or(Datum::Blank, |share| Datum::number(share, Measure::Share));
    vec![Datum::nanoseconds(ns.mean), half, share]
}

fn times(what: &str, terms: &[LedgerTerm]) -> Option<String> {
    let times = terms.iter().map(|term| format!("{} {}", term.name, scale::nanoseconds(term.ns.mean)));
    (!terms.is_empty()).then(|| format!("{what}: {}", times.collect::<Vec<_>>().join(", ")))
}

/// `wasm: 1204 instructions, 2 host calls (…), 64 B lifted an operation (n 1000)` and further lines; none where nothing is known.
fn account(subject: &SubjectAccount) -> Vec<String> {
    figures(&subject.account).iter().map(|text| format!("{}: {text}", subject.label)).collect()
}

/// `native, wasm: outliers: not looked at: …`: each reason once, after the labels of those that lack something for it.
fn absences(subjects: &[SubjectAccount]) -> Vec<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for subject in subjects {
        for reason in outliers::absences(&subject.account) {
            match lines.iter_mut().find(|(_, known)| *known == reason) {
                Some((labels, _)) => labels.push_str(&format!(", {}", subject.label)),
                None => lines.push((subject.label.to_string(), reason)),
            }
        }
    }
    lines.into_iter().map(|(labels, reason)| format!("{labels}: {reason}")).collect()
}

/// What an operation used and did, a text for each kind of figures, and why kinds are absent; none where nothing is known.
pub(crate) fn usage(account: &AccountView) -> Vec<String> {
    figures(account).into_iter().chain(outliers::absences(account)).collect()
}

fn figures(account: &AccountView) -> Vec<String> {
    let of = |operations: u64, figures: Vec<String>| {
        let text = figures.join(", ");
        (!text.is_empty()).then(|| format!("{text} an operation (n {})", scale::count(operations as f64)))
    };
    let bytes = |what: &str, bytes: Option<u64>| Some(format!("{what} {}", scale::bytes(bytes? as f64)));
    let sizes = [
        bytes("machine code", account.code_bytes),
        bytes("process memory up to", account.memory_bytes_max),
        bytes("before the operations", account.memory_bytes_before),
        bytes("during them up to", account.memory_bytes_peak),
    ];
    let sizes: Vec<String> = sizes.into_iter().flatten().collect();
    let texts = [
        of(account.counted, counted(account)),
        of(account.watched, watched(account)),
        (!sizes.is_empty()).then(|| sizes.join("; ")),
    ];
    texts.into_iter().flatten().chain(outliers::found(account)).collect()
}

fn counted(account: &AccountView) -> Vec<String> {
    let instructions = account.instructions.map(|count| format!("{} instructions", scale::rate(count)));
    let lifted = account.lifted_bytes.map(|bytes| format!("{} lifted", scale::bytes(bytes)));
    let lowered = account.lowered_bytes.map(|bytes| format!("{} lowered", scale::bytes(bytes)));
    [instructions, account.host_calls.as_deref().map(host_calls), lifted, lowered].into_iter().flatten().collect()
}

/// `2 host calls (wasi:clocks/monotonic-clock#now 2)`, the most frequent first.
fn host_calls(calls: &[(String, f64)]) -> String {
    let mut made: Vec<&(String, f64)> = calls.iter().filter(|(_, count)| *count > 0.0).collect();
    made.sort_by(|a, b| b.1.total_cmp(&a.1));
    let total = made.iter().fold(0.0, |sum, (_, count)| sum + count);
    let mut names: Vec<String> =
        made.iter().take(IMPORTS_MAX).map(|(name, count)| format!("{name} {}", scale::rate(*count))).collect();
    if made.len() > IMPORTS_MAX {
        names.push(format!("{} more imports", made.len() - IMPORTS_MAX));
    }
    let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let calls = if total == 1.0 { "call" } else { "calls" };
    format!("{} host {calls}{names}", scale::rate(total))
}

fn watched(account: &AccountView) -> Vec<String> {
    let cpu = account.cpu_ns.map(|ns| format!("{} of processor time", scale::nanoseconds(ns)));
    let figures = [
        ("minor faults", account.faults_minor),
        ("major faults", account.faults_major),
        ("voluntary switches", account.switches_voluntary),
        ("involuntary switches", account.switches_involuntary),
    ];
    let counts = figures.into_iter().filter_map(|(name, count)| Some(format!("{} {name}", scale::rate(count?))));
    cpu.into_iter().chain(counts).collect()
}
