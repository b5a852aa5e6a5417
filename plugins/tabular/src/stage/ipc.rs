//! `ipc-write` and `ipc-scan`: columns become a file of Arrow IPC, which is how components exchange them, and back. Types travel with it.

use super::{Stage, failed};
use crate::batches;
use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::ArrowError;
use bench_plugin::prelude::*;
use std::io::Cursor;
use table_core::{Recipe, Table};

pub(crate) struct IpcWrite {
    batches: Vec<RecordBatch>,
    expected: Table,
    result: Vec<u8>,
}

impl Stage for IpcWrite {
    const NAME: &'static str = "ipc-write";
    const SUMMARY: &'static str = "Writes Arrow batches as a file of Arrow IPC without compression into memory.";
    const WRITES: bool = true;

    fn prepare(recipe: Recipe, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let expected = recipe.genes();
        Ok(Self { batches: batches::of_table(&expected)?, expected, result: Vec::new() })
    }

    fn bytes(&self) -> u64 {
        batches::bytes(&self.batches)
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result.clear();
        write(&self.batches, &mut self.result)
    }

    fn written(&self) -> u64 {
        self.result.len() as u64
    }

    fn result(&self) -> Result<Table, ModuleError> {
        batches::to_table(&scan(&self.result)?)
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

pub(crate) struct IpcScan {
    file: Vec<u8>,
    expected: Table,
    result: Vec<RecordBatch>,
}

impl Stage for IpcScan {
    const NAME: &'static str = "ipc-scan";
    const SUMMARY: &'static str = "Reads all rows of all columns of a file of Arrow IPC in memory into Arrow batches.";

    fn prepare(recipe: Recipe, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let expected = recipe.genes();
        let mut file = Vec::new();
        write(&batches::of_table(&expected)?, &mut file)?;
        Ok(Self { file, expected, result: Vec::new() })
    }

    fn bytes(&self) -> u64 {
        self.file.len() as u64
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result.clear();
        self.result = scan(&self.file)?;
        Ok(())
    }

    fn result(&self) -> Result<Table, ModuleError> {
        batches::to_table(&self.result)
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

/// Writes all batches, of which there is at least one.
pub(super) fn write(batches: &[RecordBatch], into: &mut Vec<u8>) -> Result<(), ModuleError> {
    let fault = |error: ArrowError| failed("writing Arrow IPC", error);
    let schema = batches.first().map(RecordBatch::schema);
    let schema = schema.ok_or_else(|| failed("writing Arrow IPC", "there is no batch, and so no schema"))?;
    let mut writer = FileWriter::try_new(into, &schema).map_err(fault)?;
    batches.iter().try_for_each(|batch| writer.write(batch)).map_err(fault)?;
    writer.finish().map_err(fault)
}

/// Reads all rows of all columns.
pub(super) fn scan(file: &[u8]) -> Result<Vec<RecordBatch>, ModuleError> {
    let fault = |error: ArrowError| failed("reading Arrow IPC", error);
    let reader = FileReader::try_new(Cursor::new(file), None).map_err(fault)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    Ok(if batches.is_empty() { vec![RecordBatch::new_empty(schema)] } else { batches })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_and_foreign_files_are_refused() {
        let mut whole = Vec::new();
        write(&batches::of_table(&Recipe { rows: 500, seed: 1 }.genes()).unwrap(), &mut whole).unwrap();
        for file in [&whole[..whole.len() - 1], &whole[..whole.len() / 2], b"ARROW1", b"id,name\n1,x\n", b""] {
            let error = scan(file).unwrap_err().to_string();
            assert!(error.starts_with("reading Arrow IPC: "), "{error}");
        }
    }
}
