//! Reads the rows of a table and emits them as batches. The driver `source` specifies the parameters, the metrics and what is timed.

use bench_plugin::pipeline::{Batches, Source};
use bench_plugin::prelude::*;
use pg_wire::{Cursor, DATABASE_URL, DatabaseUrl, Error, Phase, Session as Connection, Stopwatch, batch};

/// The name of the scenario.
const READ: &str = "read";

/// Stages, in the order of [`Stopwatch::start`]. They follow each other without gaps.
const STAGES: [&str; 6] = ["connect", "query", "fetch", "encode", "emit", "close"];
const CONNECT: usize = 0;
const QUERY: usize = 1;
const FETCH: usize = 2;
const ENCODE: usize = 3;
const EMIT: usize = 4;
const CLOSE: usize = 5;

pub(crate) struct Rows;

impl Source for Rows {
    fn describe() -> Descriptor {
        Descriptor::new("{{name}}", env!("CARGO_PKG_VERSION"), "Reads rows from PostgreSQL.")
            .scenario(Scenario::uses("source", READ))
    }

    fn read(scenario: &str, arguments: &Arguments, batches: &mut Batches<'_>) -> Result<u64, ModuleError> {
        if scenario != READ {
            return Err(ModuleError::UnknownScenario(scenario.to_owned()));
        }
        let mut stopwatch = Stopwatch::start(STAGES);
        let rows = read(arguments, batches, &mut stopwatch)?;
        stopwatch.report(batches);
        Ok(rows)
    }
}

/// Reads all rows and returns their number. This is what to replace for another database.
fn read(arguments: &Arguments, batches: &mut Batches<'_>, stopwatch: &mut Stopwatch<6>) -> Result<u64, Error> {
    let url = DatabaseUrl::parse(arguments.text(DATABASE_URL)?)?;
    let sql = format!("select * from {}", arguments.text("from_table")?);
    let batch_rows = u16::try_from(arguments.size("batch_rows")?).unwrap_or(u16::MAX);
    let mut connection = Connection::connect(&url)?;
    stopwatch.lap(CONNECT);
    let mut cursor = Cursor::open(&mut connection, &sql, batch_rows)?;
    stopwatch.lap(QUERY);
    let (mut rows, mut stream) = (0, Vec::new());
    loop {
        let next = cursor.next(&mut |phase| {
            stopwatch.lap(match phase {
                Phase::Fetch => FETCH,
                Phase::Encode => ENCODE,
            });
        })?;
        let Some(batch) = next else { break };
        // An empty table yields one empty batch, which has the columns.
        if batch.num_rows() > 0 || rows == 0 {
            rows += batch.num_rows() as u64;
            batch::encode(&batch, &mut stream)?;
            stopwatch.lap(ENCODE);
            batches.emit(&stream)?;
            stopwatch.lap(EMIT);
        }
    }
    cursor.close()?;
    drop(connection);
    stopwatch.lap(CLOSE);
    Ok(rows)
}
