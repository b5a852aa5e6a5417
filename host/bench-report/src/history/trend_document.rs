//! The document of trends: for each cell its figure over time, and a row for each step with its cause.

use super::sparkline::sparkline;
use super::trend::{Cause, CellTrend, ExplainedStep, signed_percent};
use super::{CellHistory, RunEntry, runs};
use crate::document::{Body, Column, Data, Datum, Document, Rank, Section, Table};
use crate::{Records, escape};
use bench_model::Unit;
use bench_stats::TREND_VALUES_MIN;
use serde_json::{Value, json};

/// The steps in the cells of `runs`, which are sorted by time.
pub fn trend_document(runs: &[RunEntry], left_out: Vec<String>) -> Document {
    let trends: Vec<CellTrend<'_>> = CellHistory::of(runs).into_iter().map(CellTrend::of).collect();
    let mut sections: Vec<Section> = trends.iter().map(section).collect();
    sections.push(Section::warnings(left_out));
    sections.push(Section::footer(vec![
        format!("steps: at least two of three detectors (energy distance, ranks, likelihood) and p ≤ 0.001; at least {TREND_VALUES_MIN} runs"),
        "the machine is the cause if its fingerprint changed with the step, or a roofline moved with it by at least half as much (p ≤ 0.01)"
            .to_owned(),
    ]));
    let data = json!({ "trends": trends.iter().map(data).collect::<Vec<_>>() });
    Document { data: Data::from(data), records: Some(records(&trends)), sections }
}

fn title(trend: &CellTrend<'_>) -> String {
    let cell = trend.history.cell();
    let conditions = cell.conditions.iter().map(|(name, value)| format!("{name}={value}"));
    let mut parts = vec![cell.scenario.clone(), cell.arm_label(), cell.arguments.to_string()];
    parts.extend(conditions);
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

fn unit(trend: &CellTrend<'_>) -> Unit {
    trend.history.cell().unit.clone().unwrap_or(Unit::Count)
}

fn section(trend: &CellTrend<'_>) -> Section {
    let unit = unit(trend);
    let columns = vec![
        Column::words("step").key("first_after"),
        Column::figures("change"),
        Column::figures("before"),
        Column::figures("after"),
        Column::figures("p").rank(Rank::Extra(2)),
        Column::figures("votes").rank(Rank::Extra(1)),
        Column::words("cause"),
    ];
    let row = |step: &ExplainedStep<'_>| {
        vec![
            Datum::text(day(step.first_after)),
            Datum::text(signed_percent(step.step.ratio())),
            Datum::amount(step.step.before, &unit),
            Datum::amount(step.step.after, &unit),
            Datum::text(format!("{:.0e}", step.step.p)),
            Datum::text(format!("{} of 3", step.step.votes)),
            Datum::text(cause(&step.cause)),
        ]
    };
    let rows: Vec<_> = trend.steps.iter().map(row).collect();
    let mut remarks = vec![summary(trend)];
    remarks.extend(trend.steps.iter().filter_map(remark));
    let commands = trend.steps.iter().filter_map(|step| step.bisect(trend.history.cell())).collect();
    let table = Table::plain(columns, rows);
    let body = if trend.steps.is_empty() { Body::Notes(crate::Notes::default()) } else { Body::Table(table) };
    Section::new("trends", title(trend), body).in_data().with_remarks(remarks).with_commands(commands)
}

/// The date of a run and its revision.
fn day(run: &RunEntry) -> String {
    let date = run.started.get(..10).unwrap_or(&run.started);
    run.revision().map_or_else(|| date.to_owned(), |revision| format!("{date} {}", runs::short_revision(revision)))
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Machine(lines) => format!("machine: {}", lines.join("; ")),
        Cause::Program(lines) => format!("program: {}", lines.join("; ")),
        Cause::Commits { good, bad } => {
            format!("commits {}..{}", runs::short_revision(good), runs::short_revision(bad))
        }
        Cause::Unknown(why) => format!("unknown: {why}"),
    }
}

/// `n 40 runs ▁▁▁▁████, no step`.
fn summary(trend: &CellTrend<'_>) -> String {
    let line = sparkline(trend.history.figures());
    let count = trend.points.len();
    let mut parts = vec![format!("n {count} runs {line}")];
    if trend.history.is_of_means() {
        parts.push("means, because one run has too few samples for a median".to_owned());
    }
    match (&trend.drift, trend.steps.is_empty()) {
        (Some(drift), _) => {
            parts.push(format!("drift of {} over {} runs, no step", signed_percent(drift.ratio), drift.values))
        }
        (None, true) if count < TREND_VALUES_MIN => {
            parts.push(format!("too few for steps: at least {TREND_VALUES_MIN} are needed"));
        }
        (None, true) => parts.push("no step".to_owned()),
        (None, false) => {}
    }
    if !trend.outliers.is_empty() {
        let runs: Vec<&str> = trend.outliers.iter().map(|run| run.id.as_str()).collect();
        parts.push(format!("outliers: {}", runs.join(" ")));
    }
    parts.join(", ")
}

/// What acquits the machine.
fn remark(step: &ExplainedStep<'_>) -> Option<String> {
    let day = day(step.first_after);
    if matches!(step.cause, Cause::Machine(_)) {
        return None;
    }
    Some(match step.rooflines.first() {
        Some((limit, shift)) => format!(
            "{day}: not the machine: of {} rooflines {limit} moved most, {}, p {:.2}",
            step.rooflines.len(),
            signed_percent(shift.ratio),
            shift.p
        ),
        None => format!("{day}: the machine is not acquitted: too few of these runs measured rooflines"),
    })
}

fn data(trend: &CellTrend<'_>) -> Value {
    let cell = trend.history.cell();
    let step = |step: &ExplainedStep<'_>| {
        let (kind, detail) = match &step.cause {
            Cause::Machine(lines) => ("machine", json!(lines)),
            Cause::Program(lines) => ("program", json!(lines)),
            Cause::Commits { good, bad } => ("commits", json!({"good": good, "bad": bad})),
            Cause::Unknown(why) => ("unknown", json!(why)),
        };
        let rooflines = step.rooflines.iter();
        json!({
            "last_before": step.last_before.id,
            "first_after": step.first_after.id,
            "ratio": step.step.ratio(),
            "before": step.step.before,
            "after": step.step.after,
            "p": step.step.p,
            "votes": step.step.votes,
            "cause": kind,
            "detail": detail,
            "rooflines": rooflines.map(|(limit, shift)| json!({"limit": limit.to_string(), "ratio": shift.ratio, "p": shift.p})).collect::<Vec<_>>(),
            "bisect": step.bisect(cell),
        })
    };
    json!({
        "scenario": cell.scenario,
        "arm": cell.arm_label(),
        "arguments": cell.arguments,
        "conditions": cell.conditions,
        "machine": trend.history.machine(),
        "unit": unit(trend).to_string(),
        "statistic": trend.history.statistic(),
        "runs": trend.points.iter().map(|(run, _, value)| json!({"run": run.id, "value": value})).collect::<Vec<_>>(),
        "steps": trend.steps.iter().map(step).collect::<Vec<_>>(),
        "drift": trend.drift.map(|drift| json!({"ratio": drift.ratio, "runs": drift.values})),
        "outliers": trend.outliers.iter().map(|run| &run.id).collect::<Vec<_>>(),
    })
}

/// A row for each step.
fn records(trends: &[CellTrend<'_>]) -> Records {
    let columns = vec![
        "scenario",
        "arm",
        "arguments",
        "last_before",
        "first_after",
        "unit",
        "before",
        "after",
        "ratio",
        "p",
        "votes",
        "cause",
    ];
    let rows = trends.iter().flat_map(|trend| {
        let cell = trend.history.cell();
        trend.steps.iter().map(move |step| {
            let text = |text: &str| escape(text).into_owned();
            vec![
                text(&cell.scenario),
                text(&cell.arm_label()),
                text(&cell.arguments.to_string()),
                text(&step.last_before.id),
                text(&step.first_after.id),
                text(&unit(trend).to_string()),
                step.step.before.to_string(),
                step.step.after.to_string(),
                step.step.ratio().to_string(),
                format!("{:e}", step.step.p),
                step.step.votes.to_string(),
                text(&cause(&step.cause)),
            ]
        })
    });
    Records { columns, rows: rows.collect() }
}
