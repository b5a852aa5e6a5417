//! The machine card: what was measured where and how, the rooflines before and after, and what makes figures doubtful.

use super::write::{copy_button, list, pairs, safe};
use crate::calibration;
use crate::{RunView, notes, scale};
use bench_sink::runfile::LimitRecord;

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

/// What the machine itself takes, before and after, as the table `id`.
fn rooflines(view: &RunView, id: &str) -> String {
    let pairs = calibration::pairs(&view.calibration);
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
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\"><span class=\"doubt\">{}</span></td>\
             <td class=\"n\">{}</td><td>{}</td></tr>",
            safe(&limit.to_string()),
            safe(&amount(pair.before(), pair.before)),
            safe(&amount(pair.after(), pair.after)),
            safe(&drift),
            record.count,
            safe(&record.detail)
        ));
    }
    format!(
        "<h3>Rooflines</h3><div class=\"tools\">{}</div>\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Rooflines\"><table id=\"{id}\"><thead><tr>\
         <th scope=\"col\">roofline</th><th scope=\"col\" class=\"n\">before</th><th scope=\"col\" class=\"n\">after</th>\
         <th scope=\"col\" class=\"n\">drift</th><th scope=\"col\" class=\"n\">n</th><th scope=\"col\">how</th></tr></thead>\
         <tbody>{rows}</tbody></table></div>",
        copy_button(id)
    )
}
