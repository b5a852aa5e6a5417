//! The table of a comparison: a row for each matchup, then where the time went. Knows how figures are laid out; what is
//! said below them is the notes' business.

use super::notes::{comparison_notes, footer, trimmed};
use super::{Comparison, Figures, LedgerTerm, LedgerView, Matchup, Mean, SubjectAccount};
use crate::layout::{self, ABSENT, Grid, plain};
use crate::{AccountView, Style, escape, scale};
use bench_model::Arguments;
use bench_sink::runfile::Status;
use bench_stats::{LEVEL, Summary, Verdict};

const COLUMNS: [&str; 11] = [
    "scenario",
    "arguments",
    "compared",
    "p50 baseline",
    "p50 contender",
    "ratio",
    "95 % interval",
    "of means",
    "A/A",
    "pairs",
    "verdict",
];

/// Which of the columns hold figures, whose units stand below each other.
const FIGURES: std::ops::Range<usize> = 3..10;

const TERM_COLUMNS: [&str; 4] = ["part", "an operation", "±", "share"];

const TERM_FIGURES: std::ops::Range<usize> = 1..4;

/// More pairs than anybody can measure: the ratio is as good as on the edge of what it is held against.
const PAIRS_MAX: u64 = 1_000_000_000_000;

/// How many imports of the host are named; the sum is of all.
const IMPORTS_MAX: usize = 6;

/// `comparison` as a table, then a block for each group of cells of which is known where the time went, notes where
/// something is not as it should be, and what was compared how. Ends with a line break. Text of modules is escaped;
/// nothing is wrapped or cut.
pub fn comparison_table(comparison: &Comparison, style: Style) -> String {
    let rows = comparison.matchups.iter().map(|matchup| row(matchup, comparison.options.delta)).collect();
    let grid = Grid { head: &COLUMNS, figures: FIGURES, rows };
    let has_rows = !comparison.matchups.is_empty();
    let (grid, lines): (_, fn(Vec<String>) -> String) = match style {
        Style::Table => (grid.text(), |lines| lines.join("\n")),
        Style::Markdown => (grid.markdown(), list),
    };
    let blocks = blocks(comparison).into_iter().map(|block| block.show(style));
    let ends = [lines(comparison_notes(comparison)), lines(footer(comparison))];
    layout::paragraphs(has_rows.then_some(grid).into_iter().chain(blocks).chain(ends))
}

fn list(lines: Vec<String>) -> String {
    lines.iter().map(|line| format!("- {}", plain(line))).collect::<Vec<_>>().join("\n")
}

fn row(matchup: &Matchup, delta: f64) -> Vec<String> {
    let text = |text: &str| escape(text).into_owned();
    let head = [text(&matchup.scenario), text(&matchup.arguments.to_string()), text(&matchup.title())];
    let p50 =
        |summary: &Option<Summary>| absent_or(summary.as_ref().and_then(|summary| summary.p50), scale::nanoseconds);
    let medians = [p50(&matchup.baseline.summary), p50(&matchup.contender.summary)];
    let ratios = matchup.figures.as_ref().map_or_else(|| std::array::from_fn(|_| ABSENT.to_owned()), ratios);
    let processes = matchup.processes.map_or_else(String::new, |processes| format!(" in {processes} proc."));
    let pairs = absent_or(matchup.pairs, |pairs| scale::count(pairs as f64) + &processes);
    head.into_iter().chain(medians).chain(ratios).chain([pairs, verdict(matchup, delta)]).collect()
}

/// The columns from the ratio to the noise floor.
fn ratios(figures: &Figures) -> [String; 4] {
    let ratios = &figures.ratios;
    let interval = ratios.medians.interval(LEVEL);
    let known = Some(interval).filter(|interval| interval.low.is_finite() && interval.high.is_finite());
    [
        format!("{}×", scale::factor(ratios.medians.ratio())),
        absent_or(known, |known| format!("{}–{}", scale::factor(known.low), scale::factor(known.high))),
        format!("{}×", scale::factor(ratios.means.ratio())),
        absent_or(figures.band, |band| format!("±{}", scale::percent(band.high() - 1.0))),
    ]
}

fn verdict(matchup: &Matchup, delta: f64) -> String {
    match (matchup.verdict(), matchup.status) {
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

/// A titled list of parts, and lines on them. All of it is escaped.
struct Block {
    title: String,
    parts: Vec<Vec<String>>,
    lines: Vec<String>,
}

impl Block {
    fn show(self, style: Style) -> String {
        let grid = Grid { head: &TERM_COLUMNS, figures: TERM_FIGURES, rows: self.parts };
        let has_parts = !grid.rows.is_empty();
        let texts = match style {
            Style::Table => {
                let parts = has_parts.then(|| indented(&grid.text_without_head()));
                let lines = (!self.lines.is_empty()).then(|| indented(&self.lines.join("\n")));
                return std::iter::once(self.title).chain(parts).chain(lines).collect::<Vec<_>>().join("\n");
            }
            Style::Markdown => [
                format!("**{}**", plain(&self.title)),
                if has_parts { grid.markdown() } else { String::new() },
                list(self.lines),
            ],
        };
        texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// A block for each ledger; the accounts of a scenario with its arguments follow the last ledger of those, or have a
/// block of their own where there is none.
fn blocks(comparison: &Comparison) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (scenario, arguments) in groups(comparison) {
        let ledgers = comparison.ledgers.iter().filter(|one| one.scenario == scenario && one.arguments == *arguments);
        let accounts = comparison.accounts.iter().filter(|one| one.scenario == scenario && one.arguments == *arguments);
        let mut of_group: Vec<Block> = ledgers.map(ledger).collect();
        let lines: Vec<String> = accounts.filter_map(account).collect();
        match of_group.last_mut() {
            Some(last) => last.lines.extend(lines),
            None if lines.is_empty() => {}
            None => of_group.push(Block { title: name(scenario, arguments), parts: Vec::new(), lines }),
        }
        blocks.extend(of_group);
    }
    blocks
}

/// Every scenario with its arguments of which there is a ledger or an account, in the order of those.
fn groups(comparison: &Comparison) -> Vec<(&str, &Arguments)> {
    let ledgers = comparison.ledgers.iter().map(|ledger| (ledger.scenario.as_str(), &ledger.arguments));
    let accounts = comparison.accounts.iter().map(|account| (account.scenario.as_str(), &account.arguments));
    let mut groups: Vec<_> = ledgers.chain(accounts).collect();
    // Values are never NaN, so arguments always compare.
    groups.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    groups.dedup();
    groups
}

fn name(scenario: &str, arguments: &Arguments) -> String {
    escape(format!("{scenario} {arguments}").trim_end()).into_owned()
}

fn ledger(ledger: &LedgerView) -> Block {
    let title = format!(
        "{} {}: {}{} an operation (n {} observed in {} proc.)",
        name(&ledger.scenario, &ledger.arguments),
        escape(&ledger.label.to_string()),
        scale::nanoseconds(ledger.total.mean),
        ledger.total.half_width().map_or_else(String::new, |half| format!(" ± {}", scale::nanoseconds(half))),
        scale::count(ledger.operations as f64),
        ledger.processes,
    );
    let observing = ledger.stretch().map(|stretch| {
        format!(
            "observing stretched an operation by {}: {}, {} events of {} each",
            scale::ratio(stretch),
            scale::nanoseconds(ledger.observed.mean),
            scale::rate(ledger.events),
            scale::nanoseconds(ledger.event.mean),
        )
    });
    let lines = [times("once", &ledger.once), times("boundary", &ledger.boundary), observing];
    Block { title, parts: ledger.terms.iter().map(part).collect(), lines: lines.into_iter().flatten().collect() }
}

fn part(term: &LedgerTerm) -> Vec<String> {
    let Mean { mean, .. } = term.ns;
    vec![
        escape(&term.name).into_owned(),
        scale::nanoseconds(mean),
        term.ns.half_width().map_or_else(String::new, |half| format!("± {}", scale::nanoseconds(half))),
        absent_or(term.share, scale::percent),
    ]
}

fn times(what: &str, terms: &[LedgerTerm]) -> Option<String> {
    let times = terms.iter().map(|term| format!("{} {}", escape(&term.name), scale::nanoseconds(term.ns.mean)));
    (!terms.is_empty()).then(|| format!("{what}: {}", times.collect::<Vec<_>>().join(", ")))
}

/// `wasm: 1204 instructions, 2 host calls (…), 64 B lifted an operation (n 1000); …`; nothing where nothing is known.
fn account(subject: &SubjectAccount) -> Option<String> {
    let account = &subject.account;
    let of = |operations: u64, figures: Vec<String>| {
        let text = figures.join(", ");
        (!text.is_empty()).then(|| format!("{text} an operation (n {})", scale::count(operations as f64)))
    };
    let bytes = |what: &str, bytes: Option<u64>| Some(format!("{what} {}", scale::bytes(bytes? as f64)));
    let texts = [
        of(account.counted, counted(account)),
        of(account.watched, watched(account)),
        bytes("machine code", account.code_bytes),
        bytes("process memory up to", account.memory_bytes_max),
    ];
    let texts: Vec<String> = texts.into_iter().flatten().collect();
    (!texts.is_empty()).then(|| format!("{}: {}", escape(&subject.label.to_string()), texts.join("; ")))
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
    let mut names: Vec<String> = made
        .iter()
        .take(IMPORTS_MAX)
        .map(|(name, count)| format!("{} {}", escape(name), scale::rate(*count)))
        .collect();
    if made.len() > IMPORTS_MAX {
        names.push(format!("{} more imports", made.len() - IMPORTS_MAX));
    }
    let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let calls = if total == 1.0 { "call" } else { "calls" };
    format!("{} host {calls}{names}", scale::rate(total))
}

fn watched(account: &AccountView) -> Vec<String> {
    let figures = [
        ("minor faults", account.faults_minor),
        ("major faults", account.faults_major),
        ("voluntary switches", account.switches_voluntary),
        ("involuntary switches", account.switches_involuntary),
    ];
    figures.into_iter().filter_map(|(name, count)| Some(format!("{} {name}", scale::rate(count?)))).collect()
}

fn absent_or<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| ABSENT.to_owned(), show)
}
