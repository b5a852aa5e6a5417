//! Tables as Arrow batches, and back. Cells are built and read one by one, in a plain way.

use crate::{Cell, Field, Kind, Table};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema, SchemaRef};
use std::ops::Range;
use std::sync::Arc;

/// Rows of a batch, as Arrow's own readers have them unless told otherwise.
pub const BATCH_ROWS: usize = 8192;

/// Digits of a decimal, two of them behind the point; the type's most, so that a sum fits.
const PRECISION: u8 = 38;
const SCALE: i8 = 2;

/// The types of these columns.
pub fn schema(fields: &[Field]) -> SchemaRef {
    let field = |field: &Field| {
        let data_type = match field.kind {
            Kind::Text => DataType::Utf8,
            Kind::Integer => DataType::Int64,
            Kind::Decimal => DataType::Decimal128(PRECISION, SCALE),
            Kind::Real => DataType::Float64,
            Kind::Date => DataType::Date32,
        };
        ArrowField::new(field.name.clone(), data_type, field.nullable)
    };
    Arc::new(Schema::new(fields.iter().map(field).collect::<Vec<_>>()))
}

/// The rows of a table. There is at least one batch.
pub fn of_table(table: &Table) -> Result<Vec<RecordBatch>, ArrowError> {
    let schema = schema(table.fields());
    let starts = (0..table.rows().max(1)).step_by(BATCH_ROWS);
    let batch = |start: usize| {
        let rows = start..(start + BATCH_ROWS).min(table.rows());
        let columns = (0..table.fields().len()).map(|column| array(table, column, rows.clone()));
        RecordBatch::try_new(schema.clone(), columns.collect::<Result<Vec<_>, _>>()?)
    };
    starts.map(batch).collect()
}

fn array(table: &Table, column: usize, rows: Range<usize>) -> Result<ArrayRef, ArrowError> {
    let cells = rows.map(|row| table.cell(row, column));
    Ok(match table.fields()[column].kind {
        Kind::Text => {
            let texts = cells.map(|cell| if let Cell::Text(text) = cell { Some(text) } else { None });
            Arc::new(texts.collect::<StringArray>())
        }
        Kind::Integer => {
            let values = cells.map(|cell| if let Cell::Integer(value) = cell { Some(value) } else { None });
            Arc::new(values.collect::<Int64Array>())
        }
        Kind::Decimal => {
            let values = cells.map(|cell| if let Cell::Decimal(value) = cell { Some(value) } else { None });
            Arc::new(values.collect::<Decimal128Array>().with_precision_and_scale(PRECISION, SCALE)?)
        }
        Kind::Real => {
            let values = cells.map(|cell| if let Cell::Real(value) = cell { Some(value) } else { None });
            Arc::new(values.collect::<Float64Array>())
        }
        Kind::Date => {
            let values = cells.map(|cell| if let Cell::Date(value) = cell { Some(value) } else { None });
            Arc::new(values.collect::<Date32Array>())
        }
    })
}

/// The rows of batches as a table with the schema that the batches declare. The error names what no table here can have.
pub fn to_table(batches: &[RecordBatch]) -> Result<Table, String> {
    let first = batches.first().ok_or("there is no batch, and so no schema")?;
    let mut table = Table::new(fields(&first.schema())?);
    for batch in batches {
        if batch.schema().fields() != first.schema().fields() {
            return Err("batches of one table differ in their schema".to_owned());
        }
        for (column, values) in Values::of_batch(batch).iter().enumerate() {
            for row in 0..batch.num_rows() {
                table.push(column, values.cell(row));
            }
        }
    }
    Ok(table)
}

/// The columns of a schema, as the schema declares them. The error names what no table here can have.
pub fn fields(schema: &Schema) -> Result<Vec<Field>, String> {
    let field = |field: &Arc<ArrowField>| {
        let kind = match field.data_type() {
            DataType::Utf8 => Kind::Text,
            DataType::Int64 => Kind::Integer,
            DataType::Decimal128(PRECISION, SCALE) => Kind::Decimal,
            DataType::Float64 => Kind::Real,
            DataType::Date32 => Kind::Date,
            other => {
                let name = field.name();
                return Err(format!(
                    "column `{name}` has the type {other}; use Utf8, Int64, Decimal128({PRECISION}, {SCALE}), Float64 or Date32"
                ));
            }
        };
        Ok(Field { name: field.name().clone(), kind, nullable: field.is_nullable() })
    };
    schema.fields().iter().map(field).collect()
}

/// The cells of an array of one of the types of [`schema`]. The type is found out once, not for every cell.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Of [`Kind::Text`].
    Text(&'a StringArray),
    /// Of [`Kind::Integer`].
    Integer(&'a Int64Array),
    /// Of [`Kind::Decimal`].
    Decimal(&'a Decimal128Array),
    /// Of [`Kind::Real`].
    Real(&'a Float64Array),
    /// Of [`Kind::Date`].
    Date(&'a Date32Array),
}

impl<'a> Values<'a> {
    /// Of an array of one of these types; panics with another.
    pub fn of(array: &'a dyn Array) -> Self {
        match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Int64 => Self::Integer(array.as_primitive()),
            DataType::Decimal128(..) => Self::Decimal(array.as_primitive()),
            DataType::Float64 => Self::Real(array.as_primitive()),
            // [`schema`] makes no other type, and [`fields`] accepts none.
            _ => Self::Date(array.as_primitive()),
        }
    }

    /// The columns of a batch.
    pub fn of_batch(batch: &'a RecordBatch) -> Vec<Self> {
        batch.columns().iter().map(|column| Self::of(column)).collect()
    }

    /// The cell of a row.
    pub fn cell(&self, row: usize) -> Cell<'a> {
        let cell = match *self {
            Self::Text(array) => array.is_valid(row).then(|| Cell::Text(array.value(row))),
            Self::Integer(array) => array.is_valid(row).then(|| Cell::Integer(array.value(row))),
            Self::Decimal(array) => array.is_valid(row).then(|| Cell::Decimal(array.value(row))),
            Self::Real(array) => array.is_valid(row).then(|| Cell::Real(array.value(row))),
            Self::Date(array) => array.is_valid(row).then(|| Cell::Date(array.value(row))),
        };
        cell.unwrap_or(Cell::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Recipe, compare};

    #[test]
    fn tables_survive_batches() {
        for rows in [0, 1, BATCH_ROWS, BATCH_ROWS + 1] {
            let genes = Recipe { rows, seed: 4 }.genes();
            let batches = of_table(&genes).unwrap();
            assert_eq!(batches.len(), rows.div_ceil(BATCH_ROWS).max(1));
            assert_eq!(compare(&genes, &to_table(&batches).unwrap()), Ok(()));
        }
    }

    #[test]
    fn column_of_another_type_is_refused_by_name() {
        let batch = RecordBatch::try_from_iter([("n", Arc::new(arrow_array::Int32Array::from(vec![1])) as ArrayRef)]);
        let expect = "column `n` has the type Int32; use Utf8, Int64, Decimal128(38, 2), Float64 or Date32";
        assert_eq!(to_table(&[batch.unwrap()]).unwrap_err(), expect);
    }
}
