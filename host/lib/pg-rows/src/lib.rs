//! The rows of the family `pipelines`, as SQL: made in the database out of a seed, and compared there. It must not know who
//! sends the statements, nor how rows travel.

mod columns;

use bench_model::{Arguments, ModuleError};

/// The argument that the host adds: the schema that all tables of a run are in, and that goes with the run.
pub const SCHEMA: &str = "schema";

/// Which rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The schema its table is in.
    pub schema: String,
    /// How many.
    pub rows: u64,
    /// What is in the column that carries most bytes.
    pub payload: Payload,
    /// Which columns.
    pub columns: Columns,
    /// What everything is drawn from.
    pub seed: i64,
}

/// What is in the column `payload`, about 60 bytes in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Words and numbers, drawn for each row: a compressor halves it.
    Realistic,
    /// A number, and the same letter again and again: a compressor makes next to nothing of it.
    Repetitive,
}

/// Which columns there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Seven, all of them set: whole numbers, texts, a boolean, a time without zone.
    Seed,
    /// Those, and a number of any precision, a time with zone, bytes, a document, and a note that may be absent, empty, or in
    /// any script.
    All,
}

impl Dataset {
    /// Out of a scenario's arguments `rows`, `payload`, `columns` and `seed`, and the host's `schema`.
    pub fn of(arguments: &Arguments) -> Result<Self, ModuleError> {
        let unknown = |name: &str, text: &str, known: &str| {
            Err(ModuleError::InvalidArgument(format!("`{name}` is `{text}`; it knows {known}")))
        };
        Ok(Self {
            schema: arguments.text(SCHEMA)?.to_owned(),
            rows: arguments.size("rows")? as u64,
            payload: match arguments.text("payload")? {
                "realistic" => Payload::Realistic,
                "repetitive" => Payload::Repetitive,
                other => return unknown("payload", other, "realistic, repetitive"),
            },
            columns: match arguments.text("columns")? {
                "all" => Columns::All,
                "seed" => Columns::Seed,
                other => return unknown("columns", other, "all, seed"),
            },
            seed: arguments.integer("seed")?,
        })
    }

    /// Its table, as it is written in SQL. Equal rows have an equal name, so that they need not be made twice.
    pub fn table(&self) -> String {
        let Self { schema, rows, payload, columns, seed } = self;
        let name = format!("bench_events_{rows}_{payload:?}_{columns:?}_{seed}").to_lowercase();
        format!("{}.{}", quoted(schema), quoted(&name))
    }

    /// Statements that make the table with its rows, in a transaction, unless it is there.
    pub fn create(&self) -> String {
        let (schema, table) = (quoted(&self.schema), self.table());
        let (definitions, values) = columns::of(self);
        let (rows, seed) = (self.rows, self.seed);
        format!(
            "CREATE SCHEMA IF NOT EXISTS {schema};\n\
             DO $make$ BEGIN IF to_regclass('{literal}') IS NULL THEN\n\
             CREATE TABLE {table} ({definitions});\n\
             INSERT INTO {table} SELECT {values}\n\
             FROM (SELECT i, decode(md5('{seed}:' || i), 'hex') AS d FROM generate_series(1, {rows}) AS i) AS drawn ORDER BY i;\n\
             END IF; END $make$;\n",
            literal = table.replace('\'', "''"),
        )
    }
}

/// A table that is not there yet, in the schema of `arguments`, as it is written in SQL.
pub fn target(arguments: &Arguments) -> Result<String, ModuleError> {
    Ok(format!("{}.\"bench_loaded\"", quoted(arguments.text(SCHEMA)?)))
}

/// Statements that remove all tables of a run.
pub fn forget(schema: &str) -> String {
    format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {} CASCADE;", quoted(schema))
}

/// A query of what a table holds, in one row: how many rows, a hash over all columns of all of them in whichever order, and the
/// names and types of its columns. Absent values differ from empty ones. Equal results in one session mean equal tables.
pub fn fingerprint(table: &str) -> String {
    let literal = table.replace('\'', "''");
    format!(
        "SELECT count(*)::bigint, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text, \
         (SELECT coalesce(string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum), '') \
         FROM pg_attribute WHERE attrelid = '{literal}'::regclass AND attnum > 0 AND NOT attisdropped) FROM {table} AS t"
    )
}

/// An identifier as SQL takes any.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::Value;

    fn arguments() -> Arguments {
        let mut arguments = Arguments::default();
        arguments.set("rows", 10);
        arguments.set("seed", 7);
        for (name, value) in [("schema", "s"), ("payload", "realistic"), ("columns", "all")] {
            arguments.set(name, value);
        }
        arguments
    }

    #[test]
    fn a_dataset_is_named_by_what_it_holds() {
        let dataset = Dataset::of(&arguments()).unwrap();
        assert_eq!(dataset.table(), "\"s\".\"bench_events_10_realistic_all_7\"");
        assert_eq!(target(&arguments()).unwrap(), "\"s\".\"bench_loaded\"");
    }

    #[test]
    fn arguments_that_it_does_not_know_are_named() {
        let check = |name: &str, value: Value, expect: &str| {
            let mut arguments = arguments();
            arguments.set(name, value);
            assert_eq!(Dataset::of(&arguments).unwrap_err().to_string(), expect);
        };
        check("payload", "random".into(), "invalid argument: `payload` is `random`; it knows realistic, repetitive");
        check("columns", "some".into(), "invalid argument: `columns` is `some`; it knows all, seed");
        check("rows", (-1).into(), "invalid argument: `rows` is -1, which is no size");
    }
}
