//! Encodes batches in the formats of COPY without a server: a destination's own work.

use crate::binary::{Before, BinaryRows};
use crate::column::Column;
use crate::cursor::push;
use crate::{Error, Kind, Method, PgType, cells, text};
use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};
use std::ops::Range;
use std::sync::Arc;

/// Approximate bytes that are encoded before they are sent, few enough to stay in caches.
const CHUNK_BYTES: usize = 64 << 10;

/// Ranges of rows that are encoded together, for a batch of about `bytes` bytes.
pub(crate) fn chunks(rows: usize, bytes: usize) -> impl Iterator<Item = Range<usize>> {
    let chunk = (CHUNK_BYTES.saturating_mul(rows) / bytes.max(1)).max(1);
    (0..rows).step_by(chunk).map(move |start| start..rows.min(start + chunk))
}

/// The types of the columns; an error if `method` cannot write one of them.
pub(crate) fn types(method: Method, schema: &Schema) -> Result<Vec<PgType>, Error> {
    let type_of = |field: &Arc<Field>| {
        let pg_type = PgType::of_field(field)?;
        if method == Method::Copy && pg_type.kind == Kind::Raw {
            return Err(Error::NoText { column: field.name().clone(), type_name: pg_type.name });
        }
        Ok(pg_type)
    };
    schema.fields().iter().map(type_of).collect()
}

/// Encodes batches of one schema.
#[derive(Debug)]
pub struct Encoder {
    method: Method,
    types: Vec<PgType>,
    rows: BinaryRows,
    out: Vec<u8>,
}

impl Encoder {
    /// Encodes for `method`, which is a method of COPY.
    pub fn new(method: Method, schema: &Schema) -> Result<Self, Error> {
        let types = types(method, schema)?;
        Ok(Self { method, types, rows: BinaryRows::default(), out: Vec::new() })
    }

    /// Encodes a batch of about `bytes` bytes, and passes chunks of it to `take`.
    pub fn encode(&mut self, batch: &RecordBatch, bytes: usize, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let columns = cells::of(batch, &self.types);
        for range in chunks(batch.num_rows(), bytes) {
            self.out.clear();
            match self.method {
                Method::Copy => text::append(&columns, range, &mut self.out)?,
                Method::CopyBinary | Method::Insert => {
                    self.rows.append(&columns, range, Before::Count, &mut self.out)?;
                }
            }
            take(&self.out);
        }
        Ok(())
    }
}

/// Decodes rows in the binary format of COPY to a batch.
pub fn decode_rows(schema: &Schema, mut rows: &[u8]) -> Result<RecordBatch, Error> {
    let wrong = |reason: &str| Error::Batch { number: 1, reason: reason.to_owned() };
    let types = schema.fields().iter().map(|field| PgType::of_field(field)).collect::<Result<Vec<_>, _>>()?;
    let names = schema.fields().iter().map(|field| field.name());
    let mut columns: Vec<_> = names.zip(&types).map(|(name, pg_type)| Column::new(name, pg_type, 0)).collect();
    while !rows.is_empty() {
        let row = row_of(rows, columns.len()).ok_or_else(|| wrong("truncated row"))?;
        push(&mut columns, row)?;
        rows = &rows[row.len()..];
    }
    let arrays = columns.iter_mut().map(Column::finish).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::new(schema.clone()), arrays).map_err(|error| wrong(&error.to_string()))
}

/// Reads the first row, which has `columns` columns.
fn row_of(rows: &[u8], columns: usize) -> Option<&[u8]> {
    let mut end = 2;
    for _ in 0..columns {
        let length = rows.get(end..end + 4).and_then(|length| length.try_into().ok()).map(i32::from_be_bytes)?;
        end += 4 + usize::try_from(length).unwrap_or_default();
    }
    rows.get(..end)
}
