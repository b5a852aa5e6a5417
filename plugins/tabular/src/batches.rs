//! Arrow batches: built cell by cell. How tables and batches become each other, and back, is in `table-core`.

use arrow_array::RecordBatch;
use arrow_array::builder::{
    ArrayBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
};
use arrow_schema::{FieldRef, Schema, SchemaRef};
use bench_plugin::prelude::*;
pub(crate) use table_core::arrow::{BATCH_ROWS, Values, schema};
use table_core::{Cell, Field, Kind, Table, arrow, text};

/// The columns of a schema, as the schema declares them.
pub(crate) fn fields(schema: &Schema) -> Result<Vec<Field>, ModuleError> {
    arrow::fields(schema).map_err(ModuleError::Other)
}

/// Makes batches of cells that arrive row by row.
pub(crate) struct Builder {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    done: Vec<RecordBatch>,
}

enum Column {
    Text(StringBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder),
    Real(Float64Builder),
    Date(Date32Builder),
}

impl Builder {
    /// For columns of this schema, which is one of [`schema`].
    pub(crate) fn new(fields: &[Field]) -> Self {
        let schema = schema(fields);
        let column = |(field, arrow): (&Field, &FieldRef)| match field.kind {
            Kind::Text => Column::Text(StringBuilder::new()),
            Kind::Integer => Column::Integer(Int64Builder::new()),
            Kind::Decimal => Column::Decimal(Decimal128Builder::new().with_data_type(arrow.data_type().clone())),
            Kind::Real => Column::Real(Float64Builder::new()),
            Kind::Date => Column::Date(Date32Builder::new()),
        };
        let columns = fields.iter().zip(schema.fields()).map(column).collect();
        Self { schema, columns, rows: 0, done: Vec::new() }
    }

    /// Adds a cell to a column. The cell after that of the last column begins the next row.
    pub(crate) fn push(&mut self, column: usize, cell: Cell<'_>) -> Result<(), String> {
        if cell == Cell::Null && !self.schema.field(column).is_nullable() {
            return Err("it has no value, but the schema requires one".to_owned());
        }
        self.columns[column].push(cell)?;
        if column + 1 == self.columns.len() {
            self.rows += 1;
            if self.rows == BATCH_ROWS {
                self.finish_batch()?;
            }
        }
        Ok(())
    }

    /// Adds the cell that this text stands for, or NULL.
    pub(crate) fn push_text(&mut self, column: usize, kind: Kind, text: Option<&str>) -> Result<(), String> {
        let cell = text.map_or(Ok(Cell::Null), |text| text::parse(kind, text))?;
        self.push(column, cell)
    }

    /// All batches. There is at least one, so that its schema is known.
    pub(crate) fn finish(mut self) -> Result<Vec<RecordBatch>, String> {
        if self.rows > 0 || self.done.is_empty() {
            self.finish_batch()?;
        }
        Ok(self.done)
    }

    fn finish_batch(&mut self) -> Result<(), String> {
        let columns = self.columns.iter_mut().map(|column| column.builder().finish()).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(|error| error.to_string())?;
        self.done.push(batch);
        self.rows = 0;
        Ok(())
    }
}

impl Column {
    fn push(&mut self, cell: Cell<'_>) -> Result<(), String> {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::Integer(builder), Cell::Integer(value)) => builder.append_value(value),
            (Self::Decimal(builder), Cell::Decimal(value)) => builder.append_value(value),
            (Self::Real(builder), Cell::Real(value)) => builder.append_value(value),
            (Self::Date(builder), Cell::Date(value)) => builder.append_value(value),
            (Self::Text(builder), Cell::Null) => builder.append_null(),
            (Self::Integer(builder), Cell::Null) => builder.append_null(),
            (Self::Decimal(builder), Cell::Null) => builder.append_null(),
            (Self::Real(builder), Cell::Null) => builder.append_null(),
            (Self::Date(builder), Cell::Null) => builder.append_null(),
            (_, cell) => return Err(format!("{cell:?} is of another type than its column")),
        }
        Ok(())
    }

    fn builder(&mut self) -> &mut dyn ArrayBuilder {
        match self {
            Self::Text(builder) => builder,
            Self::Integer(builder) => builder,
            Self::Decimal(builder) => builder,
            Self::Real(builder) => builder,
            Self::Date(builder) => builder,
        }
    }
}

/// The rows of a table as batches.
pub(crate) fn of_table(table: &Table) -> Result<Vec<RecordBatch>, ModuleError> {
    let mut builder = Builder::new(table.fields());
    for row in 0..table.rows() {
        for (column, cell) in table.row(row).enumerate() {
            builder.push(column, cell).map_err(ModuleError::Other)?;
        }
    }
    builder.finish().map_err(ModuleError::Other)
}

/// The rows of batches as a table, with the schema that the batches declare.
pub(crate) fn to_table(batches: &[RecordBatch]) -> Result<Table, ModuleError> {
    arrow::to_table(batches).map_err(ModuleError::Other)
}

/// The bytes that the buffers of these batches take.
pub(crate) fn bytes(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.get_array_memory_size() as u64).sum()
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
            assert_eq!(compare(&genes, &to_table(&batches).unwrap()), Ok(()));
        }
    }

    #[test]
    fn wide_tables_survive_batches() {
        let fields: Vec<_> = (0..2_000).map(|column| Field::nullable(format!("c{column}"), Kind::Integer)).collect();
        let mut wide = Table::new(fields);
        wide.push_row((0..2_000).map(Cell::Integer));
        assert_eq!(compare(&wide, &to_table(&of_table(&wide).unwrap()).unwrap()), Ok(()));
    }

    #[test]
    fn missing_value_of_a_required_column_is_refused() {
        let mut builder = Builder::new(&[Field::required("id", Kind::Integer)]);
        assert_eq!(builder.push(0, Cell::Null).unwrap_err(), "it has no value, but the schema requires one");
    }
}
