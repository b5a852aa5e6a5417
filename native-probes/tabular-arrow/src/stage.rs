//! The stages: each is one call of Arrow's own, from bytes in memory to batches or back.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bench_model::ModuleError;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use table_core::arrow::BATCH_ROWS;
use table_core::csv::{self, Dialect};
use table_core::{Table, stream};

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Csv,
    Json,
    ParquetScan,
    ParquetWrite,
}

impl Stage {
    pub(crate) const ALL: [Self; 4] = [Self::Csv, Self::Json, Self::ParquetScan, Self::ParquetWrite];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Csv => "arrow-csv",
            Self::Json => "arrow-json",
            Self::ParquetScan => "parquet-scan",
            Self::ParquetWrite => "parquet-write",
        }
    }

    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::Csv => {
                "Reads CSV in memory into Arrow batches by the crate arrow-csv, which takes an empty text for NULL."
            }
            Self::Json => "Reads an array per row in memory into Arrow batches by the crate arrow-json.",
            Self::ParquetScan => "Reads all columns of a Parquet file with Snappy in memory by the crate parquet.",
            Self::ParquetWrite => {
                "Writes Arrow batches as a Parquet file with Snappy into memory by the crate parquet."
            }
        }
    }

    /// What an operation reads; for a writer, nothing but batches.
    pub(crate) fn input(self, genes: &Table, batches: &[RecordBatch]) -> Result<Bytes, ModuleError> {
        Ok(match self {
            Self::Csv => csv::write(genes, Dialect::Exact).into_bytes().into(),
            Self::Json => {
                let mut rows = String::new();
                (0..genes.rows()).for_each(|row| stream::write_row(genes.row(row), &mut rows));
                rows.into_bytes().into()
            }
            Self::ParquetScan => {
                let mut file = Vec::new();
                parquet_write(batches, &mut file)?;
                file.into()
            }
            Self::ParquetWrite => Bytes::new(),
        })
    }

    /// The rows as they are after the stage.
    pub(crate) fn carried(self, genes: &Table) -> Table {
        match self {
            Self::Csv => genes.mapped(|_, cell| Dialect::Mine.carries(cell)),
            Self::Json | Self::ParquetScan | Self::ParquetWrite => genes.clone(),
        }
    }
}

pub(crate) fn csv_read(text: &[u8], schema: &SchemaRef) -> Result<Vec<RecordBatch>, ModuleError> {
    let reader = arrow_csv::ReaderBuilder::new(schema.clone()).with_header(true).with_batch_size(BATCH_ROWS);
    let reader = reader.build_buffered(text).map_err(|error| failed("arrow-csv", error))?;
    reader.collect::<Result<Vec<_>, _>>().map_err(|error| failed("arrow-csv", error))
}

pub(crate) fn json_read(text: &[u8], schema: &SchemaRef) -> Result<Vec<RecordBatch>, ModuleError> {
    let reader = arrow_json::ReaderBuilder::new(schema.clone())
        .with_struct_mode(arrow_json::StructMode::ListOnly)
        .with_batch_size(BATCH_ROWS);
    let reader = reader.build(text).map_err(|error| failed("arrow-json", error))?;
    reader.collect::<Result<Vec<_>, _>>().map_err(|error| failed("arrow-json", error))
}

pub(crate) fn parquet_scan(file: Bytes) -> Result<Vec<RecordBatch>, ModuleError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| failed("parquet", error))?;
    let reader = reader.with_batch_size(BATCH_ROWS).build().map_err(|error| failed("parquet", error))?;
    reader.collect::<Result<Vec<_>, _>>().map_err(|error| failed("parquet", error))
}

/// Writes all batches, of which there is at least one.
pub(crate) fn parquet_write(batches: &[RecordBatch], into: &mut Vec<u8>) -> Result<(), ModuleError> {
    let schema = batches.first().map(RecordBatch::schema);
    let schema = schema.ok_or_else(|| failed("parquet", "there is no batch, and so no schema"))?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(into, schema, Some(properties)).map_err(|error| failed("parquet", error))?;
    batches.iter().try_for_each(|batch| writer.write(batch)).map_err(|error| failed("parquet", error))?;
    writer.close().map(|_| ()).map_err(|error| failed("parquet", error))
}

fn failed(by: &str, reason: impl std::fmt::Display) -> ModuleError {
    ModuleError::Other(format!("{by}: {reason}"))
}
