//! The rows of the family `pipelines`, as SQL: generated in the database from a seed or those of a user's table, and compared there.

mod columns;
mod source;

pub use source::{SOURCE_TABLE, Source};

use bench_model::{Arguments, ModuleError, Parameter};

/// The argument that the host adds: the schema of all tables of a run, which is removed with the run.
pub const SCHEMA: &str = "schema";

/// A set of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The schema of its table.
    pub schema: String,
    /// The number of rows.
    pub rows: u64,
    /// The content of the largest column.
    pub payload: Payload,
    /// The columns.
    pub columns: Columns,
    /// The seed of all values.
    pub seed: i64,
}

/// The content of the column `payload`, about 60 bytes in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Words and numbers, drawn for each row: a compressor halves it.
    Realistic,
    /// A number and one repeated letter: a compressor reduces it to almost nothing.
    Repetitive,
}

/// A set of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Seven columns without NULL: integers, texts, a boolean, a time without zone.
    Seed,
    /// Those, and a number of any precision, a time with zone, bytes, a document, and a note that may be NULL, empty, or in any
    /// script.
    All,
}

/// The parameters of scenarios that [`Source::of`] reads: `rows`, `payload`, `columns`, `seed` and `source_table`.
pub fn parameters() -> [Parameter; 5] {
    let payload = "content of the longest column: words (realistic), or one letter repeated (repetitive)";
    let columns = "all twelve columns, or the first seven (seed): integers, texts, a boolean and a timestamp";
    [
        Parameter::new("rows", 10_000, "rows in the table").between(0, 1_000_000_000),
        Parameter::new("payload", "realistic", payload).choices(["realistic", "repetitive"]),
        Parameter::new("columns", "all", columns).choices(["all", "seed"]),
        Parameter::new("seed", 1, "seed of the random rows"),
        source::parameter(),
    ]
}

impl Dataset {
    /// Reads a scenario's arguments `rows`, `payload`, `columns` and `seed`, and the host's `schema`.
    pub fn of(arguments: &Arguments) -> Result<Self, ModuleError> {
        let unknown = |name: &str, text: &str, known: &str| {
            Err(ModuleError::InvalidArgument(format!("`{name}` is `{text}`; use one of {known}")))
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

    /// Its table, quoted for SQL. Equal rows have equal names, so that they are not made twice.
    pub fn table(&self) -> String {
        let Self { schema, rows, payload, columns, seed } = self;
        let name = format!("bench_events_{rows}_{payload:?}_{columns:?}_{seed}").to_lowercase();
        format!("{}.{}", quoted(schema), quoted(&name))
    }

    /// Statements that create the table with its rows in a transaction, unless it exists.
    pub fn create(&self) -> String {
        let (schema, table) = (quoted(&self.schema), self.table());
        let (definitions, values) = columns::definitions_and_values(self);
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

/// The target table, which does not exist yet, in the schema of `arguments`, quoted for SQL.
pub fn target(arguments: &Arguments) -> Result<String, ModuleError> {
    Ok(format!("{}.\"bench_loaded\"", quoted(arguments.text(SCHEMA)?)))
}

/// The view, in the schema of `arguments`, of the rows that must arrive where a transform changes them, quoted for SQL.
pub fn expected(arguments: &Arguments) -> Result<String, ModuleError> {
    Ok(format!("{}.\"bench_expected\"", quoted(arguments.text(SCHEMA)?)))
}

/// Statements that remove all tables of a run.
pub fn forget(schema: &str) -> String {
    format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {} CASCADE;", quoted(schema))
}

/// A query for the fingerprint of a table, in one row: the number of rows, a hash over all columns of all rows in any order, and the
/// names and types of its columns. NULL differs from an empty value; a domain counts as its base type, which is what the server tells
/// clients of it. Equal results in one session mean equal tables.
pub fn fingerprint(table: &str) -> String {
    let literal = table.replace('\'', "''");
    // A column of the same name would take precedence over the name of the row.
    let row = "bench_host_row";
    format!(
        "SELECT count(*)::bigint, coalesce(sum(hashtextextended({row}::text, 0)::numeric), 0)::text, \
         (WITH RECURSIVE resolved AS (SELECT attnum, attname, atttypid AS kind, atttypmod AS modifier FROM pg_attribute \
         WHERE attrelid = '{literal}'::regclass AND attnum > 0 AND NOT attisdropped \
         UNION ALL SELECT attnum, attname, typbasetype, typtypmod FROM resolved JOIN pg_type ON pg_type.oid = kind \
         WHERE typtype = 'd') \
         SELECT coalesce(string_agg(attname || ' ' || format_type(kind, modifier), ', ' ORDER BY attnum), '') \
         FROM resolved JOIN pg_type ON pg_type.oid = kind WHERE typtype <> 'd') FROM {table} AS {row}"
    )
}

/// Quotes an identifier for SQL.
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
    fn table_name_depends_on_the_content() {
        let dataset = Dataset::of(&arguments()).unwrap();
        assert_eq!(dataset.table(), "\"s\".\"bench_events_10_realistic_all_7\"");
        assert_eq!(target(&arguments()).unwrap(), "\"s\".\"bench_loaded\"");
    }

    #[test]
    fn unknown_argument_is_reported_with_the_choices() {
        let check = |name: &str, value: Value, expect: &str| {
            let mut arguments = arguments();
            arguments.set(name, value);
            assert_eq!(Dataset::of(&arguments).unwrap_err().to_string(), expect);
        };
        check("payload", "random".into(), "invalid argument: `payload` is `random`; use one of realistic, repetitive");
        check("columns", "some".into(), "invalid argument: `columns` is `some`; use one of all, seed");
        check("rows", (-1).into(), "invalid argument: `rows` is -1, which is not a size");
    }
}
