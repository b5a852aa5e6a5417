//! The source connector: reads the rows of a table from PostgreSQL as Arrow batches, in binary through a cursor in one
//! transaction.

use bench_plugin::pipeline::{Batches, Source};
use bench_plugin::prelude::*;
use pg_wire::{Cursor, DATABASE_URL, DatabaseUrl, Error, Phase, Session as Connection, Stopwatch, batch};

struct PgSource;

/// The argument with the table, which the host adds.
const FROM_TABLE: &str = "from_table";

const READ: &str = "read";

/// Stages, in the order of [`Stopwatch::start`].
const STAGES: [&str; 6] = ["connect", "query", "fetch", "encode", "emit", "close"];
const CONNECT: usize = 0;
const QUERY: usize = 1;
const FETCH: usize = 2;
const ENCODE: usize = 3;
const EMIT: usize = 4;
const CLOSE: usize = 5;

impl Source for PgSource {
    fn describe() -> Descriptor {
        let summary = "Reads all rows of a table through a cursor as Arrow batches.";
        Descriptor::new("pg-source", env!("CARGO_PKG_VERSION"), "Reads rows from PostgreSQL.")
            .scenario(Scenario { summary: summary.to_owned(), ..Scenario::uses("source", READ) })
    }

    fn read(scenario: &str, arguments: &Arguments, batches: &mut Batches<'_>) -> Result<u64, ModuleError> {
        if scenario != READ {
            return Err(ModuleError::UnknownScenario(scenario.to_owned()));
        }
        let url = DatabaseUrl::parse(arguments.text(DATABASE_URL)?)?;
        let sql = format!("select * from {}", arguments.text(FROM_TABLE)?);
        let batch_rows = u16::try_from(arguments.size("batch_rows")?).unwrap_or(u16::MAX);
        let mut stopwatch = Stopwatch::start(STAGES);
        let rows = read(&url, &sql, batch_rows, batches, &mut stopwatch)?;
        stopwatch.report(batches);
        Ok(rows)
    }
}

/// Reads the result of `sql` and returns the number of rows.
fn read(
    url: &DatabaseUrl,
    sql: &str,
    batch_rows: u16,
    batches: &mut Batches<'_>,
    stopwatch: &mut Stopwatch<6>,
) -> Result<u64, Error> {
    let mut connection = Connection::connect(url)?;
    stopwatch.lap(CONNECT);
    let mut cursor = Cursor::open(&mut connection, sql, batch_rows)?;
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

bench_plugin::export_source!(PgSource);
