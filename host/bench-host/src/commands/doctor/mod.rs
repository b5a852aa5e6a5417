//! `doctor`: shows what this machine supports, with a reason and the next step for whatever is missing, and its rooflines.

mod abilities;
mod conditions;
mod counters;

use crate::cli::{DoctorArgs, Format, GrantArgs, LimitArgs};
use crate::execute::{interrupt, limits};
use crate::fingerprint::fingerprint;
use crate::modules::Loader;
use crate::{Exit, output};
use abilities::{Ability, abilities};
use bench_engine::calibration::Effort;
use bench_model::MachineLimit;
use bench_report::scale;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::LimitRecord;
use conditions::facts;
use serde_json::json;
use std::path::Path;

pub(crate) fn run(arguments: &DoctorArgs) -> anyhow::Result<Exit> {
    let nothing = GrantArgs { allow_net: Vec::new(), allow_dir: Vec::new(), env: Vec::new() };
    let loader = Loader::new(&nothing, LimitArgs { memory: 1 << 30, deadline: 30_000_000_000 })?;
    let fingerprint = fingerprint(Path::new("results"));
    let abilities = abilities(&fingerprint);
    let effort = if arguments.quick { Effort::QUICK } else { Effort::DEFAULT };
    let here = std::env::current_dir()?;
    let Some(limits) = limits(&loader, effort, &here, interrupt()?)? else { return Ok(Exit::NotMeasured) };
    output::print(&match arguments.format {
        Format::Json => serde_json::to_string_pretty(&json!({
            "fingerprint": fingerprint, "abilities": abilities, "calibration": limits,
        }))?,
        _ => text(&fingerprint, &abilities, &limits),
    })?;
    Ok(Exit::Done)
}

fn text(fingerprint: &Fingerprint, abilities: &[Ability], limits: &[LimitRecord]) -> String {
    let cpu = fingerprint.cpu_model.as_deref().unwrap_or("unnamed processor");
    let mut text = format!("{} × {cpu}, {} {}\n\n", fingerprint.cpus, fingerprint.os, fingerprint.kernel);
    for ability in abilities {
        let mark = match ability.present {
            Some(true) => "yes",
            Some(false) => "no ",
            None => "?  ",
        };
        text.push_str(&format!("{mark}  {:14} {}\n", ability.name, ability.found));
        if let Some(next) = &ability.next_step {
            text.push_str(&format!("                    {next}\n"));
        }
    }
    text.push('\n');
    for (name, value) in facts(fingerprint) {
        text.push_str(&format!("{name:19} {value}\n"));
    }
    text.push_str(&format!("\n{:15} {:>12} {:>12} {:>6}  measured as\n", "roofline", "median", "min", "n"));
    for limit in limits {
        let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| shown(limit, value));
        text.push_str(&format!(
            "{:15} {:>12} {:>12} {:>6}  {}\n",
            limit.limit,
            shown(limit.median),
            shown(limit.min),
            limit.count,
            limit.detail
        ));
    }
    text
}

/// Formats a time. For a roofline per byte, formats the bandwidth, its inverse: nanoseconds per byte are seconds per gigabyte.
fn shown(limit: &LimitRecord, value: f64) -> String {
    let is_per_byte = limit.limit.known().is_some_and(MachineLimit::is_per_byte);
    if is_per_byte { format!("{:.1} GB/s", 1.0 / value) } else { scale::nanoseconds(value) }
}
