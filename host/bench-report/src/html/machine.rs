//! The machine card: what was measured where and how, the rooflines before and after, and what makes figures doubtful.

use super::write::{copy_button, list, pairs, safe, sorting_head};
use crate::calibration::{self, LimitPair};
use crate::document::{Datum, Document, Measure, Records};
use crate::{PartView, RunView, escape, notes, scale};
use bench_model::MachineLimit;
use bench_sink::runfile::{CalibrationRecord, LimitRecord, Named};

/// The columns of the table of rooflines, with the class of each.
const HEADS: [(&str, &str); 6] =
    [("roofline", ""), ("before", "n"), ("after", "n"), ("drift", "n"), ("n", "n"), ("how", "")];

/// The same for spreadsheets, where intervals, units and numbers of samples have columns of their own.
const COLUMNS: [&str; 12] = [
    "roofline",
    "unit",
    "before",
    "before_low",
    "before_high",
    "before_count",
    "after",
    "after_low",
    "after_high",
    "after_count",
    "drift",
    "detail",
];

/// The card of one run; `index` tells several apart.
pub(super) fn card(view: &RunView, index: usize) -> String {
    let machine = &view.fingerprint;
    let facts = pairs([
        ("processor", Some(machine.cpu_model.clone().unwrap_or_else(|| machine.architecture.clone()))),
        ("processors", Some(machine.cpus.to_string())),
        ("memory", machine.memory_bytes.map(|bytes| scale::bytes(bytes as f64))),
        ("system", Some(format!("{} {} {}", machine.os, machine.kernel, machine.architecture))),
        ("load when it began", machine.load.map(|[one, five, fifteen]| format!("{one:.2} {five:.2} {fifteen:.2}"))),
        ("run", Some(view.id.clone())),
        ("began", Some(view.started.clone())),
        ("ended", view.ended.as_ref().map(|end| end.finished.clone())),
        ("effort", Some(notes::effort(view, " per cell"))),
        ("command", Some(view.command.join(" "))),
    ]);
    let warnings: Vec<String> =
        view.warnings.iter().map(|warning| format!("{}: {}", warning.found, warning.remedy)).collect();
    format!(
        "<section id=\"machine-{index}\"><h2>Machine</h2><div class=\"card\">{facts}{}</div>{}</section>",
        list(&warnings),
        rooflines(view, &format!("rooflines-{index}"))
    )
}

/// What the machine itself takes, before and after, as the table `id`; a table for each part of the run if it has parts.
fn rooflines(view: &RunView, id: &str) -> String {
    let tables = view.calibrations().enumerate().map(|(at, (part, records))| match part {
        None => table(records, id, "Rooflines"),
        Some(part) => table(records, &format!("{id}-{}", at + 1), &format!("Rooflines of {}", part.name())),
    });
    tables.collect()
}

/// The rooflines of one machine as the table `id`.
fn table(records: &[CalibrationRecord], id: &str, title: &str) -> String {
    let pairs = calibration::pairs(records);
    if pairs.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for (limit, pair) in &pairs {
        let Some(record) = pair.any() else { continue };
        let figure = |value: f64| scale::figure(value, &record.unit);
        let amount = |value: Option<f64>, of: Option<&LimitRecord>| {
            let Some(value) = value else { return "–".to_owned() };
            match of.and_then(calibration::interval) {
                Some(interval) => format!("{} ({} to {})", figure(value), figure(interval.low), figure(interval.high)),
                None => figure(value),
            }
        };
        let drift = pair.drift().map_or_else(String::new, |drift| format!("{:+.0} %", drift.share * 100.0));
        rows.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"n\" data-v=\"{}\">{}</td><td class=\"n\" data-v=\"{}\">{}</td>\
             <td class=\"n\" data-v=\"{}\"><span class=\"doubt\">{}</span></td><td class=\"n\" data-v=\"{count}\">{count}</td><td>{}</td></tr>",
            safe(&limit.to_string()),
            raw(pair.before()),
            safe(&amount(pair.before(), pair.before)),
            raw(pair.after()),
            safe(&amount(pair.after(), pair.after)),
            raw(pair.drift().map(|drift| drift.share)),
            safe(&drift),
            safe(&record.detail),
            count = record.count
        ));
    }
    let heads: String = HEADS.iter().map(|(title, class)| sorting_head(title, class)).collect();
    format!(
        "<h3>{title}</h3><div class=\"tools\">{}</div>\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\"><table id=\"{id}\"><thead><tr>\
         {heads}</tr></thead><tbody>{rows}</tbody></table></div>",
        copy_button(id),
        title = safe(title)
    )
}

/// The rooflines for spreadsheets, in base units; what was not measured is empty. Nothing where there are none. If the run has parts, the
/// machine is the first column.
pub(super) fn document(view: &RunView) -> Document {
    let machine = (!view.parts.is_empty()).then_some("machine");
    let columns = machine.into_iter().chain(COLUMNS).collect();
    let rows: Vec<Vec<String>> = view.calibrations().flat_map(|(part, records)| rows(part, records)).collect();
    let records = (!rows.is_empty()).then_some(Records { columns, rows });
    Document { records, ..Document::default() }
}

/// A row for each roofline of one machine.
fn rows(part: Option<&PartView>, records: &[CalibrationRecord]) -> Vec<Vec<String>> {
    let machine = part.map(|part| escape(part.name()).into_owned());
    let row = |(limit, pair): (&Named<MachineLimit>, LimitPair<'_>)| {
        Some(machine.clone().into_iter().chain(record(limit, &pair)?).collect())
    };
    calibration::pairs(records).into_iter().filter_map(row).collect()
}

fn record(limit: &Named<MachineLimit>, pair: &LimitPair<'_>) -> Option<Vec<String>> {
    let any = pair.any()?;
    let drift = pair.before().zip(pair.after()).and_then(|(before, after)| bench_stats::drift(before, after));
    let text = |text: &str| escape(text).into_owned();
    let first = [text(&limit.to_string()), text(&any.unit.to_string())];
    let last = [raw(drift), text(&any.detail)];
    Some(first.into_iter().chain(moment(pair.before)).chain(moment(pair.after)).chain(last).collect())
}

/// The median at one time, its interval, and the number of samples.
fn moment(record: Option<&LimitRecord>) -> [String; 4] {
    let Some(record) = record else { return Default::default() };
    let interval = calibration::interval(record);
    let [low, high] = [interval.map(|interval| interval.low), interval.map(|interval| interval.high)];
    [raw(record.median), raw(low), raw(high), record.count.to_string()]
}

/// A figure in its base unit; empty where it is absent.
fn raw(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| Datum::number(value, Measure::Plain).raw())
}
