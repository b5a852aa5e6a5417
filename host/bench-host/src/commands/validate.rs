//! `validate`: a recorded run held against targets. It reads the run file and nothing else.

use crate::cli::ValidateArgs;
use crate::{Exit, output};
use anyhow::Context;
use bench_model::MachineLimit;
use bench_registry::{Baseline, Target};
use bench_report::{CellView, RunView, SeriesView};
use bench_stats::quantile_is_supported;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

pub(crate) fn run(arguments: &ValidateArgs) -> anyhow::Result<Exit> {
    let targets = bench_registry::targets(&arguments.targets)?;
    let directory = match &arguments.run {
        Some(directory) => directory.clone(),
        None => newest(&arguments.out)?,
    };
    let view = RunView::read(&directory)?;
    let verdicts: Vec<_> = targets.target.iter().map(|target| (target, judge(&view, target))).collect();
    let mut text = format!("{:18} {:>12} {:>12} {:>9} {:>9}  verdict\n", "target", "value", "at most", "margin", "n");
    for (target, verdict) in &verdicts {
        text.push_str(&row(target, verdict));
    }
    text.push_str(&format!("run directory: {}\n", directory.display()));
    output::print(&text)?;
    Ok(if verdicts.iter().any(|(target, verdict)| verdict.as_ref().is_ok_and(|value| value.figure > target.at_most)) {
        Exit::Finding
    } else if verdicts.iter().any(|(_, verdict)| verdict.is_err()) {
        Exit::NotMeasured
    } else {
        Exit::Done
    })
}

/// What a target's value came to, and how many samples stand behind it.
#[derive(Clone, Copy, Debug)]
struct Value {
    figure: f64,
    samples: u64,
}

fn row(target: &Target, verdict: &Result<Value, String>) -> String {
    let bound = figure(target, target.at_most);
    match verdict {
        Ok(value) => {
            let margin = 100.0 * (target.at_most - value.figure) / target.at_most;
            let word = if value.figure <= target.at_most { "pass" } else { "miss" };
            let (shown, n) = (figure(target, value.figure), value.samples);
            format!("{:18} {shown:>12} {bound:>12} {margin:>8.1}% {n:>9}  {word}: {}\n", target.name, target.summary)
        }
        Err(why) => format!("{:18} {:>12} {bound:>12} {:>9} {:>9}  not measured: {why}\n", target.name, "–", "–", "–"),
    }
}

fn figure(target: &Target, value: f64) -> String {
    if target.relative_to.is_some() { format!("{value:.2}×") } else { format!("{value:.1}") }
}

fn judge(view: &RunView, target: &Target) -> Result<Value, String> {
    let wanted = Wanted {
        scenario: &target.scenario,
        arm: &target.arm,
        metric: target.metric.as_deref(),
        labels: &target.labels,
        arguments: strings(&target.arguments),
    };
    let (value, samples) = quantile(view, &wanted, target)?;
    let value = value / target.per;
    let figure = match &target.relative_to {
        Some(baseline) => value / base(view, target, baseline)?,
        None => value,
    };
    Ok(Value { figure, samples })
}

/// The value a target's own is set against.
fn base(view: &RunView, target: &Target, baseline: &Baseline) -> Result<f64, String> {
    if let Some(name) = &baseline.limit {
        let limit: MachineLimit = name.parse()?;
        return view
            .limit(limit)
            .map(|value| value / baseline.per)
            .ok_or_else(|| format!("the machine's limit `{name}` was not measured"));
    }
    let own_scenario = baseline.scenario.as_ref().is_none_or(|scenario| *scenario == target.scenario);
    let arguments = if own_scenario && baseline.arguments.is_empty() { &target.arguments } else { &baseline.arguments };
    let wanted = Wanted {
        scenario: baseline.scenario.as_ref().unwrap_or(&target.scenario),
        arm: baseline.arm.as_ref().unwrap_or(&target.arm),
        metric: baseline.metric.as_deref(),
        labels: &baseline.labels,
        arguments: strings(arguments),
    };
    Ok(quantile(view, &wanted, target)?.0 / baseline.per)
}

/// A series, as a target names it.
struct Wanted<'a> {
    scenario: &'a str,
    arm: &'a str,
    metric: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
    arguments: Vec<(String, String)>,
}

fn strings<V: Display>(arguments: &BTreeMap<String, V>) -> Vec<(String, String)> {
    arguments.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
}

impl Wanted<'_> {
    fn is(&self, cell: &CellView) -> bool {
        let argument = |(name, value): &(String, String)| {
            cell.arguments.get(name).is_some_and(|found| found.to_string() == *value)
        };
        cell.scenario == self.scenario && cell.arm.as_str() == self.arm && self.arguments.iter().all(argument)
    }

    fn series<'a>(&self, cell: &'a CellView) -> Option<&'a SeriesView> {
        let Some(metric) = self.metric else { return cell.timed() };
        let labelled = |series: &&SeriesView| {
            series.labels.len() == self.labels.len()
                && series.labels.iter().all(|(name, value)| self.labels.get(name) == Some(value))
        };
        cell.series.iter().filter(|series| series.metric == metric).find(labelled)
    }
}

/// The quantile the target asks for, of the one series that is wanted, with its samples.
fn quantile(view: &RunView, wanted: &Wanted<'_>, target: &Target) -> Result<(f64, u64), String> {
    let named = || format!("{} {}", wanted.scenario, wanted.arm);
    let cells: Vec<_> = view.cells.iter().filter(|cell| wanted.is(cell)).collect();
    let cell = match cells[..] {
        [cell] => cell,
        [] => return Err(format!("the run has no cell {}", named())),
        _ => return Err(format!("the run has {} cells {}; a target is held to one", cells.len(), named())),
    };
    let Some(series) = wanted.series(cell) else {
        return Err(cell.reason.clone().unwrap_or_else(|| format!("{} has no such series", named())));
    };
    if series.samples < target.samples_min || !quantile_is_supported(series.samples, target.quantile) {
        return Err(format!("{} samples, at least {} are needed", series.samples, target.samples_min));
    }
    let value = series.distribution.quantile(target.quantile).ok_or_else(|| format!("{} has no samples", named()))?;
    Ok((value, series.samples))
}

/// Run directories begin with the time, so the last by name is the newest.
fn newest(out: &Path) -> anyhow::Result<PathBuf> {
    let entries =
        std::fs::read_dir(out).with_context(|| format!("cannot read {}; name a run directory", out.display()))?;
    let runs = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join(bench_sink::runfile::FILE_NAME).is_file());
    runs.max().with_context(|| format!("there is no run in {}; `bench-host run` makes one", out.display()))
}
