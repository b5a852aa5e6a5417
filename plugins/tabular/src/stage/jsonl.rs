//! `jsonl-write` and `jsonl-scan`: columns become a stream of rows as JSON Lines, with their types in the first line, and back.

use super::{Stage, failed};
use crate::batches::{self, Builder, Values};
use crate::json;
use arrow_array::RecordBatch;
use bench_plugin::prelude::*;
use serde::Deserialize;
use table_core::{Field, Kind, Recipe, Table, stream};

pub(crate) struct JsonlWrite {
    batches: Vec<RecordBatch>,
    expected: Table,
    result: String,
}

impl Stage for JsonlWrite {
    const NAME: &'static str = "jsonl-write";
    const SUMMARY: &'static str =
        "Writes Arrow batches as JSON Lines, with their types in the first line, into memory.";
    const WRITES: bool = true;

    fn prepare(recipe: Recipe, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let expected = recipe.genes();
        Ok(Self { batches: batches::of_table(&expected)?, expected, result: String::new() })
    }

    fn bytes(&self) -> u64 {
        batches::bytes(&self.batches)
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result.clear();
        write(&self.batches, self.expected.fields(), &mut self.result);
        Ok(())
    }

    fn written(&self) -> u64 {
        self.result.len() as u64
    }

    fn result(&self) -> Result<Table, ModuleError> {
        batches::to_table(&scan(self.result.as_bytes())?)
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

pub(crate) struct JsonlScan {
    text: Vec<u8>,
    expected: Table,
    result: Vec<RecordBatch>,
}

impl Stage for JsonlScan {
    const NAME: &'static str = "jsonl-scan";
    const SUMMARY: &'static str = "Reads JSON Lines with types in the first line in memory into Arrow batches.";

    fn prepare(recipe: Recipe, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let expected = recipe.genes();
        Ok(Self { text: stream::write(&expected).into_bytes(), expected, result: Vec::new() })
    }

    fn bytes(&self) -> u64 {
        self.text.len() as u64
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result.clear();
        self.result = scan(&self.text)?;
        Ok(())
    }

    fn result(&self) -> Result<Table, ModuleError> {
        batches::to_table(&self.result)
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

/// Appends the line with the types, and all rows.
pub(super) fn write(batches: &[RecordBatch], fields: &[Field], into: &mut String) {
    stream::write_header(fields, into);
    for batch in batches {
        let columns = Values::of_batch(batch);
        for row in 0..batch.num_rows() {
            stream::write_row(columns.iter().map(|column| column.cell(row)), into);
        }
    }
}

/// The first line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    row_stream: u64,
    columns: Vec<ColumnHeader>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnHeader {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    nullable: bool,
}

/// Reads all rows, with the types of the first line.
pub(super) fn scan(text: &[u8]) -> Result<Vec<RecordBatch>, ModuleError> {
    let fault = |reason: &dyn std::fmt::Display| failed("reading a stream of rows", reason);
    let end = text.iter().position(|byte| *byte == b'\n').ok_or_else(|| fault(&"its first line does not end"))?;
    let fields = fields(&text[..end]).map_err(|reason| fault(&format!("its first line: {reason}")))?;
    let mut builder = Builder::new(&fields);
    json::decode_lines(&text[end + 1..], &fields, &mut builder).map_err(|reason| fault(&reason))?;
    builder.finish().map_err(|reason| fault(&reason))
}

fn fields(line: &[u8]) -> Result<Vec<Field>, String> {
    let header: Header = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if header.row_stream != stream::VERSION {
        return Err(format!("version {} is not known, but version {} is", header.row_stream, stream::VERSION));
    }
    let field = |ColumnHeader { name, kind, nullable }: ColumnHeader| {
        let kind = Kind::named(&kind).ok_or_else(|| format!("column `{name}` has the unknown type `{kind}`"))?;
        Ok::<_, String>(Field { name, kind, nullable })
    };
    header.columns.into_iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"row_stream":1,"columns":[{"name":"a","type":"text","nullable":true},{"name":"b","type":"integer","nullable":false}]}"#;

    fn refused(text: &str, expect: &str) {
        let error = scan(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("reading a stream of rows: {expect}")), "{text}: {error}");
    }

    #[test]
    fn rows_have_the_types_of_the_first_line() {
        let rows = batches::to_table(&scan(format!("{HEADER}\n[\"7\",7]\n").as_bytes()).unwrap()).unwrap();
        assert_eq!(rows.row(0).collect::<Vec<_>>(), [table_core::Cell::Text("7"), table_core::Cell::Integer(7)]);
        assert_eq!(scan(format!("{HEADER}\n").as_bytes()).unwrap()[0].num_rows(), 0);
    }

    #[test]
    fn broken_streams_are_refused_with_their_place() {
        refused("", "its first line does not end");
        refused("[\"x\",1]\n", "its first line: ");
        refused(&HEADER.replace("\"row_stream\":1", "\"row_stream\":2"), "its first line does not end");
        let newer = HEADER.replace("\"row_stream\":1", "\"row_stream\":2") + "\n";
        refused(&newer, "its first line: version 2 is not known");
        refused(
            &(HEADER.replace("integer", "number") + "\n"),
            "its first line: column `b` has the unknown type `number`",
        );
        refused(&format!("{HEADER}\n[\"x\",1]\n[1,\"x\"]\n"), "line 3: ");
        refused(&format!("{HEADER}\n[\"x\",1,2]\n"), "line 2: row 1: more cells than the 2 columns");
        refused(&format!("{HEADER}\n[\"x\",null]\n"), "line 2: row 1, column `b`: it has no value");
        refused(&format!("{HEADER}\n[\"x\",1"), "the last row does not end");
        refused(&format!("{HEADER}\n\n[\"x\",1]\n"), "line 2: EOF");
    }
}
