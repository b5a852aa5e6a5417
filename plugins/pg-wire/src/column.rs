//! Builds Arrow arrays from values in wire format: one column in one pass, without an allocation per value.

use crate::kind::UUID_BYTES;
use crate::{Error, Kind, PgType, datetime, numeric};
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, StringArray,
};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use std::sync::Arc;

/// The version byte of a `jsonb`.
pub(crate) const JSONB_VERSION: u8 = 1;

/// A column that grows by one value at a time.
pub(crate) struct Column {
    name: String,
    kind: Kind,
    nulls: NullBufferBuilder,
    values: Values,
}

enum Values {
    Bool(BooleanBufferBuilder),
    Two(Vec<i16>),
    Four(Vec<i32>),
    Eight(Vec<i64>),
    Float4(Vec<f32>),
    Float8(Vec<f64>),
    Fixed(Vec<u8>),
    Variable { offsets: Vec<i32>, bytes: Vec<u8> },
}

impl Column {
    pub(crate) fn new(name: &str, pg_type: &PgType, rows: usize) -> Self {
        let kind = pg_type.kind;
        Self { name: name.to_owned(), kind, nulls: NullBufferBuilder::new(rows), values: Values::new(kind, rows, 0) }
    }

    /// Adds a value.
    pub(crate) fn push(&mut self, value: &[u8]) -> Result<(), Error> {
        self.nulls.append_non_null();
        match self.values.push(self.kind, value) {
            Ok(()) => Ok(()),
            Err(reason) => Err(self.refusal(reason)),
        }
    }

    /// Adds a null.
    pub(crate) fn push_null(&mut self) {
        self.nulls.append_null();
        match &mut self.values {
            Values::Bool(values) => values.append(false),
            Values::Two(values) => values.push(0),
            Values::Four(values) => values.push(0),
            Values::Eight(values) => values.push(0),
            Values::Float4(values) => values.push(0.0),
            Values::Float8(values) => values.push(0.0),
            Values::Fixed(values) => values.extend_from_slice(&[0; UUID_BYTES as usize]),
            Values::Variable { offsets, .. } => offsets.extend_from_within(offsets.len() - 1..),
        }
    }

    /// Returns the values as an array. Afterwards the column is empty, with the same capacity.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, Error> {
        let (rows, bytes) = self.values.size();
        let nulls = self.nulls.finish();
        let values = std::mem::replace(&mut self.values, Values::new(self.kind, rows, bytes));
        let array: Result<ArrayRef, _> = match values {
            Values::Bool(mut values) => Ok(Arc::new(BooleanArray::new(values.finish(), nulls))),
            Values::Two(values) => Ok(primitive::<Int16Type>(values, nulls)),
            Values::Four(values) => Ok(match self.kind {
                Kind::Date => primitive::<Date32Type>(values, nulls),
                _ => primitive::<Int32Type>(values, nulls),
            }),
            Values::Eight(values) => Ok(match self.kind {
                Kind::Time => primitive::<Time64MicrosecondType>(values, nulls),
                Kind::Timestamp | Kind::TimestampTz => {
                    let array = PrimitiveArray::<TimestampMicrosecondType>::new(ScalarBuffer::from(values), nulls);
                    Arc::new(array.with_data_type(self.kind.data_type()))
                }
                _ => primitive::<Int64Type>(values, nulls),
            }),
            Values::Float4(values) => Ok(primitive::<Float32Type>(values, nulls)),
            Values::Float8(values) => Ok(primitive::<Float64Type>(values, nulls)),
            Values::Fixed(values) => FixedSizeBinaryArray::try_new(UUID_BYTES, Buffer::from_vec(values), nulls)
                .map(|array| Arc::new(array) as ArrayRef),
            Values::Variable { offsets, bytes } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                let bytes = Buffer::from_vec(bytes);
                match self.kind {
                    Kind::Bytea | Kind::Raw => {
                        BinaryArray::try_new(offsets, bytes, nulls).map(|array| Arc::new(array) as ArrayRef)
                    }
                    // Validates UTF-8 for all values at once.
                    _ => StringArray::try_new(offsets, bytes, nulls).map(|array| Arc::new(array) as ArrayRef),
                }
            }
        };
        array.map_err(|error| self.refusal(&error.to_string()))
    }

    #[cold]
    fn refusal(&self, reason: &str) -> Error {
        Error::Value { column: self.name.clone(), reason: reason.to_owned() }
    }
}

fn primitive<T: ArrowPrimitiveType>(values: Vec<T::Native>, nulls: Option<arrow_buffer::NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls))
}

impl Values {
    /// Capacity in rows, and in bytes for types of variable length.
    fn new(kind: Kind, rows: usize, bytes: usize) -> Self {
        match kind {
            Kind::Bool => Self::Bool(BooleanBufferBuilder::new(rows)),
            Kind::Int2 => Self::Two(Vec::with_capacity(rows)),
            Kind::Int4 | Kind::Date => Self::Four(Vec::with_capacity(rows)),
            Kind::Int8 | Kind::Time | Kind::Timestamp | Kind::TimestampTz => Self::Eight(Vec::with_capacity(rows)),
            Kind::Float4 => Self::Float4(Vec::with_capacity(rows)),
            Kind::Float8 => Self::Float8(Vec::with_capacity(rows)),
            Kind::Uuid => Self::Fixed(Vec::with_capacity(rows * UUID_BYTES as usize)),
            Kind::Text | Kind::Jsonb | Kind::Bytea | Kind::Numeric | Kind::Raw => {
                let mut offsets = Vec::with_capacity(rows + 1);
                offsets.push(0);
                // The next batch is probably about as large.
                Self::Variable { offsets, bytes: Vec::with_capacity(bytes + bytes / 16) }
            }
        }
    }

    /// Rows, and bytes for types of variable length.
    fn size(&self) -> (usize, usize) {
        match self {
            Self::Bool(values) => (values.len(), 0),
            Self::Two(values) => (values.len(), 0),
            Self::Four(values) => (values.len(), 0),
            Self::Eight(values) => (values.len(), 0),
            Self::Float4(values) => (values.len(), 0),
            Self::Float8(values) => (values.len(), 0),
            Self::Fixed(values) => (values.len() / UUID_BYTES as usize, 0),
            Self::Variable { offsets, bytes } => (offsets.len() - 1, bytes.len()),
        }
    }

    #[inline]
    fn push(&mut self, kind: Kind, value: &[u8]) -> Result<(), &'static str> {
        match self {
            Self::Bool(values) => values.append(exactly::<1>(value)? != [0]),
            Self::Two(values) => values.push(i16::from_be_bytes(exactly(value)?)),
            Self::Four(values) => {
                let value = i32::from_be_bytes(exactly(value)?);
                values.push(if kind == Kind::Date { datetime::date_to_arrow(value)? } else { value });
            }
            Self::Eight(values) => {
                let value = i64::from_be_bytes(exactly(value)?);
                let is_timestamp = matches!(kind, Kind::Timestamp | Kind::TimestampTz);
                values.push(if is_timestamp { datetime::timestamp_to_arrow(value)? } else { value });
            }
            Self::Float4(values) => values.push(f32::from_be_bytes(exactly(value)?)),
            Self::Float8(values) => values.push(f64::from_be_bytes(exactly(value)?)),
            Self::Fixed(values) => values.extend_from_slice(&exactly::<{ UUID_BYTES as usize }>(value)?),
            Self::Variable { offsets, bytes } => {
                match (kind, value) {
                    (Kind::Jsonb, [JSONB_VERSION, text @ ..]) => bytes.extend_from_slice(text),
                    (Kind::Jsonb, _) => return Err("a jsonb of a version other than 1"),
                    (Kind::Numeric, _) => {
                        numeric::to_text(value, bytes).ok_or("a malformed numeric")?;
                    }
                    _ => bytes.extend_from_slice(value),
                }
                let end = i32::try_from(bytes.len());
                offsets.push(end.map_err(|_| "the values of a batch exceed 2 GiB; give a smaller batch_rows")?);
            }
        }
        Ok(())
    }
}

#[inline]
fn exactly<const N: usize>(value: &[u8]) -> Result<[u8; N], &'static str> {
    value.try_into().map_err(|_| "its length does not match its type; is this server PostgreSQL?")
}
