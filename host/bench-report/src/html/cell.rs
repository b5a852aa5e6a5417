//! What a row of the table of cells opens to: charts, checks, resource usage, conditions, and the command that measures it again.

use super::charts;
use super::courses::Courses;
use super::write::{figure, list, pairs, safe};
use crate::document::Datum;
use crate::plots::Chart;
use crate::shell::{parameter, quoted};
use crate::table::figures;
use crate::{AccountView, CellView, RunView, SeriesView, comparison, environment, scale};

/// The names of columns for figures of a series.
pub(super) const FIGURES: [&str; 6] = ["n", "p50", "p90", "p99", "p99.9", "max"];

/// A chart as a part of a page, with its title and notes as text. Of one that is several, those after the first are folded.
pub(super) fn chart(chart: Chart, class: &str) -> String {
    let mut panels = chart.panels().into_iter();
    let first = panels.next().map_or_else(String::new, |panel| figure_of(&panel, class));
    let folded = |panel: Chart| {
        let title = safe(panel.title());
        format!("<details class=\"more-parts\"><summary>{title}</summary>{}</details>", figure_of(&panel, class))
    };
    panels.map(folded).fold(first, |all, panel| all + &panel)
}

fn figure_of(chart: &Chart, class: &str) -> String {
    let Some(drawn) = chart.inline() else { return String::new() };
    let notes: String = chart.notes().iter().map(|note| format!("<p class=\"note\">{}</p>", safe(note))).collect();
    format!("<figure class=\"{class}\"><figcaption>{}</figcaption>{drawn}{notes}</figure>", safe(chart.title()))
}

/// Everything known of `cell`.
pub(super) fn details(view: &RunView, cell: &CellView, courses: &Courses) -> String {
    let charts = charts::of_cell(view, cell, courses).into_iter();
    let charts: String = charts.map(|(_, drawn)| chart(drawn, "chart")).collect();
    let reason =
        cell.reason.as_ref().map_or_else(String::new, |reason| format!("<p class=\"why\">{}</p>", safe(reason)));
    let charts = if charts.is_empty() { String::new() } else { format!("<div class=\"charts\">{charts}</div>") };
    let usage = cell.account.as_ref().map(|account| comparison::usage(&AccountView::of(account))).unwrap_or_default();
    let usage = part("Resource usage", &list(&usage));
    let command = part("Measure it again", &format!("<pre><code>{}</code></pre>", safe(&command(view, cell))));
    let others: Vec<&SeriesView> = cell.series.iter().filter(|series| !cell.is_timed(series)).collect();
    let checks = part("Checks", &checks(cell));
    format!(
        "{reason}{charts}<div class=\"facts\">{}{checks}{usage}{command}</div>{}",
        conditions(cell),
        series(&others)
    )
}

fn part(title: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("<div><h3>{title}</h3>{body}</div>") }
}

fn checks(cell: &CellView) -> String {
    let items: String = cell
        .checks
        .iter()
        .map(|check| {
            let (class, word) = if check.passed { ("good", "passed") } else { ("bad", "FAILED") };
            format!("<li><span class=\"{class}\">{word}</span> {}: {}</li>", safe(&check.name), safe(&check.detail))
        })
        .collect();
    if items.is_empty() { String::new() } else { format!("<ul>{items}</ul>") }
}

fn conditions(cell: &CellView) -> String {
    let overhead = cell.overhead.map(|overhead| {
        format!(
            "reading the clock {}, an empty batch {}; not subtracted",
            scale::nanoseconds(overhead.clock_ns),
            scale::nanoseconds(overhead.call_ns)
        )
    });
    let own = [
        ("module", Some(cell.module.file.clone())),
        ("SHA-256", Some(cell.module.sha256.clone())),
        ("family", Some(cell.family.clone())),
        ("processes", Some(cell.processes.to_string())),
        ("operations", Some(scale::count(cell.iterations as f64))),
        ("lost samples", cell.lost.map(|lost| lost.to_string())),
        ("processor", cell.cpu.map(|cpu| format!("{cpu}, bound"))),
        ("result", cell.checksum.map(|checksum| format!("checksum {checksum}"))),
        ("overhead", overhead),
        ("disturbed", Some(environment::of_cell(cell).join("; "))),
    ];
    let others = cell.conditions.iter().map(|(name, value)| (name.as_str(), Some(value.clone())));
    part("Conditions", &pairs(own.into_iter().chain(others)))
}

/// A row for each of `others`.
fn series(others: &[&SeriesView]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let head: String = FIGURES.iter().map(|name| format!("<th scope=\"col\" class=\"n\">{name}</th>")).collect();
    let row = |series: &&SeriesView| {
        let values: String = figures(series).iter().map(figure).collect();
        format!("<tr><th scope=\"row\">{}</th>{values}</tr>", safe(&series.title()))
    };
    let rows: String = others.iter().map(row).collect();
    format!(
        "<h3>Other series</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Other series\">\
         <table><thead><tr><th scope=\"col\">series</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

/// The command line that measures this cell alone, with the seed and the effort of the run; that of the whole run where it compared
/// cells, because a ratio is measured together.
pub(super) fn command(view: &RunView, cell: &CellView) -> String {
    if let Some(comparison) = comparison_again(&view.command, view.seed) {
        return comparison;
    }
    let is_load = view.command.iter().any(|word| word == "load");
    let mut words: Vec<String> = vec!["bench-host".to_owned()];
    match is_load {
        true => {
            words.extend(["load".to_owned(), quoted(&cell.module.file), "--filter".to_owned(), quoted(&cell.scenario)])
        }
        false => words.extend(["run".to_owned(), quoted(&cell.scenario)]),
    }
    for (name, value) in cell.arguments.iter() {
        words.extend(["-p".to_owned(), parameter(name, value)]);
    }
    words.extend(["--arm".to_owned(), cell.arm.to_string(), "--seed".to_owned(), view.seed.to_string()]);
    words.extend(needed(&view.command));
    let processes = u64::from(view.planned.processes);
    words.extend(["--processes".to_owned(), processes.to_string()]);
    match (view.planned.time_ns, view.planned.iterations) {
        (Some(time), _) => words.extend(["--time".to_owned(), format!("{}ms", (time * processes / 1_000_000).max(1))]),
        (None, Some(iterations)) => words.extend(["--iterations".to_owned(), (iterations * processes).to_string()]),
        (None, None) => {}
    }
    words.join(" ")
}

/// Options without which a cell may not be found, or not be measured, or not on the same processors.
const NEEDED: [&str; 11] = [
    "--modules",
    "--allow-net",
    "--allow-dir",
    "--env",
    "--deny",
    "--native",
    "--memory",
    "--scratch",
    "--deadline",
    "--isolation",
    "--cpu",
];

/// Those options of `command` with their values, as words of a shell.
fn needed(command: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    let mut given = command.iter().skip(1);
    while let Some(word) = given.next() {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        if NEEDED.contains(&name) {
            words.push(quoted(word));
            if name == word {
                words.extend(given.next().map(|value| quoted(value)));
            }
        }
    }
    words
}

/// The command line `command` with its seed, if it compares.
fn comparison_again(command: &[String], seed: u64) -> Option<String> {
    let words = command.iter().skip(1);
    words.clone().find(|word| !word.starts_with('-')).filter(|word| *word == "compare")?;
    let has_seed = words.clone().any(|word| word == "--seed" || word.starts_with("--seed="));
    let seed = if has_seed { String::new() } else { format!(" --seed {seed}") };
    Some(words.fold("bench-host".to_owned(), |line, word| format!("{line} {}", quoted(word))) + &seed)
}

/// The median, its interval over processes, or why there is none.
pub(super) fn spread(series: &SeriesView) -> Datum {
    let medians = &series.process_medians;
    if medians.len() < bench_stats::PROCESSES_MIN as usize {
        return Datum::Text(format!("n = {}", medians.len()));
    }
    let interval = bench_stats::mean_interval(medians, bench_stats::LEVEL);
    let share = interval.map(|interval| (interval.high - interval.estimate) / interval.estimate);
    let share = share.filter(|share| share.is_finite());
    Datum::or_absent(share.map(|share| Datum::number(share, crate::Measure::Share).marked("±")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_needed_is_needed_again() {
        let check = |line: &str, expect: &str| {
            let command: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(needed(&command).join(" "), expect, "{line}");
        };
        check("bench-host run kernels --time 1s", "");
        check("bench-host run mine/* --modules /opt/a b --env=A", "--modules /opt/a --env=A");
        check(
            "bench-host load a.wasm --native ./a --allow-net h:1 --allow-net i:2",
            "--native ./a --allow-net h:1 --allow-net i:2",
        );
        check("bench-host run x --memory", "--memory");
        check("bench-host run x --cpu 1 --quick", "--cpu 1");
    }

    #[test]
    fn comparison_is_measured_again_as_a_whole() {
        let check = |line: &str, expect: Option<&str>| {
            let command: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(comparison_again(&command, 7).as_deref(), expect, "{line}");
        };
        check("./bench-host run compare", None);
        check("bench-host load a.wasm", None);
        check("bench-host", None);
        check(
            "./bench-host -v compare kernels/* --engine fuel",
            Some("bench-host -v compare 'kernels/*' --engine fuel --seed 7"),
        );
        check("bench-host compare old.wasm --seed=3", Some("bench-host compare old.wasm --seed=3"));
    }
}
