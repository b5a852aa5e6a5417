//! Arrow batches: made of tables, and read back as those.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema, SchemaRef};
use bench_model::ModuleError;
use std::ops::Range;
use std::sync::Arc;
use table_core::{Cell, Field, Kind, Table};

/// Rows of a batch, as Arrow's own readers of CSV and Parquet have them unless told otherwise.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Digits of a decimal, two of them behind the point.
const PRECISION: u8 = 38;
const SCALE: i8 = 2;

pub(crate) fn schema(fields: &[Field]) -> SchemaRef {
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
pub(crate) fn of_table(table: &Table) -> Result<Vec<RecordBatch>, ModuleError> {
    let schema = schema(table.fields());
    let starts = (0..table.rows().max(1)).step_by(BATCH_ROWS);
    let batch = |start: usize| {
        let rows = start..(start + BATCH_ROWS).min(table.rows());
        let columns = (0..table.fields().len()).map(|column| array(table, column, rows.clone()));
        RecordBatch::try_new(schema.clone(), columns.collect::<Result<Vec<_>, _>>()?)
    };
    let batches = starts.map(batch).collect::<Result<Vec<_>, ArrowError>>();
    batches.map_err(|error| ModuleError::Other(format!("Arrow: {error}")))
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

/// The rows of batches, whose columns must be `fields`.
pub(crate) fn to_table(batches: &[RecordBatch], fields: &[Field]) -> Result<Table, ModuleError> {
    let expected = schema(fields);
    let mut table = Table::new(fields.to_vec());
    for batch in batches {
        if batch.schema().fields() != expected.fields() {
            return Err(ModuleError::Other(format!(
                "the result has the columns {}, expected {expected}",
                batch.schema()
            )));
        }
        for column in 0..batch.num_columns() {
            for row in 0..batch.num_rows() {
                table.push(column, cell(batch.column(column), row));
            }
        }
    }
    Ok(table)
}

fn cell(array: &dyn Array, row: usize) -> Cell<'_> {
    if array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row)),
        DataType::Int64 => Cell::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Decimal128(..) => Cell::Decimal(array.as_primitive::<Decimal128Type>().value(row)),
        DataType::Float64 => Cell::Real(array.as_primitive::<Float64Type>().value(row)),
        // `schema` makes no other type.
        _ => Cell::Date(array.as_primitive::<Date32Type>().value(row)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use table_core::{Recipe, compare};

    #[test]
    fn tables_survive_batches() {
        for rows in [0, 1, BATCH_ROWS, BATCH_ROWS + 1] {
            let genes = Recipe { rows, seed: 4 }.genes();
            let batches = of_table(&genes).unwrap();
            assert_eq!(batches.len(), rows.div_ceil(BATCH_ROWS).max(1));
            assert_eq!(compare(&genes, &to_table(&batches, genes.fields()).unwrap()), Ok(()));
        }
    }

    #[test]
    fn result_with_other_columns_is_refused() {
        let recipe = Recipe { rows: 3, seed: 4 };
        let batches = of_table(&recipe.publications()).unwrap();
        let error = to_table(&batches, recipe.genes().fields()).unwrap_err().to_string();
        assert!(error.contains("Publication.year"), "{error}");
    }
}
