//! `own-csv` and `own-parquet`: DuckDB reads a file of the user's. The rows of CSV are compared with those that `table-core` reads; a Parquet
//! file has no other reader here, so its digest is for comparison with that of the plug-in `tabular`.

use crate::engine::Engine;
use crate::session::{opened, read};
use crate::stage::{self, CSV_OPTIONS};
use bench_model::{Arguments, Arm, Check, ModuleError, Outcome, Parameter, Scenario, Session};
use std::path::PathBuf;
use table_core::{Cell, Digest, Field, Kind, Table, compare, infer};

pub(crate) const CSV: &str = "own-csv";
pub(crate) const PARQUET: &str = "own-parquet";

pub(crate) fn describe_csv() -> Scenario {
    let summary = "Reads a CSV file of one's own, with the types found in all of its rows, into a table in memory.";
    let file = Parameter::new("csv", "table.csv", "the file, with a header; NULL is an empty cell without quotes");
    described(CSV, summary, file)
}

pub(crate) fn describe_parquet() -> Scenario {
    let summary = "Reads all of a Parquet file of one's own into a table in memory.";
    let file = Parameter::new("parquet", "table.parquet", "the file; columns are numbers, texts, booleans and dates");
    described(PARQUET, summary, file)
}

fn described(name: &str, summary: &str, file: Parameter) -> Scenario {
    let read = format!("read:{}", file.name);
    let scenario = Scenario::new(name, "tabular", summary).in_arms([Arm::Native]).parameter(file);
    crate::described(scenario.requires(read, "the table"))
}

pub(crate) struct OwnTable {
    engine: Engine,
    folder: PathBuf,
    statement: String,
    /// The columns of the result as they are compared, and how each is selected for that.
    fields: Vec<Field>,
    selected: String,
    bytes: u64,
    /// The rows of CSV.
    expected: Option<Table>,
    /// The number of rows.
    rows: usize,
    first: Digest,
}

impl OwnTable {
    pub(crate) fn csv(arguments: &Arguments) -> Result<Self, ModuleError> {
        let path = arguments.text("csv")?;
        let text = std::fs::read(path).map_err(|error| unreadable("csv", path, &error))?;
        let fault = |fault: table_core::Fault| ModuleError::InvalidArgument(format!("`csv`: {fault}"));
        let fields = infer::fields(&text).map_err(fault)?;
        let expected = infer::table(&text, &fields).map_err(fault)?;
        let statement = format!("CREATE OR REPLACE TABLE result AS {}", select_csv(path, &text, &fields));
        let (engine, folder) = opened(arguments)?;
        let (rows, bytes, first) = (expected.rows(), text.len() as u64, Digest::default());
        let selected = "*".to_owned();
        let mut own =
            Self { engine, folder, statement, fields, selected, bytes, expected: Some(expected), rows, first };
        own.iterate(1)?;
        own.first = Digest::of(&own.found()?);
        Ok(own)
    }

    pub(crate) fn parquet(arguments: &Arguments) -> Result<Self, ModuleError> {
        let path = arguments.text("parquet")?;
        let file = std::fs::metadata(path).map_err(|error| unreadable("parquet", path, &error))?;
        if !file.is_file() {
            // DuckDB would look for files in a folder.
            let error = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(unreadable("parquet", path, &error));
        }
        let bytes = file.len();
        let (engine, folder) = opened(arguments)?;
        let source = format!("read_parquet({})", quoted(path));
        let statement = format!("CREATE OR REPLACE TABLE result AS SELECT * FROM {source}");
        let (fields, selected, first) = (Vec::new(), String::new(), Digest::default());
        let mut own = Self { engine, folder, statement, fields, selected, bytes, expected: None, rows: 0, first };
        // The footer says how many rows there are.
        let count = [Field::required("rows", Kind::Integer)];
        let count = own.query(&format!("SELECT count(*) AS rows FROM {source}"), &count)?;
        if let Cell::Integer(rows) = count.cell(0, 0) {
            own.rows = usize::try_from(rows).unwrap_or_default();
        }
        own.iterate(1)?;
        (own.fields, own.selected) = own.columns()?;
        own.first = Digest::of(&own.found()?);
        Ok(own)
    }

    /// The rows of a query, which leave DuckDB as CSV.
    fn query(&self, query: &str, fields: &[Field]) -> Result<Table, ModuleError> {
        let path = self.folder.join("result.csv");
        self.engine.execute(&format!("COPY ({query}) TO '{}' ({CSV_OPTIONS})", path.display()))?;
        read(&path, fields)
    }

    fn found(&self) -> Result<Table, ModuleError> {
        self.query(&format!("SELECT {} FROM result", self.selected), &self.fields)
    }

    /// The columns of the result, with their names and types from DuckDB.
    fn columns(&self) -> Result<(Vec<Field>, String), ModuleError> {
        let query =
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'result' ORDER BY column_index";
        let fields = ["column_name", "data_type"].map(|name| Field::required(name, Kind::Text));
        let columns = self.query(query, &fields)?;
        let (mut fields, mut selected) = (Vec::new(), Vec::new());
        for row in 0..columns.rows() {
            let (Cell::Text(name), Cell::Text(data_type)) = (columns.cell(row, 0), columns.cell(row, 1)) else {
                continue;
            };
            let (kind, cast) = kind_of(data_type).ok_or_else(|| {
                ModuleError::InvalidArgument(format!(
                    "`parquet`: column `{name}` has the type {data_type}; columns can be numbers of up to 64 bits with a sign, decimals with \
                     two digits behind the point, texts, booleans and dates"
                ))
            })?;
            let column = name.replace('"', "\"\"");
            selected.push(format!("\"{column}\"{cast} AS \"{column}\""));
            fields.push(Field::nullable(name, kind));
        }
        Ok((fields, selected.join(", ")))
    }
}

impl Session for OwnTable {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.engine.execute(&self.statement)?;
        }
        Ok(Outcome { operations: times, bytes: times * self.bytes, checksum: self.first.checksum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let found = self.found()?;
        let mut checks = vec![
            Check::equal("rows", &self.rows, &found.rows()),
            Check::equal("same-result-as-at-first", &self.first, &Digest::of(&found)),
        ];
        if let Some(expected) = &self.expected {
            let differs = compare(expected, &found).err();
            let passed = differs.is_none();
            checks.push(Check::that("cells", passed, differs.unwrap_or_else(|| Digest::of(&found).to_string())));
        }
        Ok(checks)
    }
}

/// Reads the CSV file at `path`, whose content is `text`.
fn select_csv(path: &str, text: &[u8], fields: &[Field]) -> String {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or_default();
    let new_line = if end > 0 && text[end - 1] == b'\r' { "\\r\\n" } else { "\\n" };
    let column = |field: &Field| format!("{}: '{}'", quoted(&field.name), stage::sql_type(field.kind));
    let columns = fields.iter().map(column).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT * FROM read_csv({}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', \
         new_line = '{new_line}', nullstr = '', allow_quoted_nulls = false, columns = {{{columns}}})",
        quoted(path)
    )
}

/// A text of SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// How a column of DuckDB's type is compared, and what it is cast to before that.
fn kind_of(data_type: &str) -> Option<(Kind, &'static str)> {
    Some(match data_type {
        "VARCHAR" => (Kind::Text, ""),
        "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "UTINYINT" | "USMALLINT" | "UINTEGER" => (Kind::Integer, ""),
        "BOOLEAN" => (Kind::Integer, "::INTEGER"),
        "DOUBLE" => (Kind::Real, ""),
        "FLOAT" => (Kind::Real, "::DOUBLE"),
        "DATE" => (Kind::Date, ""),
        decimal if decimal.starts_with("DECIMAL(") && decimal.ends_with(",2)") => (Kind::Decimal, ""),
        _ => return None,
    })
}

fn unreadable(parameter: &str, path: &str, error: &std::io::Error) -> ModuleError {
    ModuleError::InvalidArgument(format!(
        "`{parameter}`: {path} cannot be read: {error}; give a file, with -p {parameter}=FILE"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_compared_by_value() {
        let check = |data_type: &str, expect: Option<(Kind, &str)>| assert_eq!(kind_of(data_type), expect);
        check("DECIMAL(38,2)", Some((Kind::Decimal, "")));
        check("DECIMAL(18,3)", None);
        check("FLOAT", Some((Kind::Real, "::DOUBLE")));
        check("INTEGER[]", None);
    }

    #[test]
    fn names_and_paths_are_quoted() {
        let fields = [Field::nullable("it's", Kind::Integer)];
        let statement = select_csv("/a'b.csv", b"it's\r\n1\r\n", &fields);
        assert!(statement.starts_with("SELECT * FROM read_csv('/a''b.csv', header = true, "), "{statement}");
        assert!(statement.contains("new_line = '\\r\\n', "), "{statement}");
        assert!(statement.ends_with("columns = {'it''s': 'BIGINT'})"), "{statement}");
    }
}
