//! Arrow batches of DataFusion's version of Arrow: made of tables, and read back as those.

use bench_model::ModuleError;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field as ArrowField, Float64Type, Int64Type, Schema, SchemaRef,
};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use std::ops::Range;
use std::sync::Arc;
use table_core::{Cell, Field, Kind, Table};

/// Rows of a batch, as DataFusion's own sources have them.
const BATCH_ROWS: usize = 8192;

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

/// The names and types of the columns of a result, in order. A plan does not always know which columns cannot be NULL.
pub(crate) fn names_and_types(schema: &Schema) -> Vec<String> {
    let name = |data_type: &DataType| match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Kind::Text.as_str().to_owned(),
        DataType::Int64 => Kind::Integer.as_str().to_owned(),
        DataType::Decimal128(PRECISION, SCALE) => Kind::Decimal.as_str().to_owned(),
        DataType::Float64 => Kind::Real.as_str().to_owned(),
        DataType::Date32 => Kind::Date.as_str().to_owned(),
        other => other.to_string(),
    };
    schema.fields().iter().map(|field| format!("{} {}", field.name(), name(field.data_type()))).collect()
}

/// The rows of batches, whose columns have the names and types of `fields`.
pub(crate) fn to_table(batches: &[RecordBatch], fields: &[Field]) -> Result<Table, ModuleError> {
    let expected = names_and_types(&schema(fields));
    let mut table = Table::new(fields.to_vec());
    for batch in batches {
        let found = names_and_types(&batch.schema());
        if found != expected {
            return Err(ModuleError::Other(format!("the result has the columns {found:?}, expected {expected:?}")));
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
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row)),
        DataType::Int64 => Cell::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Decimal128(..) => Cell::Decimal(array.as_primitive::<Decimal128Type>().value(row)),
        DataType::Float64 => Cell::Real(array.as_primitive::<Float64Type>().value(row)),
        // `names_and_types` was compared before, and has no other type.
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
        assert!(error.contains("Publication.year integer"), "{error}");
    }
}
