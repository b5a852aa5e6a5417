//! `doctor`: shows what this machine supports, with a reason and the next step for whatever is missing, and its rooflines.

mod abilities;
mod conditions;
mod counters;
mod isolation;
mod prove;

use crate::Exit;
use crate::cli::{DoctorArgs, GrantArgs, LimitArgs};
use crate::execute::{interrupt, limits};
use crate::fingerprint::fingerprint;
use crate::modules::Loader;
use abilities::{Ability, abilities};
use bench_engine::calibration::Effort;
use bench_model::{MachineLimit, Unit};
use bench_report::{Body, Column, Datum, Document, Measure, Rank, Section, Table};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::LimitRecord;
use bench_stats::{Interval, LEVEL, median_interval};
use conditions::facts;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

pub(crate) fn run(arguments: &DoctorArgs) -> anyhow::Result<Exit> {
    let nothing = GrantArgs { allow_net: Vec::new(), allow_dir: Vec::new(), env: Vec::new(), deny: Vec::new() };
    let loader = Loader::new(&nothing, LimitArgs::default())?;
    let fingerprint = fingerprint(Path::new("results"));
    let abilities = abilities(&fingerprint);
    let effort = if arguments.quick { Effort::QUICK } else { Effort::DEFAULT };
    let here = std::env::current_dir()?;
    let interrupt = interrupt()?;
    let Some(limits) = limits(&loader, effort, &here, interrupt)? else { return Ok(Exit::NotMeasured) };
    let mut document = document(&fingerprint, &abilities, &limits);
    let mut exit = Exit::Done;
    if let Some(time_ns) = arguments.prove {
        let time = Duration::from_nanos(time_ns);
        let Some(proof) = prove::prove(&loader, time, arguments.seed, interrupt)? else { return Ok(Exit::NotMeasured) };
        let data = json!({"fingerprint": fingerprint, "abilities": abilities, "calibration": limits, "proof": proof});
        document.data = data.into();
        document.sections.push(prove::section(&proof));
        exit = if proof.is_refuted() { Exit::Finding } else { Exit::Done };
    }
    arguments.show.print(&document)?;
    Ok(exit)
}

fn document(fingerprint: &Fingerprint, abilities: &[Ability], limits: &[LimitRecord]) -> Document {
    let cpu = fingerprint.cpu_model.as_deref().unwrap_or("unnamed processor");
    let machine = format!("{} × {cpu}, {} {}", fingerprint.cpus, fingerprint.os, fingerprint.kernel);
    let data = json!({"fingerprint": fingerprint, "abilities": abilities, "calibration": limits});
    let sections = vec![
        Section::footer(vec![machine]),
        Section::new("abilities", "", Body::Table(ability_table(abilities))).in_data(),
        Section::new("facts", "", Body::Table(fact_table(fingerprint))).in_data(),
        Section::new("rooflines", "", Body::Table(roofline_table(limits))).in_data(),
    ];
    Document { data: data.into(), records: None, sections }
}

fn ability_table(abilities: &[Ability]) -> Table {
    let columns = vec![
        Column::words("has").key("present"),
        Column::words("ability").key("name"),
        Column::words("found"),
        Column::words("what to do").key("next_step").rank(Rank::Filled),
    ];
    let row = |ability: &Ability| {
        let next = ability.next_step.as_ref().map_or(Datum::Blank, Datum::text);
        let has = match ability.present {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        vec![Datum::text(has), Datum::text(ability.name), Datum::text(&ability.found), next]
    };
    Table::plain(columns, abilities.iter().map(row).collect())
}

fn fact_table(fingerprint: &Fingerprint) -> Table {
    let columns = vec![Column::words("of the machine").key("name"), Column::words("found").key("value")];
    let rows = facts(fingerprint).into_iter().map(|(name, value)| vec![Datum::text(name), Datum::text(value)]);
    Table::plain(columns, rows.collect())
}

fn roofline_table(limits: &[LimitRecord]) -> Table {
    let columns = vec![
        Column::words("roofline"),
        Column::figures("median"),
        Column::figures("95 % interval").key("interval"),
        Column::figures("min"),
        Column::figures("n"),
        Column::words("measured as").key("detail"),
    ];
    let row = |limit: &LimitRecord| {
        let figure = |value: Option<f64>| Datum::or_absent(value.map(|value| figure(limit, value)));
        let count = Datum::number(limit.count as f64, Measure::Plain);
        let name = Datum::text(limit.limit.to_string());
        vec![name, figure(limit.median), interval(limit), figure(limit.min), count, Datum::text(&limit.detail)]
    };
    Table::plain(columns, limits.iter().map(row).collect())
}

/// A time. For a roofline per byte, the bandwidth, its inverse.
fn figure(limit: &LimitRecord, value: f64) -> Datum {
    match is_per_byte(limit) {
        true => Datum::number(1e9 / value, Measure::PerSecond(Unit::Bytes)),
        false => Datum::nanoseconds(value),
    }
}

/// The interval of the median, over the samples of the one process that measured it.
fn interval(limit: &LimitRecord) -> Datum {
    match (median_interval(&limit.samples, LEVEL), is_per_byte(limit)) {
        (None, _) => Datum::Blank,
        (Some(Interval { low, high, .. }), false) => {
            Datum::Range { low, high, measure: Measure::Unit(Unit::Nanoseconds) }
        }
        (Some(Interval { low, high, .. }), true) => {
            Datum::Range { low: 1e9 / high, high: 1e9 / low, measure: Measure::PerSecond(Unit::Bytes) }
        }
    }
}

fn is_per_byte(limit: &LimitRecord) -> bool {
    limit.limit.known().is_some_and(MachineLimit::is_per_byte)
}
