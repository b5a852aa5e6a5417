//! The first thing a reader sees: how cells, comparisons and targets came out, in numbers and words.

use super::write::safe;
use crate::{ComparisonReport, RunView, TargetResult, TargetVerdict, text};
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
    let others = [(failed, "failed"), (void, "void"), (skipped, "skipped"), (missing as usize, "not run")];
    let others: Vec<String> =
        others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let class = if failed > 0 {
        "bad"
    } else if others.is_empty() {
        "good"
    } else {
        "doubt"
    };
    let more = if others.is_empty() { "every check passed".to_owned() } else { others.join(", ") };
    tile(class, &format!("{ok} of {total}"), "cells ok", &more)
}

fn compared(comparisons: &[&ComparisonReport]) -> Option<String> {
    let verdicts =
        comparisons.iter().flat_map(|comparison| comparison.comparisons.iter().filter_map(crate::Comparison::verdict));
    let verdicts: Vec<Verdict> = verdicts.collect();
    let count = |is_it: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| is_it(verdict)).count();
    let different = count(|verdict| *verdict == Verdict::Different);
    let others = [
        (count(|verdict| *verdict == Verdict::Equivalent), "equivalent"),
        (count(|verdict| matches!(verdict, Verdict::Undecided { .. })), "undecided"),
        (count(|verdict| *verdict == Verdict::Withheld), "withheld"),
    ];
    let others: Vec<String> =
        others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let worse: usize = comparisons.iter().map(|comparison| comparison.regressions()).sum();
    let worse = (worse > 0).then(|| format!("{worse} slower than the baseline"));
    let more = worse.clone().into_iter().chain(others).collect::<Vec<_>>().join(", ");
    let what = format!("of {} different", text::number(verdicts.len(), "comparison"));
    (!verdicts.is_empty()).then(|| tile(if worse.is_some() { "bad" } else { "" }, &different.to_string(), &what, &more))
}

fn targets(targets: &[&TargetResult]) -> String {
    let count = |verdict| targets.iter().filter(|target| target.verdict() == verdict).count();
    let [pass, miss, not] = [TargetVerdict::Pass, TargetVerdict::Miss, TargetVerdict::NotMeasured].map(count);
    let class = if miss > 0 { "bad" } else { "good" };
    tile(class, &format!("{pass} of {}", pass + miss), "targets pass", &format!("{miss} missed, {not} not measured"))
}
