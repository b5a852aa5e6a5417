//! Text with one row a line: CSV and tab-separated text. Each dialect has a rule for NULL, and every row must have every cell.

use crate::{Cell, Fault, Field, Table, text};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The CSV of a mine: every cell is quoted, and NULL is `""`, so an empty text reads back as NULL.
    Mine,
    /// The tab-separated text of a mine: nothing is quoted, so a tab or a line break in a text would break its row; NULL is empty.
    Tab,
    /// CSV that loses nothing: NULL is an empty cell without quotes, an empty text is `""`.
    Exact,
}

impl Dialect {
    fn delimiter(self) -> u8 {
        if self == Self::Tab { b'\t' } else { b',' }
    }

    /// What is left of `cell` after writing and reading it. A text that would break its row is left out.
    pub fn carries(self, cell: Cell<'_>) -> Cell<'_> {
        match (self, cell) {
            (Self::Mine | Self::Tab, Cell::Text("")) => Cell::Null,
            (Self::Tab, Cell::Text(text)) if text.contains(['\t', '\n', '\r']) => Cell::Null,
            (_, cell) => cell,
        }
    }
}

/// Appends a line with the names of the columns.
pub fn write_header(fields: &[Field], dialect: Dialect, into: &mut String) {
    let mut is_first = true;
    for field in fields {
        write_cell(Cell::Text(&field.name), dialect, &mut is_first, into);
    }
    into.push('\n');
}

/// Appends a row.
pub fn write_row<'a>(cells: impl IntoIterator<Item = Cell<'a>>, dialect: Dialect, into: &mut String) {
    let mut is_first = true;
    for cell in cells {
        write_cell(cell, dialect, &mut is_first, into);
    }
    into.push('\n');
}

fn write_cell(cell: Cell<'_>, dialect: Dialect, is_first: &mut bool, into: &mut String) {
    if !std::mem::take(is_first) {
        into.push(char::from(dialect.delimiter()));
    }
    let is_quoted = match (dialect, cell) {
        (Dialect::Mine, _) => true,
        (Dialect::Exact, Cell::Text(text)) => {
            text.is_empty() || text.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r'))
        }
        _ => false,
    };
    if !is_quoted {
        return text::write(cell, into);
    }
    into.push('"');
    match cell {
        Cell::Text(text) => {
            let mut parts = text.split('"');
            into.push_str(parts.next().unwrap_or_default());
            for part in parts {
                into.push_str("\"\"");
                into.push_str(part);
            }
        }
        cell => text::write(cell, into),
    }
    into.push('"');
}

/// All of `table`, with a header.
pub fn write(table: &Table, dialect: Dialect) -> String {
    let mut written = String::new();
    write_header(table.fields(), dialect, &mut written);
    for row in 0..table.rows() {
        write_row(table.row(row), dialect, &mut written);
    }
    written
}

/// Reads a header, which must name the columns `fields` in this order, and then all rows. `cell` gets each cell as the index of its
/// column and its text, or nothing for NULL; its error becomes the fault of that row and column. Returns the number of rows.
///
/// A byte order mark at the start and `\r\n` at the end of a line are accepted; a byte 0 and a lone `\r` outside of quotes are not.
pub fn read(
    bytes: &[u8],
    dialect: Dialect,
    fields: &[Field],
    mut cell: impl FnMut(usize, Option<&str>) -> Result<(), String>,
) -> Result<u64, Fault> {
    let mut reader = Reader::new(bytes, dialect)?;
    let mut header = |column: usize, name: Option<&str>| {
        let expected = &fields[column].name;
        let is_right = name == Some(expected);
        is_right.then_some(()).ok_or_else(|| format!("the header names {name:?} where `{expected}` is expected"))
    };
    if !reader.row(fields, &mut header).map_err(|fault| Fault { row: 0, ..fault })? {
        return Err(Fault::new("it is empty, without a header"));
    }
    let mut rows = 0;
    loop {
        let row = reader.row(fields, &mut cell);
        match row.map_err(|fault| Fault { row: rows + 1, ..fault })? {
            true => rows += 1,
            false => return Ok(rows),
        }
    }
}

/// The names in the header, whatever they are: there is at least one, none is empty, and each is there once.
pub fn names(bytes: &[u8], dialect: Dialect) -> Result<Vec<String>, Fault> {
    let mut reader = Reader::new(bytes, dialect)?;
    if reader.text.is_empty() {
        return Err(Fault::new("it is empty, without a header"));
    }
    let mut names: Vec<String> = Vec::new();
    loop {
        let mut name = String::new();
        let cell = |text: Option<&str>| {
            name.push_str(text.unwrap_or_default());
            Ok(())
        };
        let after = reader.cell(cell).map_err(|reason| Fault::new(format!("in the header: {reason}")))?;
        if name.is_empty() {
            return Err(Fault::new(format!("column {} has no name in the header", names.len() + 1)));
        }
        if names.contains(&name) {
            return Err(Fault::new(format!("the header names two columns `{name}`")));
        }
        names.push(name);
        if after == After::Row {
            return Ok(names);
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
    /// A cell whose doubled quotes are single again.
    unescaped: String,
}

/// What follows a cell.
#[derive(PartialEq)]
enum After {
    Cell,
    Row,
}

impl<'a> Reader<'a> {
    /// At the start of the text, behind a byte order mark.
    fn new(bytes: &'a [u8], dialect: Dialect) -> Result<Self, Fault> {
        match str::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(text);
                Ok(Self { text, at: 0, dialect, unescaped: String::new() })
            }
            Err(error) => Err(Fault::new(format!("byte {} is not UTF-8", error.valid_up_to()))),
        }
    }

    /// Reads a row; `false` at the end.
    fn row(
        &mut self,
        fields: &[Field],
        cell: &mut impl FnMut(usize, Option<&str>) -> Result<(), String>,
    ) -> Result<bool, Fault> {
        if self.at == self.text.len() {
            return Ok(false);
        }
        let rest = &self.text[self.at..];
        if self.dialect != Dialect::Exact && rest.starts_with("[ERROR]") {
            let line = rest.lines().next().unwrap_or_default();
            return Err(Fault::new(format!("the server reports in its last line: {line}")));
        }
        let mut column = 0;
        loop {
            let Some(field) = fields.get(column) else {
                return Err(Fault::new(format!("more cells than the {} columns", fields.len())));
            };
            let after =
                self.cell(|text| cell(column, text)).map_err(|reason| Fault::new(reason).in_column(&field.name))?;
            column += 1;
            if after == After::Row {
                break;
            }
        }
        if column < fields.len() {
            return Err(Fault::new(format!("{column} cells, but there are {} columns", fields.len())));
        }
        Ok(true)
    }

    /// Reads a cell and hands it on.
    fn cell(&mut self, cell: impl FnOnce(Option<&str>) -> Result<(), String>) -> Result<After, String> {
        if self.dialect != Dialect::Tab && self.text[self.at..].starts_with('"') {
            return self.quoted(cell);
        }
        let text = self.text;
        let rest = &text.as_bytes()[self.at..];
        let delimiter = self.dialect.delimiter();
        let length = memchr::memchr2(delimiter, b'\n', rest).unwrap_or(rest.len());
        let mut found = &text[self.at..self.at + length];
        self.at += length;
        let after = self.after()?;
        if after == After::Row {
            found = found.strip_suffix('\r').unwrap_or(found);
        }
        // One pass for all three, which no number and few texts have.
        if let Some(at) = memchr::memchr3(0, b'\r', b'"', found.as_bytes()) {
            let is_text = self.dialect == Dialect::Tab && found.as_bytes()[at] == b'"';
            if !is_text {
                return Err(format!("{:?} outside of quotes", char::from(found.as_bytes()[at])));
            }
        }
        cell(Some(found).filter(|found| !found.is_empty()))?;
        Ok(after)
    }

    fn quoted(&mut self, cell: impl FnOnce(Option<&str>) -> Result<(), String>) -> Result<After, String> {
        self.at += 1;
        self.unescaped.clear();
        let start = self.at;
        let mut from = start;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let Some(length) = memchr::memchr(b'"', rest) else {
                return Err("a quote is not closed".to_owned());
            };
            self.at += length + 1;
            if rest.get(length + 1) != Some(&b'"') {
                break;
            }
            // Keeps the first of both.
            self.unescaped.push_str(&self.text[from..self.at]);
            self.at += 1;
            from = self.at;
        }
        let last = &self.text[from..self.at - 1];
        let after = self.after()?;
        let found = if from == start {
            last
        } else {
            self.unescaped.push_str(last);
            &self.unescaped
        };
        if memchr::memchr(0, found.as_bytes()).is_some() {
            return Err("a byte 0".to_owned());
        }
        cell(Some(found).filter(|found| !(found.is_empty() && self.dialect == Dialect::Mine)))?;
        Ok(after)
    }

    /// Reads what separates a cell from the next one.
    fn after(&mut self) -> Result<After, String> {
        let rest = &self.text.as_bytes()[self.at..];
        let (after, length) = match rest {
            [] => (After::Row, 0),
            [b'\n', ..] => (After::Row, 1),
            [b'\r', b'\n', ..] => (After::Row, 2),
            [byte, ..] if *byte == self.dialect.delimiter() => (After::Cell, 1),
            _ => return Err("text behind the closing quote".to_owned()),
        };
        self.at += length;
        Ok(after)
    }
}

#[cfg(test)]
mod tests;
