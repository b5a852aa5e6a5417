//! The rows of pages with their types, as they are kept beside the pages. Pages are decoded in a plain way here: how fast that can be done is for
//! the stages behind a fetch.

use arrow_ipc::writer::FileWriter;
use serde::Deserialize;
use serde_json::value::RawValue;
use table_core::csv::{self, Dialect};
use table_core::mine::Format;
use table_core::{Cell, Kind, Table, arrow, text};

/// Appends the rows of a page, which is whole, to `table`.
pub(crate) fn read(page: &[u8], format: Format, table: &mut Table) -> Result<(), String> {
    match format.dialect() {
        Some(dialect) => read_lines(page, dialect, table),
        None => read_json(page, format == Format::JsonRows, table),
    }
}

fn read_lines(page: &[u8], dialect: Dialect, table: &mut Table) -> Result<(), String> {
    let fields = table.fields().to_vec();
    let read = csv::read(page, dialect, &fields, |column, value| {
        let cell = value.map_or(Ok(Cell::Null), |value| text::parse(fields[column].kind, value))?;
        push(table, column, cell)
    });
    read.map(|_| ()).map_err(|fault| fault.to_string())
}

/// An answer in JSON, whose cells are read by the types of their columns.
#[derive(Deserialize)]
struct Answer<'a> {
    views: Vec<String>,
    #[serde(borrow)]
    results: Vec<Vec<&'a RawValue>>,
}

/// A cell as an object.
#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
}

fn read_json(page: &[u8], is_objects: bool, table: &mut Table) -> Result<(), String> {
    let answer: Answer<'_> = serde_json::from_slice(page).map_err(|error| error.to_string())?;
    let names: Vec<_> = table.fields().iter().map(|field| field.name.as_str()).collect();
    if answer.views != names {
        return Err(format!("the answer has the columns {:?}, expected {names:?}", answer.views));
    }
    let columns = names.len();
    for (row, cells) in answer.results.iter().enumerate() {
        let fault = |reason: String| format!("row {}: {reason}", row + 1);
        if cells.len() != columns {
            return Err(fault(format!("{} cells, but there are {columns} columns", cells.len())));
        }
        for (column, cell) in cells.iter().enumerate() {
            let value = if is_objects { value_of(cell) } else { Ok(cell.get()) };
            value.and_then(|value| push_json(table, column, value)).map_err(fault)?;
        }
    }
    Ok(())
}

fn value_of(cell: &RawValue) -> Result<&str, String> {
    let object: Object<'_> = serde_json::from_str(cell.get()).map_err(|error| error.to_string())?;
    Ok(object.value.get())
}

/// Adds the cell that this JSON stands for. Numbers are taken as they are written.
fn push_json(table: &mut Table, column: usize, json: &str) -> Result<(), String> {
    let kind = table.fields()[column].kind;
    let is_text = matches!(kind, Kind::Text | Kind::Date);
    if json == "null" {
        return push(table, column, Cell::Null);
    }
    if json.starts_with('"') != is_text {
        return Err(format!("{json} in a column of the type {}", kind.as_str()));
    }
    if !is_text {
        return text::parse(kind, json).and_then(|cell| push(table, column, cell));
    }
    let value: String = serde_json::from_str(json).map_err(|error| error.to_string())?;
    text::parse(kind, &value).and_then(|cell| push(table, column, cell))
}

fn push(table: &mut Table, column: usize, cell: Cell<'_>) -> Result<(), String> {
    let field = &table.fields()[column];
    if cell == Cell::Null && !field.nullable {
        return Err(format!("column `{}`: it has no value, but the schema requires one", field.name));
    }
    table.push(column, cell);
    Ok(())
}

/// A file of Arrow IPC with these rows.
pub(crate) fn ipc(table: &Table) -> Result<Vec<u8>, String> {
    let batches = arrow::of_table(table).map_err(|error| error.to_string())?;
    let first = batches.first().ok_or("there is no batch, and so no schema")?;
    let mut file = Vec::new();
    let mut writer = FileWriter::try_new(&mut file, &first.schema()).map_err(|error| error.to_string())?;
    batches.iter().try_for_each(|batch| writer.write(batch)).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    drop(writer);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use table_core::{Recipe, compare, gene_fields, mine};

    #[test]
    fn pages_of_every_format_have_the_rows_that_it_carries() {
        let genes = Recipe { rows: 900, seed: 3 }.genes();
        for format in Format::ALL {
            let mut found = Table::new(gene_fields());
            for rows in [0..400, 400..900] {
                read(mine::answer(&genes, rows, format).as_bytes(), format, &mut found).unwrap();
            }
            assert_eq!(compare(&format.carried(&genes), &found), Ok(()), "{format:?}");
        }
    }

    fn refused(page: &str, is_objects: bool, expect: &str) {
        let mut table = Table::new(table_core::publication_fields());
        let error = read_json(page.as_bytes(), is_objects, &mut table).unwrap_err();
        assert!(error.contains(expect), "{page}: {error}");
    }

    fn page(results: &str) -> String {
        format!(r#"{{"views":["Publication.gene","Publication.title","Publication.year"],"results":[{results}]}}"#)
    }

    #[test]
    fn cells_that_do_not_fit_are_refused() {
        refused(&page(r#"["a","b"]"#), false, "row 1: 2 cells, but there are 3 columns");
        refused(&page(r#"["a","b",1],["a","b",0.5]"#), false, "row 2: \"0.5\" is not a whole number");
        refused(&page(r#"["a","b","1"]"#), false, "row 1: \"1\" in a column of the type integer");
        refused(&page("[1,2,3]"), false, "row 1: 1 in a column of the type text");
        refused(&page("[null,null,null]"), false, "column `Publication.year`: it has no value");
        refused(&page(r#"[{"id":1},{"value":"b"},{"value":1}]"#), true, "row 1: missing field `value`");
        refused(r#"{"views":["Publication.year"],"results":[]}"#, false, "the answer has the columns");
        refused("[]", false, "invalid");
    }

    #[test]
    fn file_of_arrow_has_its_marks() {
        for rows in [0, 20] {
            let file = ipc(&Recipe { rows, seed: 1 }.genes()).unwrap();
            assert!(file.starts_with(b"ARROW1") && file.ends_with(b"ARROW1"));
        }
    }
}
