//! The columns of a batch as values for the server.

use crate::{Error, Kind, PgType};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, RecordBatch};
use arrow_buffer::NullBuffer;

/// One column of one batch.
pub(crate) struct Cells<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: Kind,
    pub(crate) nulls: Option<&'a NullBuffer>,
    pub(crate) values: Values<'a>,
}

/// The values, including those of null rows.
pub(crate) enum Values<'a> {
    Bool(&'a BooleanArray),
    Two(&'a [i16]),
    Four(&'a [i32]),
    Eight(&'a [i64]),
    Float4(&'a [f32]),
    Float8(&'a [f64]),
    Fixed(&'a FixedSizeBinaryArray),
    Variable { offsets: &'a [i32], bytes: &'a [u8] },
}

/// The columns of a batch, whose types were checked before.
pub(crate) fn of<'a>(batch: &'a RecordBatch, types: &[PgType]) -> Vec<Cells<'a>> {
    let fields = batch.schema_ref().fields();
    let columns = batch.columns().iter().zip(fields.iter().map(|field| field.name().as_str()));
    columns.zip(types).map(|((array, name), pg_type)| Cells::new(name, pg_type.kind, array)).collect()
}

impl<'a> Cells<'a> {
    fn new(name: &'a str, kind: Kind, array: &'a ArrayRef) -> Self {
        let values = match kind {
            Kind::Bool => Values::Bool(array.as_boolean()),
            Kind::Int2 => Values::Two(array.as_primitive::<Int16Type>().values()),
            Kind::Int4 => Values::Four(array.as_primitive::<Int32Type>().values()),
            Kind::Date => Values::Four(array.as_primitive::<Date32Type>().values()),
            Kind::Int8 => Values::Eight(array.as_primitive::<Int64Type>().values()),
            Kind::Time => Values::Eight(array.as_primitive::<Time64MicrosecondType>().values()),
            Kind::Timestamp | Kind::TimestampTz => {
                Values::Eight(array.as_primitive::<TimestampMicrosecondType>().values())
            }
            Kind::Float4 => Values::Float4(array.as_primitive::<Float32Type>().values()),
            Kind::Float8 => Values::Float8(array.as_primitive::<Float64Type>().values()),
            Kind::Uuid => Values::Fixed(array.as_fixed_size_binary()),
            Kind::Bytea | Kind::Raw => {
                let array = array.as_binary::<i32>();
                Values::Variable { offsets: array.value_offsets(), bytes: array.value_data() }
            }
            Kind::Text | Kind::Jsonb | Kind::Numeric => {
                let array = array.as_string::<i32>();
                Values::Variable { offsets: array.value_offsets(), bytes: array.value_data() }
            }
        };
        Self { name, kind, nulls: array.nulls().filter(|nulls| nulls.null_count() > 0), values }
    }

    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    #[cold]
    pub(crate) fn refusal(&self, reason: &str) -> Error {
        Error::Value { column: self.name.to_owned(), reason: reason.to_owned() }
    }
}
