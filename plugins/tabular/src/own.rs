//! Tables of the user's own: their file, and their rows as they are compared. They may have more types than generated ones; cells of
//! different types of the same kind are compared by value, and the types apart.

use crate::batches::Values;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use bench_plugin::prelude::*;
use table_core::{Cell, Field, Kind, Table};

/// The bytes of the file that the argument `parameter` names.
pub(crate) fn file(arguments: &Arguments, parameter: &str) -> Result<Vec<u8>, ModuleError> {
    let path = arguments.text(parameter)?;
    std::fs::read(path).map_err(|error| {
        ModuleError::InvalidArgument(format!(
            "`{parameter}`: {path} cannot be read: {error}; give a file, with -p {parameter}=FILE"
        ))
    })
}

/// The rows of batches. Decimals are in units of their last digit, times in units of their type.
pub(crate) fn table(batches: &[RecordBatch]) -> Result<Table, ModuleError> {
    let Some(first) = batches.first() else {
        return Err(ModuleError::Other("there is no batch, and so no schema".to_owned()));
    };
    let field = |field: &std::sync::Arc<arrow_schema::Field>| {
        let kind = kind(field.data_type()).ok_or_else(|| {
            let (name, data_type) = (field.name(), field.data_type());
            ModuleError::InvalidArgument(format!(
                "column `{name}` has the type {data_type}; columns can be numbers of up to 64 bits with a sign, texts, booleans, \
                 dates and times"
            ))
        })?;
        Ok::<_, ModuleError>(Field { name: field.name().clone(), kind, nullable: field.is_nullable() })
    };
    let fields = first.schema().fields().iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let mut table = Table::new(fields);
    for batch in batches {
        for column in 0..batch.num_columns() {
            for row in 0..batch.num_rows() {
                table.push(column, cell(batch.column(column), row));
            }
        }
    }
    Ok(table)
}

/// The names and Arrow types of the columns, in order, and whether they may hold NULL.
pub(crate) fn schema(batches: &[RecordBatch]) -> Vec<String> {
    let schema = batches.first().map(RecordBatch::schema);
    let fields = schema.iter().flat_map(|schema| schema.fields());
    let field = |field: &std::sync::Arc<arrow_schema::Field>| {
        let null = if field.is_nullable() { "" } else { " not null" };
        format!("{} {}{null}", field.name(), field.data_type())
    };
    fields.map(field).collect()
}

fn kind(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::Timestamp(..) => Kind::Integer,
        DataType::Decimal128(..) => Kind::Decimal,
        DataType::Float32 | DataType::Float64 => Kind::Real,
        DataType::Date32 => Kind::Date,
        _ => return None,
    })
}

/// A cell of an array of one of the types that have a kind.
fn cell(array: &dyn Array, row: usize) -> Cell<'_> {
    if array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row)),
        DataType::Boolean => Cell::Integer(array.as_boolean().value(row).into()),
        DataType::Int8 => Cell::Integer(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Cell::Integer(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Cell::Integer(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Cell::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Cell::Integer(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => Cell::Integer(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => Cell::Integer(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::Timestamp(unit, _) => Cell::Integer(match unit {
            TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row),
            TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
            TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
            TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
        }),
        DataType::Float32 => Cell::Real(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Cell::Real(array.as_primitive::<Float64Type>().value(row)),
        // Texts, decimals and days, which generated tables have, too.
        _ => Values::of(array).cell(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{
        ArrayRef, BooleanArray, Float32Array, Int8Array, LargeStringArray, StringViewArray, TimestampMillisecondArray,
        UInt32Array, UInt64Array,
    };
    use std::sync::Arc;

    fn column(name: &str, array: impl Array + 'static) -> (&str, ArrayRef) {
        (name, Arc::new(array))
    }

    fn batch<'a>(columns: impl IntoIterator<Item = (&'a str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn cells_of_every_type_are_their_values() {
        let batch = batch([
            column("boolean", BooleanArray::from(vec![true])),
            column("small", Int8Array::from(vec![-3])),
            column("unsigned", UInt32Array::from(vec![u32::MAX])),
            column("time", TimestampMillisecondArray::from(vec![7])),
            column("single", Float32Array::from(vec![0.5])),
            column("view", StringViewArray::from(vec!["x"])),
            column("large", LargeStringArray::from(vec!["y"])),
            column("none", Int8Array::from(vec![None])),
        ]);
        let found = table(&[batch]).unwrap();
        let expect = [
            Cell::Integer(1),
            Cell::Integer(-3),
            Cell::Integer(i64::from(u32::MAX)),
            Cell::Integer(7),
            Cell::Real(0.5),
            Cell::Text("x"),
            Cell::Text("y"),
            Cell::Null,
        ];
        assert_eq!(found.row(0).collect::<Vec<_>>(), expect);
    }

    #[cfg(not(target_family = "wasm"))]
    #[test]
    fn folder_in_place_of_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = Arguments::default();
        arguments.set("csv", folder.path().to_str().unwrap());
        let error = file(&arguments, "csv").unwrap_err().to_string();
        assert!(error.starts_with("invalid argument: `csv`: /") && error.contains("-p csv=FILE"), "{error}");
    }

    #[test]
    fn column_of_another_type_is_named() {
        let batch = batch([column("big", UInt64Array::from(vec![1]))]);
        let error = table(&[batch]).unwrap_err().to_string();
        assert!(error.contains("column `big` has the type UInt64; columns can be"), "{error}");
    }
}
