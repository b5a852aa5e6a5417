//! The destination connector: loads Arrow batches into a table of PostgreSQL in one transaction, with INSERT, or COPY
//! of text or binary.

mod encode;

use bench_plugin::pipeline::{Batches, Destination};
use bench_plugin::prelude::*;
use pg_wire::{
    DATABASE_URL, DatabaseUrl, Error, Loader, Method, RecordBatch, Session as Connection, Stopwatch, Table, batch,
};

struct PgDest;

/// The argument with the table, which the host adds.
const INTO_TABLE: &str = "into_table";

const LOAD: &str = "load";

/// Stages, in the order of [`Stopwatch::start`].
const STAGES: [&str; 6] = ["connect", "receive", "decode", "create", "flush", "commit"];
const CONNECT: usize = 0;
const RECEIVE: usize = 1;
const DECODE: usize = 2;
const CREATE: usize = 3;
const FLUSH: usize = 4;
const COMMIT: usize = 5;

impl Destination for PgDest {
    fn describe() -> Descriptor {
        let summary = "Moves all rows of a table to another table of the same server as Arrow batches.";
        Descriptor::new("pg-dest", env!("CARGO_PKG_VERSION"), "Loads rows into PostgreSQL.")
            .scenario(Scenario { summary: summary.to_owned(), ..Scenario::uses("destination", LOAD) })
            .scenario(encode::describe())
    }

    fn open(scenario: &str, arguments: &Arguments, _: Host) -> Result<Box<dyn Session>, ModuleError> {
        match scenario {
            encode::ENCODE => encode::open(arguments),
            LOAD => Err(ModuleError::Unavailable(format!("`{LOAD}` can only be run by the driver `destination`"))),
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }

    fn write(scenario: &str, arguments: &Arguments, batches: &mut Batches<'_>) -> Result<u64, ModuleError> {
        if scenario != LOAD {
            return Err(ModuleError::UnknownScenario(scenario.to_owned()));
        }
        let url = DatabaseUrl::parse(arguments.text(DATABASE_URL)?)?;
        let method = match arguments.text("load_method")? {
            "insert" => Method::Insert,
            "copy" => Method::Copy,
            _ => Method::CopyBinary,
        };
        let is_logged = arguments.text("table")? == "logged";
        let table = Table { name: arguments.text(INTO_TABLE)?.to_owned(), is_logged };
        let mut stopwatch = Stopwatch::start(STAGES);
        let rows = write(&url, method, &table, batches, &mut stopwatch)?;
        stopwatch.report(batches);
        Ok(rows)
    }
}

/// Writes all batches and commits; returns the number of rows on the server.
fn write(
    url: &DatabaseUrl,
    method: Method,
    table: &Table,
    batches: &mut Batches<'_>,
    stopwatch: &mut Stopwatch<6>,
) -> Result<u64, Error> {
    let mut connection = Connection::connect(url)?;
    stopwatch.lap(CONNECT);
    // The first batch has the columns of the table.
    let Some((first, bytes)) = next(batches, 1, stopwatch)? else { return Ok(0) };
    let mut loader = Loader::begin(&mut connection, method, table, first.schema_ref())?;
    stopwatch.lap(CREATE);
    let loaded = load(&mut loader, (first, bytes), batches, stopwatch);
    if let Err(error) = loaded {
        loader.abort();
        return Err(error);
    }
    loader.commit()?;
    drop(connection);
    stopwatch.lap(COMMIT);
    loaded
}

/// Writes all batches; returns the number of rows on the server, which are not committed.
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

bench_plugin::export_destination!(PgDest);
