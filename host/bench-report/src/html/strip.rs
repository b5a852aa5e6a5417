//! The first thing a reader sees: how cells, comparisons and targets came out, in numbers and words.

use super::write::safe;
use crate::{Comparison, ComparisonReport, RunView, TargetResult, TargetVerdict, environment, text};
use bench_sink::runfile::Status;
use bench_stats::Verdict;

/// A tile for each thing there is to count.
pub(super) fn strip(
    views: &[&RunView],
    comparisons: &[&ComparisonReport],
    targets: &[&TargetResult],
    warnings: usize,
) -> String {
    let mut tiles = vec![cells(views)];
    if let Some(compared) = compared(comparisons) {
        tiles.push(compared);
    }
    if !targets.is_empty() {
        tiles.push(self::targets(targets));
    }
    tiles.push(match warnings {
        0 => tile("good", "0", "warnings", ""),
        count => tile("doubt", &count.to_string(), "warnings", "see what to keep in mind"),
    });
    format!("<div class=\"strip\" role=\"group\" aria-label=\"Summary\">{}</div>", tiles.concat())
}

fn tile(class: &str, number: &str, what: &str, more: &str) -> String {
    format!(
        "<div class=\"tile {class}\"><b>{}</b> <span>{}</span><small>{}</small></div>",
        safe(number),
        safe(what),
        safe(more)
    )
}

fn cells(views: &[&RunView]) -> String {
    let all = views.iter().flat_map(|view| &view.cells);
    let count = |status: Status| all.clone().filter(|cell| cell.status == status).count();
    let [ok, failed, void, skipped] = [Status::Ok, Status::Failed, Status::Void, Status::Skipped].map(count);
    let missing: u32 = views.iter().filter_map(|view| view.missing()).map(|missing| missing.cells).sum();
    let total = all.clone().count() + missing as usize;
    let disturbed = all.clone().filter(|cell| environment::is_disturbed(cell)).count();
    let refused = views.iter().flat_map(|view| &view.modules).filter(|module| module.refused.is_some()).count();
    let is_cut = views.iter().any(|view| view.interrupted().is_some() && view.missing().is_none());
    let counts = [
        (failed, "failed"),
        (void, "void"),
        (skipped, "skipped"),
        (missing as usize, "not run"),
        (disturbed, environment::MARK),
    ];
    let mut others = counted(&counts);
    others.extend((refused > 0).then(|| format!("{} refused", text::number(refused, "module"))));
    others.extend(is_cut.then(|| "ended early".to_owned()));
    let class = if failed + refused > 0 {
        "bad"
    } else if others.is_empty() {
        "good"
    } else {
        "doubt"
    };
    let more = if others.is_empty() { "every check passed".to_owned() } else { others.join(", ") };
    tile(class, &format!("{ok} of {total}"), "cells ok", &more)
}

/// Each number that is not 0, with what it counts.
fn counted(counts: &[(usize, &str)]) -> Vec<String> {
    counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
}

fn compared(comparisons: &[&ComparisonReport]) -> Option<String> {
    let all = || comparisons.iter().flat_map(|comparison| &comparison.comparisons);
    let verdicts: Vec<Verdict> = all().filter_map(Comparison::verdict).collect();
    let disturbed = all().filter(|compared| !compared.mark().is_empty()).count();
    let count = |is_it: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| is_it(verdict)).count();
    let different = count(|verdict| *verdict == Verdict::Different);
    let others = [
        (count(|verdict| *verdict == Verdict::Equivalent), "equivalent"),
        (count(|verdict| matches!(verdict, Verdict::Undecided { .. })), "undecided"),
        (count(|verdict| *verdict == Verdict::Withheld), "withheld"),
        (disturbed, environment::MARK),
    ];
    let worse: usize = comparisons.iter().map(|comparison| comparison.regressions()).sum();
    let class = match (worse, disturbed) {
        (0, 0) => "",
        (0, _) => "doubt",
        _ => "bad",
    };
    let worse = (worse > 0).then(|| format!("{worse} slower than the baseline"));
    let more = worse.into_iter().chain(counted(&others)).collect::<Vec<_>>().join(", ");
    let what = format!("of {} different", text::number(verdicts.len(), "comparison"));
    (!verdicts.is_empty()).then(|| tile(class, &different.to_string(), &what, &more))
}

fn targets(targets: &[&TargetResult]) -> String {
    let count = |verdict| targets.iter().filter(|target| target.verdict() == verdict).count();
    let [pass, miss, not] = [TargetVerdict::Pass, TargetVerdict::Miss, TargetVerdict::NotMeasured].map(count);
    let class = match (miss, not) {
        (0, 0) => "good",
        (0, _) => "doubt",
        _ => "bad",
    };
    tile(class, &format!("{pass} of {}", pass + miss), "targets pass", &format!("{miss} missed, {not} not measured"))
}
