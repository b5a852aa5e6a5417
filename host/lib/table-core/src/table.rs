//! A table in memory: named columns of one type each, in which NULL, an empty text and zero are three different cells.

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// 64 bits, with a sign.
    Integer,
    /// A number with two digits behind the point, in hundredths.
    Decimal,
    /// A double.
    Real,
    /// Days since 1970-01-01.
    Date,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Text, Self::Integer, Self::Decimal, Self::Real, Self::Date];

    /// The type with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The name in a schema's fingerprint and in a stream of rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal(2)",
            Self::Real => "real",
            Self::Date => "date",
        }
    }
}

/// A column's name and type, and whether it may hold NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name; a path such as `Gene.symbol`.
    pub name: String,
    /// The type.
    pub kind: Kind,
    /// Whether the schema allows NULL, whatever the rows hold.
    pub nullable: bool,
}

impl Field {
    /// A column that may hold NULL.
    pub fn nullable(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, nullable: true }
    }

    /// A column without NULL.
    pub fn required(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, nullable: false }
    }
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A text, which may be empty.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// Hundredths.
    Decimal(i128),
    /// A double.
    Real(f64),
    /// Days since 1970-01-01.
    Date(i32),
}

#[derive(Clone, Debug)]
enum Values {
    /// All texts in one, and where each ends.
    Text(String, Vec<usize>),
    Integer(Vec<i64>),
    Decimal(Vec<i128>),
    Real(Vec<f64>),
    Date(Vec<i32>),
}

#[derive(Clone, Debug)]
struct Column {
    is_valid: Vec<bool>,
    values: Values,
}

/// Rows of typed cells.
#[derive(Clone, Debug)]
pub struct Table {
    fields: Vec<Field>,
    columns: Vec<Column>,
}

impl Table {
    /// A table without rows.
    pub fn new(fields: Vec<Field>) -> Self {
        let columns = fields.iter().map(|field| Column::new(field.kind)).collect();
        Self { fields, columns }
    }

    /// The columns' names and types, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.is_valid.len())
    }

    /// The index of the column `name`.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Adds a cell at the end of a column.
    ///
    /// # Panics
    /// If there is no such column, or it is of another type.
    pub fn push(&mut self, column: usize, cell: Cell<'_>) {
        self.columns[column].push(cell);
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If it has another number of cells than the table has columns, or one is of another type than its column.
    pub fn push_row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        let pushed = cells.into_iter().enumerate().map(|(column, cell)| self.columns[column].push(cell)).count();
        assert_eq!(pushed, self.fields.len(), "cells of the row");
    }

    /// A cell.
    ///
    /// # Panics
    /// If there is no such row or column.
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.columns[column].cell(row)
    }

    /// The cells of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Cell<'_>> {
        self.columns.iter().map(move |column| column.cell(row))
    }

    /// These rows, in this order.
    #[must_use]
    pub fn selected(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let mut selected = Self::new(self.fields.clone());
        for row in rows {
            selected.push_row(self.row(row));
        }
        selected
    }

    /// These columns, in this order.
    ///
    /// # Panics
    /// If there is no such column.
    #[must_use]
    pub fn projected(&self, columns: &[usize]) -> Self {
        let fields = columns.iter().map(|column| self.fields[*column].clone()).collect();
        Self { fields, columns: columns.iter().map(|column| self.columns[*column].clone()).collect() }
    }

    /// The indices of the columns of these names, if all are there.
    pub fn positions<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<Vec<usize>> {
        names.into_iter().map(|name| self.column(name)).collect()
    }

    /// The same rows with `change` applied to every cell: what a format keeps of them.
    #[must_use]
    pub fn mapped(&self, change: impl for<'a> Fn(usize, Cell<'a>) -> Cell<'a>) -> Self {
        let mut mapped = Self::new(self.fields.clone());
        for row in 0..self.rows() {
            for (column, cell) in self.row(row).enumerate() {
                mapped.push(column, change(column, cell));
            }
        }
        mapped
    }
}

impl Column {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(String::new(), Vec::new()),
            Kind::Integer => Values::Integer(Vec::new()),
            Kind::Decimal => Values::Decimal(Vec::new()),
            Kind::Real => Values::Real(Vec::new()),
            Kind::Date => Values::Date(Vec::new()),
        };
        Self { is_valid: Vec::new(), values }
    }

    fn push(&mut self, cell: Cell<'_>) {
        self.is_valid.push(cell != Cell::Null);
        match (&mut self.values, cell) {
            (Values::Text(bytes, ends), cell @ (Cell::Text(_) | Cell::Null)) => {
                if let Cell::Text(text) = cell {
                    bytes.push_str(text);
                }
                ends.push(bytes.len());
            }
            (Values::Integer(values), Cell::Integer(value)) => values.push(value),
            (Values::Decimal(values), Cell::Decimal(value)) => values.push(value),
            (Values::Real(values), Cell::Real(value)) => values.push(value),
            (Values::Date(values), Cell::Date(value)) => values.push(value),
            (Values::Integer(values), Cell::Null) => values.push(0),
            (Values::Decimal(values), Cell::Null) => values.push(0),
            (Values::Real(values), Cell::Null) => values.push(0.0),
            (Values::Date(values), Cell::Null) => values.push(0),
            (_, cell) => panic!("{cell:?} is of another type than its column"),
        }
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        if !self.is_valid[row] {
            return Cell::Null;
        }
        match &self.values {
            Values::Text(bytes, ends) => {
                let start = if row == 0 { 0 } else { ends[row - 1] };
                Cell::Text(&bytes[start..ends[row]])
            }
            Values::Integer(values) => Cell::Integer(values[row]),
            Values::Decimal(values) => Cell::Decimal(values[row]),
            Values::Real(values) => Cell::Real(values[row]),
            Values::Date(values) => Cell::Date(values[row]),
        }
    }
}
