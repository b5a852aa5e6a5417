//! A transform: filters, projects or maps the Arrow batches of a source before a destination takes them.

use arrow_array::cast::AsArray;
use arrow_array::{BooleanArray, RecordBatch, StringArray};
use arrow_select::filter::filter_record_batch;
use bench_plugin::pipeline::{Batches, Source};
use bench_plugin::prelude::*;
use pg_wire::{Error, Stopwatch, batch};
use std::sync::Arc;

struct PgTransform;

/// How a batch is changed; an error is the reason why it cannot be.
type Change = fn(&RecordBatch) -> Result<RecordBatch, String>;

/// The scenarios: name, summary, the query whose rows are handed on, and how.
const SCENARIOS: [(&str, &str, &str, Change); 3] = [
    (
        "filter",
        "Hands on the rows of one kind of event, a fifth of all.",
        "SELECT * FROM {from} WHERE event_type = 'click'",
        filter,
    ),
    ("project", "Hands on three of the columns.", "SELECT id, event_type, amount FROM {from}", project),
    (
        "map",
        "Hands on the number of each row and its kind of event in capital letters.",
        "SELECT id, upper(event_type) AS event_type FROM {from}",
        map,
    ),
];

/// The column that is filtered by and mapped, and the value that is kept.
const KIND: &str = "event_type";
const KEPT: &str = "click";

/// Stages, in the order of [`Stopwatch::start`].
const STAGES: [&str; 5] = ["receive", "decode", "transform", "encode", "emit"];
const RECEIVE: usize = 0;
const DECODE: usize = 1;
const TRANSFORM: usize = 2;
const ENCODE: usize = 3;
const EMIT: usize = 4;

impl Source for PgTransform {
    fn describe() -> Descriptor {
        let summary = "Changes rows on their way from one table to another.";
        let descriptor = Descriptor::new("pg-transform", env!("CARGO_PKG_VERSION"), summary);
        SCENARIOS.iter().fold(descriptor, |descriptor, (name, summary, equals, _)| {
            let scenario = Scenario { summary: (*summary).to_owned(), ..Scenario::uses("transform", *name) };
            descriptor.scenario(scenario.parameter(Parameter::new("equals", *equals, "")))
        })
    }

    /// A transform is a source that takes batches too.
    fn read(scenario: &str, _: &Arguments, batches: &mut Batches<'_>) -> Result<u64, ModuleError> {
        let found = SCENARIOS.iter().find(|(name, ..)| *name == scenario);
        let (.., change) = found.ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?;
        let mut stopwatch = Stopwatch::start(STAGES);
        let rows = change_all(*change, batches, &mut stopwatch)?;
        stopwatch.report(batches);
        Ok(rows)
    }
}

/// Changes all batches; returns the number of rows that are handed on.
fn change_all(change: Change, batches: &mut Batches<'_>, stopwatch: &mut Stopwatch<5>) -> Result<u64, Error> {
    let (mut rows, mut number, mut stream) = (0, 0, Vec::new());
    loop {
        let received = batches.receive()?;
        stopwatch.lap(RECEIVE);
        let Some(received) = received else { return Ok(rows) };
        number += 1;
        let taken = batch::decode(received, number)?;
        stopwatch.lap(DECODE);
        let changed = change(&taken).map_err(|reason| Error::Batch { number, reason })?;
        drop(taken);
        stopwatch.lap(TRANSFORM);
        rows += changed.num_rows() as u64;
        // The first batch has the columns, even if none of its rows is left.
        if changed.num_rows() > 0 || number == 1 {
            batch::encode(&changed, &mut stream)?;
            stopwatch.lap(ENCODE);
            batches.emit(&stream)?;
            stopwatch.lap(EMIT);
        }
    }
}

fn filter(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let kept: BooleanArray = kinds(batch)?.iter().map(|kind| Some(kind == Some(KEPT))).collect();
    filter_record_batch(batch, &kept).map_err(|error| error.to_string())
}

fn project(batch: &RecordBatch) -> Result<RecordBatch, String> {
    columns(batch, &["id", KIND, "amount"])
}

fn map(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let mapped: StringArray = kinds(batch)?.iter().map(|kind| kind.map(str::to_ascii_uppercase)).collect();
    let both = columns(batch, &["id", KIND])?;
    let arrays = vec![Arc::clone(both.column(0)), Arc::new(mapped)];
    RecordBatch::try_new(both.schema(), arrays).map_err(|error| error.to_string())
}

/// Only the columns with these names.
fn columns(batch: &RecordBatch, names: &[&str]) -> Result<RecordBatch, String> {
    let indices = names.iter().map(|name| batch.schema_ref().index_of(name)).collect::<Result<Vec<_>, _>>();
    indices.and_then(|indices| batch.project(&indices)).map_err(|error| error.to_string())
}

/// The column with the kinds of events.
fn kinds(batch: &RecordBatch) -> Result<&StringArray, String> {
    let column = batch.column_by_name(KIND).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| format!("the rows have no column `{KIND}` of text"))
}

bench_plugin::export_source!(PgTransform);

#[cfg(test)]
mod tests {
    use super::*;
    use pg_wire::sample;

    fn check(name: &str, columns: &[&str], first: &str) -> usize {
        let batch = sample::batch(1000, 12).expect("a batch");
        let (.., change) = SCENARIOS.iter().find(|(known, ..)| *known == name).expect("a scenario");
        let changed = change(&batch).expect("a change");
        if !columns.is_empty() {
            let names: Vec<_> = changed.schema().fields().iter().map(|field| field.name().clone()).collect();
            assert_eq!(names, columns);
        }
        assert_eq!(kinds(&changed).expect("kinds").value(0), first);
        let before = batch.schema_ref().field_with_name("id").expect("a field").clone();
        assert_eq!(
            changed.schema_ref().field_with_name("id").expect("a field"),
            &before,
            "with the type on the server"
        );
        changed.num_rows()
    }

    #[test]
    fn each_scenario_changes_what_it_says() {
        assert_eq!(check("filter", &[], KEPT), 200);
        assert_eq!(check("project", &["id", KIND, "amount"], "purchase"), 1000);
        assert_eq!(check("map", &["id", KIND], "PURCHASE"), 1000);
    }

    #[test]
    fn missing_column_is_named() {
        let batch = sample::batch(10, 1).expect("a batch");
        for (name, _, _, change) in SCENARIOS {
            let reason = change(&batch).expect_err(name);
            assert!(reason.contains(KIND), "{reason}");
        }
    }
}
