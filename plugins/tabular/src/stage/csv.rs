//! `csv-write` and `csv-scan`: columns become CSV that loses nothing, and CSV becomes columns.

use super::{Stage, failed};
use crate::batches::{self, Builder, Values};
use arrow_array::RecordBatch;
use bench_plugin::prelude::*;
use table_core::csv::{self, Dialect};
use table_core::{Field, Recipe, Table};

pub(crate) struct CsvWrite {
    batches: Vec<RecordBatch>,
    expected: Table,
    result: String,
}

impl Stage for CsvWrite {
    const NAME: &'static str = "csv-write";
    const SUMMARY: &'static str = "Writes Arrow batches as CSV into memory.";
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
        batches::to_table(&scan(self.result.as_bytes(), self.expected.fields())?)
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

pub(crate) struct CsvScan {
    text: Vec<u8>,
    expected: Table,
    result: Vec<RecordBatch>,
}

impl Stage for CsvScan {
    const NAME: &'static str = "csv-scan";
    const SUMMARY: &'static str = "Reads all columns of CSV in memory into Arrow batches, with the types given.";

    fn prepare(recipe: Recipe, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let expected = recipe.genes();
        Ok(Self { text: csv::write(&expected, Dialect::Exact).into_bytes(), expected, result: Vec::new() })
    }

    fn bytes(&self) -> u64 {
        self.text.len() as u64
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result.clear();
        self.result = scan(&self.text, self.expected.fields())?;
        Ok(())
    }

    fn result(&self) -> Result<Table, ModuleError> {
        batches::to_table(&self.result)
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

/// Appends a header and all rows.
pub(crate) fn write(batches: &[RecordBatch], fields: &[Field], into: &mut String) {
    csv::write_header(fields, Dialect::Exact, into);
    for batch in batches {
        let columns = Values::of_batch(batch);
        for row in 0..batch.num_rows() {
            csv::write_row(columns.iter().map(|column| column.cell(row)), Dialect::Exact, into);
        }
    }
}

/// Reads CSV with these columns.
pub(crate) fn scan(text: &[u8], fields: &[Field]) -> Result<Vec<RecordBatch>, ModuleError> {
    let mut builder = Builder::new(fields);
    let cell = |column: usize, text: Option<&str>| builder.push_text(column, fields[column].kind, text);
    csv::read(text, Dialect::Exact, fields, cell).map_err(|fault| failed("reading CSV", fault))?;
    builder.finish().map_err(|reason| failed("reading CSV", reason))
}
