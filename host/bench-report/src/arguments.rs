//! Arguments in tables: those that all rows share appear once, those in which rows differ are columns.

use crate::document::{Column, Datum, Rank};
use bench_model::{Arguments, Value};

/// The arguments of rows that belong together.
pub(crate) struct Varying {
    /// The names of those in which the rows differ.
    names: Vec<String>,
    /// `a=1 b=x`, of the others.
    pub(crate) shared: String,
    columns: Vec<Column>,
}

impl Varying {
    /// Of all rows, of which there is one at least.
    pub(crate) fn of(all: &[&Arguments]) -> Self {
        let names = Arguments::varying(all);
        let first = all.iter().take(1).flat_map(|arguments| arguments.iter());
        let shared = first.filter(|(name, _)| !names.contains(name));
        let shared: Vec<String> =
            shared.map(|(name, value)| format!("{name}={}", datum(name, value).shown())).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let columns = names.iter().map(|name| column(name, all)).collect();
        Self { names, shared: shared.join(" "), columns }
    }

    /// A column for each argument in which the rows differ.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The values of one row for those columns.
    pub(crate) fn values<'a>(&'a self, arguments: &'a Arguments) -> impl Iterator<Item = Datum> + 'a {
        self.names.iter().map(|name| arguments.get(name).map_or(Datum::Blank, |value| datum(name, value)))
    }
}

fn column(name: &str, all: &[&Arguments]) -> Column {
    let is_text = |arguments: &&Arguments| matches!(arguments.get(name), Some(Value::Text(_)));
    let column = if all.iter().any(is_text) { Column::words(name) } else { Column::figures(name) };
    column.key(name).rank(Rank::Argument)
}

fn datum(name: &str, value: &Value) -> Datum {
    Datum::Argument { value: value.clone(), is_size: name == "bytes" || name.ends_with("_bytes") }
}
