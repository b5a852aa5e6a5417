//! Data frames: made of tables, and read back as those.

use bench_model::ModuleError;
use polars::prelude::{AnyValue, Column, DataFrame, DataType, NamedFrom, PolarsError, Series};
use table_core::{Cell, Field, Kind, Table, text};

/// Digits of a decimal, two of them behind the point.
const PRECISION: usize = 38;
const SCALE: usize = 2;

/// The rows of a table.
pub(crate) fn of_table(table: &Table) -> Result<DataFrame, ModuleError> {
    let columns = (0..table.fields().len()).map(|column| series(table, column).map(Column::from));
    let columns = columns.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    DataFrame::new_infer_height(columns).map_err(failed)
}

fn series(table: &Table, column: usize) -> Result<Series, PolarsError> {
    let field = &table.fields()[column];
    let name = field.name.as_str();
    let cells = (0..table.rows()).map(|row| table.cell(row, column));
    match field.kind {
        Kind::Text => {
            let texts = cells.map(|cell| if let Cell::Text(text) = cell { Some(text) } else { None });
            Ok(Series::new(name.into(), texts.collect::<Vec<_>>()))
        }
        Kind::Integer => {
            let values = cells.map(|cell| if let Cell::Integer(value) = cell { Some(value) } else { None });
            Ok(Series::new(name.into(), values.collect::<Vec<_>>()))
        }
        // As text, which keeps every digit.
        Kind::Decimal => {
            let written = |cell: Cell<'_>| {
                let mut written = String::new();
                text::write(cell, &mut written);
                Some(written).filter(|_| cell != Cell::Null)
            };
            let texts = cells.map(written).collect::<Vec<_>>();
            Series::new(name.into(), texts).strict_cast(&DataType::Decimal(PRECISION, SCALE))
        }
        Kind::Real => {
            let values = cells.map(|cell| if let Cell::Real(value) = cell { Some(value) } else { None });
            Ok(Series::new(name.into(), values.collect::<Vec<_>>()))
        }
        Kind::Date => {
            let days = cells.map(|cell| if let Cell::Date(days) = cell { Some(days) } else { None });
            Series::new(name.into(), days.collect::<Vec<_>>()).strict_cast(&DataType::Date)
        }
    }
}

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
    use table_core::{Recipe, compare};

    #[test]
    fn tables_survive_data_frames() {
        for rows in [0, 1, 3_000] {
            let genes = Recipe { rows, seed: 4 }.genes();
            let frame = of_table(&genes).unwrap();
            assert_eq!(compare(&genes, &to_table(&frame, genes.fields()).unwrap()), Ok(()));
        }
    }

    #[test]
    fn result_with_other_columns_is_refused() {
        let recipe = Recipe { rows: 3, seed: 4 };
        let frame = of_table(&recipe.publications()).unwrap();
        let error = to_table(&frame, recipe.genes().fields()).unwrap_err().to_string();
        assert!(error.contains("Publication.year"), "{error}");
    }
}
