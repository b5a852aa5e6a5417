//! Data frames, read back as tables.

use bench_model::ModuleError;
use polars::prelude::{AnyValue, DataFrame, PolarsError};
use table_core::{Cell, Field, Kind, Table};

/// The rows of a data frame, whose columns have the names and types of `fields`, in this order.
pub(crate) fn to_table(frame: &DataFrame, fields: &[Field]) -> Result<Table, ModuleError> {
    let names: Vec<_> = frame.get_column_names().into_iter().map(|name| name.as_str().to_owned()).collect();
    let expected: Vec<_> = fields.iter().map(|field| field.name.clone()).collect();
    if names != expected {
        return Err(ModuleError::Other(format!("the result has the columns {names:?}, expected {expected:?}")));
    }
    let mut table = Table::new(fields.to_vec());
    for (number, field) in fields.iter().enumerate() {
        let column = frame.column(&field.name).map_err(failed)?;
        for row in 0..frame.height() {
            let value = column.get(row).map_err(failed)?;
            table.push(number, cell(&value, field)?);
        }
    }
    Ok(table)
}

fn cell<'a>(value: &'a AnyValue<'_>, field: &Field) -> Result<Cell<'a>, ModuleError> {
    match (field.kind, value) {
        (_, AnyValue::Null) => Ok(Cell::Null),
        (Kind::Text, AnyValue::String(text)) => Ok(Cell::Text(text)),
        (Kind::Text, AnyValue::StringOwned(text)) => Ok(Cell::Text(text.as_str())),
        (Kind::Integer, AnyValue::Int64(value)) => Ok(Cell::Integer(*value)),
        (Kind::Decimal, AnyValue::Decimal(value, ..)) => Ok(Cell::Decimal(*value)),
        (Kind::Real, AnyValue::Float64(value)) => Ok(Cell::Real(*value)),
        (Kind::Date, AnyValue::Date(days)) => Ok(Cell::Date(*days)),
        (kind, other) => {
            let (name, kind, found) = (&field.name, kind.as_str(), other.dtype());
            Err(ModuleError::Other(format!("column `{name}` of the result is {found}, expected {kind}")))
        }
    }
}

pub(crate) fn failed(error: PolarsError) -> ModuleError {
    let text = error.to_string();
    ModuleError::Other(format!("Polars: {}", text.lines().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::read;
    use table_core::{Recipe, compare, parquet};

    /// The data frame that is read of a file with these rows.
    fn frame(table: &Table) -> DataFrame {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.parquet");
        std::fs::write(&path, parquet::write(table)).unwrap();
        read(&path).unwrap()
    }

    #[test]
    fn tables_survive_files_and_data_frames() {
        for rows in [0, 1, parquet::GROUP_ROWS + 1] {
            let genes = Recipe { rows, seed: 4 }.genes();
            assert_eq!(compare(&genes, &to_table(&frame(&genes), genes.fields()).unwrap()), Ok(()));
        }
    }

    #[test]
    fn result_with_other_columns_is_refused() {
        let recipe = Recipe { rows: 3, seed: 4 };
        let error = to_table(&frame(&recipe.publications()), recipe.genes().fields()).unwrap_err().to_string();
        assert!(error.contains("Publication.year"), "{error}");
    }
}
