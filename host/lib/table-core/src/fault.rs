//! Why input was refused, and where.

use std::fmt;

/// The first error in an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number of the row, from 1; 0 if it is not about a row.
    pub row: u64,
    /// The name of the column, if it is about one.
    pub column: Option<String>,
    /// The problem.
    pub reason: String,
}

impl Fault {
    /// A fault of the whole input.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { row: 0, column: None, reason: reason.into() }
    }

    /// A fault in a row, which is counted from 1.
    pub fn in_row(row: u64, reason: impl Into<String>) -> Self {
        Self { row, ..Self::new(reason) }
    }

    /// The same fault, in this column.
    #[must_use]
    pub fn in_column(self, column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.row > 0 {
            write!(f, "row {}", self.row)?;
            f.write_str(if self.column.is_some() { ", " } else { ": " })?;
        }
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fault {}
