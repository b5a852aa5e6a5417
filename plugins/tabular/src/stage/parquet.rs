//! `parquet-write`, `parquet-scan` and `parquet-footer`: columns become a Parquet file in memory; all of it, or only its footer, is read.

use super::{Stage, failed};
use crate::batches::{self, BATCH_ROWS};
use arrow_array::RecordBatch;
use bench_plugin::prelude::*;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use table_core::{Cell, Field, Kind, Recipe, Table, parquet as canonical};

const CODECS: [(&str, Compression); 2] = [("snappy", Compression::SNAPPY), ("none", Compression::UNCOMPRESSED)];

/// The codec of pipelines, which every engine has.
pub(super) const SNAPPY: Compression = Compression::SNAPPY;

fn codec_parameter() -> Parameter {
    Parameter::new("codec", CODECS[0].0, "compression of the file's pages").choices(CODECS.map(|(name, _)| name))
}

fn codec(arguments: &Arguments) -> Result<Compression, ModuleError> {
    let name = arguments.text("codec")?;
    let codec = CODECS.iter().find(|(known, _)| *known == name);
    codec.map(|(_, codec)| *codec).ok_or_else(|| ModuleError::InvalidArgument(format!("unknown codec `{name}`")))
}

pub(crate) struct ParquetWrite {
    codec: Compression,
    batches: Vec<RecordBatch>,
    expected: Table,
    result: Vec<u8>,
}

impl Stage for ParquetWrite {
    const NAME: &'static str = "parquet-write";
    const SUMMARY: &'static str = "Writes Arrow batches as one Parquet file into memory.";
    const WRITES: bool = true;

    fn parameters() -> Vec<Parameter> {
        vec![codec_parameter()]
    }

    fn prepare(recipe: Recipe, arguments: &Arguments) -> Result<Self, ModuleError> {
        let expected = recipe.genes();
        let batches = batches::of_table(&expected)?;
        Ok(Self { codec: codec(arguments)?, batches, expected, result: Vec::new() })
    }

    fn bytes(&self) -> u64 {
        batches::bytes(&self.batches)
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result.clear();
        write(&self.batches, self.codec, &mut self.result)
    }

    fn written(&self) -> u64 {
        self.result.len() as u64
    }

    fn result(&self) -> Result<Table, ModuleError> {
        batches::to_table(&scan(self.result.clone().into())?)
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

pub(crate) struct ParquetScan {
    file: Bytes,
    expected: Table,
    result: Vec<RecordBatch>,
}

impl Stage for ParquetScan {
    const NAME: &'static str = "parquet-scan";
    const SUMMARY: &'static str = "Reads all rows of all columns of a Parquet file in memory into Arrow batches.";

    fn parameters() -> Vec<Parameter> {
        let input = "the file: one that this stage's writer wrote with `codec` (own), or the one that engines read, which is not compressed (canonical)";
        vec![codec_parameter(), Parameter::new("input", "own", input).choices(["own", "canonical"])]
    }

    fn prepare(recipe: Recipe, arguments: &Arguments) -> Result<Self, ModuleError> {
        let expected = recipe.genes();
        let file = match arguments.text("input")? {
            "canonical" => canonical::write(&expected).into(),
            _ => file(&expected, codec(arguments)?)?,
        };
        Ok(Self { file, expected, result: Vec::new() })
    }

    fn bytes(&self) -> u64 {
        self.file.len() as u64
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result.clear();
        self.result = scan(self.file.clone())?;
        Ok(())
    }

    fn result(&self) -> Result<Table, ModuleError> {
        batches::to_table(&self.result)
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

/// What `SELECT COUNT(*)` reads: no row at all.
pub(crate) struct ParquetFooter {
    file: Bytes,
    expected: Table,
    result: (i64, i64),
}

impl ParquetFooter {
    fn table((rows, columns): (i64, i64)) -> Table {
        let fields = ["rows", "columns"].map(|name| Field::required(name, Kind::Integer));
        let mut table = Table::new(fields.to_vec());
        table.push_row([rows, columns].map(Cell::Integer));
        table
    }
}

impl Stage for ParquetFooter {
    const NAME: &'static str = "parquet-footer";
    const SUMMARY: &'static str = "Reads the number of rows and the schema from a Parquet file's footer, and no row.";

    fn prepare(recipe: Recipe, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let genes = recipe.genes();
        let expected = Self::table((genes.rows() as i64, genes.fields().len() as i64));
        Ok(Self { file: file(&genes, SNAPPY)?, expected, result: (0, 0) })
    }

    /// The length of the footer, which the last eight bytes begin with.
    fn bytes(&self) -> u64 {
        let end = self.file.len() - 8;
        let length = self.file[end..].first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
        u64::from(length) + 8
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result = footer(self.file.clone())?;
        Ok(())
    }

    fn result(&self) -> Result<Table, ModuleError> {
        Ok(Self::table(self.result))
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

/// The numbers of rows and of columns, from the footer alone.
pub(super) fn footer(file: Bytes) -> Result<(i64, i64), ModuleError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file);
    let reader = reader.map_err(|error| failed("reading a Parquet footer", error))?;
    let rows = reader.metadata().file_metadata().num_rows();
    Ok((rows, reader.schema().fields().len() as i64))
}

/// A file with these rows.
pub(super) fn file(table: &Table, codec: Compression) -> Result<Bytes, ModuleError> {
    let mut file = Vec::new();
    write(&batches::of_table(table)?, codec, &mut file)?;
    Ok(file.into())
}

/// Writes all batches, of which there is at least one.
pub(super) fn write(batches: &[RecordBatch], codec: Compression, into: &mut Vec<u8>) -> Result<(), ModuleError> {
    let fault = |error: parquet::errors::ParquetError| failed("writing Parquet", error);
    let schema = batches.first().map(RecordBatch::schema);
    let schema = schema.ok_or_else(|| failed("writing Parquet", "there is no batch, and so no schema"))?;
    let properties = WriterProperties::builder().set_compression(codec).build();
    let mut writer = ArrowWriter::try_new(into, schema, Some(properties)).map_err(fault)?;
    batches.iter().try_for_each(|batch| writer.write(batch)).map_err(fault)?;
    writer.close().map_err(fault)?;
    Ok(())
}

/// A file in memory that grows batch by batch.
pub(super) struct Growing(ArrowWriter<Vec<u8>>);

impl Growing {
    pub(super) fn new(fields: &[Field]) -> Result<Self, ModuleError> {
        let properties = WriterProperties::builder().set_compression(SNAPPY).build();
        let writer = ArrowWriter::try_new(Vec::new(), batches::schema(fields), Some(properties));
        writer.map(Self).map_err(|error| failed("writing Parquet", error))
    }

    pub(super) fn write(&mut self, batches: &[RecordBatch]) -> Result<(), ModuleError> {
        let mut batches = batches.iter();
        batches.try_for_each(|batch| self.0.write(batch)).map_err(|error| failed("writing Parquet", error))
    }

    /// The bytes of what is written and of the row group that is not.
    pub(super) fn held(&self) -> u64 {
        (self.0.bytes_written() + self.0.memory_size()) as u64
    }

    /// The whole file.
    pub(super) fn finish(self) -> Result<Vec<u8>, ModuleError> {
        self.0.into_inner().map_err(|error| failed("writing Parquet", error))
    }
}

/// Reads all rows of all columns.
pub(super) fn scan(file: Bytes) -> Result<Vec<RecordBatch>, ModuleError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| failed("reading Parquet", error))?;
    let schema = reader.schema().clone();
    let reader = reader.with_batch_size(BATCH_ROWS).build().map_err(|error| failed("reading Parquet", error))?;
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|error| failed("reading Parquet", error))?;
    // A file without rows has a schema, too.
    Ok(if batches.is_empty() { vec![RecordBatch::new_empty(schema)] } else { batches })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(file: &[u8]) {
        let error = scan(Bytes::copy_from_slice(file)).unwrap_err().to_string();
        assert!(error.starts_with("reading Parquet: "), "{error}");
    }

    #[test]
    fn broken_and_foreign_files_are_refused() {
        let whole = file(&Recipe { rows: 5_000, seed: 1 }.genes(), SNAPPY).unwrap();
        refused(b"");
        refused(b"id,name\n1,x\n");
        refused(&whole[..whole.len() - 1]);
        refused(&whole[..whole.len() / 2]);
        let mut foreign = whole.to_vec();
        let end = foreign.len();
        foreign[end - 4..].copy_from_slice(b"ORC1");
        refused(&foreign);
    }

    #[test]
    fn canonical_files_have_the_rows_of_the_generator() {
        for rows in [0, 1, canonical::GROUP_ROWS + 1] {
            let recipe = Recipe { rows, seed: 1 };
            for table in [recipe.genes(), recipe.publications(), Recipe::organisms()] {
                let file = Bytes::from(canonical::write(&table));
                let columns = table.fields().len() as i64;
                assert_eq!(footer(file.clone()).unwrap(), (table.rows() as i64, columns));
                assert_eq!(table_core::compare(&table, &batches::to_table(&scan(file).unwrap()).unwrap()), Ok(()));
            }
        }
    }

    #[test]
    fn footer_is_a_small_part_of_the_file() {
        let recipe = Recipe { rows: 5_000, seed: 1 };
        let footer = ParquetFooter::prepare(recipe, &Arguments::default()).unwrap();
        assert!((100..footer.file.len() as u64 / 4).contains(&footer.bytes()), "{}", footer.bytes());
    }
}
