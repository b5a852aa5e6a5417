//! Writes all batches into a table, in one transaction. The driver `destination` specifies the parameters, the metrics and what is timed.

use bench_plugin::pipeline::{Batches, Destination};
use bench_plugin::prelude::*;
use pg_wire::{
    DATABASE_URL, DatabaseUrl, Error, Loader, Method, RecordBatch, Session as Connection, Stopwatch, Table as Target,
    batch,
};

/// The name of the scenario.
const LOAD: &str = "load";

/// Stages, in the order of [`Stopwatch::start`]. They follow each other without gaps.
const STAGES: [&str; 6] = ["connect", "receive", "decode", "create", "flush", "commit"];
const CONNECT: usize = 0;
const RECEIVE: usize = 1;
const DECODE: usize = 2;
const CREATE: usize = 3;
const FLUSH: usize = 4;
const COMMIT: usize = 5;

pub(crate) struct Table;

impl Destination for Table {
    fn describe() -> Descriptor {
        let source = Parameter::new("source", "{{name}}/read", "");
        Descriptor::new("{{name}}", env!("CARGO_PKG_VERSION"), "Moves rows between tables of PostgreSQL.")
            .scenario(Scenario::uses("destination", LOAD).parameter(source))
    }

    fn write(scenario: &str, arguments: &Arguments, batches: &mut Batches<'_>) -> Result<u64, ModuleError> {
        if scenario != LOAD {
            return Err(ModuleError::UnknownScenario(scenario.to_owned()));
        }
        let mut stopwatch = Stopwatch::start(STAGES);
        let rows = write(arguments, batches, &mut stopwatch)?;
        stopwatch.report(batches);
        Ok(rows)
    }
}

/// Writes all batches and commits; returns the number of rows. This is what to replace for another database.
fn write(arguments: &Arguments, batches: &mut Batches<'_>, stopwatch: &mut Stopwatch<6>) -> Result<u64, Error> {
    let url = DatabaseUrl::parse(arguments.text(DATABASE_URL)?)?;
    let method = match arguments.text("load_method")? {
        "insert" => Method::Insert,
        "copy" => Method::Copy,
        _ => Method::CopyBinary,
    };
    let is_logged = arguments.text("table")? == "logged";
    let target = Target { name: arguments.text("into_table")?.to_owned(), is_logged };
    let mut connection = Connection::connect(&url)?;
    stopwatch.lap(CONNECT);
    // The first batch has the columns of the table.
    let Some((first, bytes)) = next(batches, 1, stopwatch)? else { return Ok(0) };
    let mut loader = Loader::begin(&mut connection, method, &target, first.schema_ref())?;
    stopwatch.lap(CREATE);
    let loaded = load(&mut loader, (first, bytes), batches, stopwatch);
    if loaded.is_err() {
        loader.abort();
        return loaded;
    }
    loader.commit()?;
    drop(connection);
    stopwatch.lap(COMMIT);
    loaded
}

/// Writes all batches; returns the number of rows, which are not committed.
fn load(
    loader: &mut Loader<'_>,
    first: (RecordBatch, usize),
    batches: &mut Batches<'_>,
    stopwatch: &mut Stopwatch<6>,
) -> Result<u64, Error> {
    let (mut number, mut current) = (1, Some(first));
    while let Some((batch, bytes)) = current {
        loader.write(&batch, bytes)?;
        drop(batch);
        stopwatch.lap(FLUSH);
        number += 1;
        current = next(batches, number, stopwatch)?;
    }
    let rows = loader.finish()?;
    stopwatch.lap(FLUSH);
    Ok(rows)
}

/// The next batch and its size; `None` after the last.
fn next(
    batches: &mut Batches<'_>,
    number: u64,
    stopwatch: &mut Stopwatch<6>,
) -> Result<Option<(RecordBatch, usize)>, Error> {
    let received = batches.receive()?;
    stopwatch.lap(RECEIVE);
    let Some(stream) = received else { return Ok(None) };
    let bytes = stream.len();
    let batch = batch::decode(stream, number)?;
    stopwatch.lap(DECODE);
    Ok(Some((batch, bytes)))
}
