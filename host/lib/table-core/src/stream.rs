//! A stream of rows as JSON Lines: the first line has the names and types of the columns, each further one is a row as an array. Without the
//! types, a number would be read back as a text, or a text of digits as a number.

use crate::mine::{json_cell, json_text};
use crate::{Cell, Field, Table};

/// The version in the first line.
pub const VERSION: u64 = 1;

/// Appends the first line.
pub fn write_header(fields: &[Field], into: &mut String) {
    into.push_str(&format!("{{\"row_stream\":{VERSION},\"columns\":["));
    for (column, field) in fields.iter().enumerate() {
        into.push_str(if column > 0 { ",{\"name\":" } else { "{\"name\":" });
        json_text(&field.name, into);
        into.push_str(&format!(",\"type\":\"{}\",\"nullable\":{}}}", field.kind.as_str(), field.nullable));
    }
    into.push_str("]}\n");
}

/// Appends a row. Doubles must be finite, because JSON has no others.
pub fn write_row<'a>(cells: impl IntoIterator<Item = Cell<'a>>, into: &mut String) {
    into.push('[');
    for (column, cell) in cells.into_iter().enumerate() {
        into.push_str(if column > 0 { "," } else { "" });
        json_cell(cell, into);
    }
    into.push_str("]\n");
}

/// All of `table`.
pub fn write(table: &Table) -> String {
    let mut written = String::new();
    write_header(table.fields(), &mut written);
    for row in 0..table.rows() {
        write_row(table.row(row), &mut written);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn types_are_in_the_first_line_and_null_is_not_an_empty_text() {
        let mut table = Table::new(vec![Field::nullable("a\"b", Kind::Text), Field::required("n", Kind::Decimal)]);
        table.push_row([Cell::Null, Cell::Decimal(-150)]);
        table.push_row([Cell::Text(""), Cell::Decimal(7)]);
        let expect = concat!(
            r#"{"row_stream":1,"columns":[{"name":"a\"b","type":"text","nullable":true},"#,
            r#"{"name":"n","type":"decimal(2)","nullable":false}]}"#,
            "\n[null,-1.50]\n[\"\",0.07]\n"
        );
        assert_eq!(write(&table), expect);
    }

    #[test]
    fn names_of_types_are_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::named("number"), None);
    }
}
