//! The formats in which a mine answers a query, as InterMine's web service writes them.

use crate::csv::{self, Dialect};
use crate::{Cell, Fault, Field, Kind, Table, text};
use std::fmt::Write as _;
use std::ops::Range;
use std::str::FromStr;

/// A format of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON array a row, inside an object whose last members say whether it is whole.
    Json,
    /// The same with an object a cell.
    JsonRows,
    /// Quoted cells, with a header.
    Csv,
    /// Cells between tabs, with a header.
    Tab,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Json, Self::JsonRows, Self::Csv, Self::Tab];

    /// The value of `format` in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::JsonRows => "jsonrows",
            Self::Csv => "csv",
            Self::Tab => "tab",
        }
    }

    /// How its lines are written, unless it is JSON.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Csv => Some(Dialect::Mine),
            Self::Tab => Some(Dialect::Tab),
            Self::Json | Self::JsonRows => None,
        }
    }

    /// The rows as they are after this format carried them: CSV and tab-separated text lose the difference between NULL and an empty
    /// text, and the latter has no texts with tabs or line breaks.
    pub fn carried(self, table: &Table) -> Table {
        table.mapped(|_, cell| self.dialect().map_or(cell, |dialect| dialect.carries(cell)))
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let format = Self::ALL.into_iter().find(|format| format.as_str() == name);
        format.ok_or_else(|| format!("unknown format `{name}`; use json, jsonrows, csv or tab"))
    }
}

/// The answer with these rows of `table`, which are at these positions in the whole result.
pub fn answer(table: &Table, rows: Range<usize>, format: Format) -> String {
    let mut into = String::new();
    match format.dialect() {
        Some(dialect) => {
            csv::write_header(table.fields(), dialect, &mut into);
            rows.for_each(|row| {
                csv::write_row(table.row(row).map(|cell| dialect.carries(cell)), dialect, &mut into);
            });
        }
        None => {
            json_header(table.fields(), rows.start, &mut into);
            for row in rows.clone() {
                into.push('[');
                for (column, cell) in table.row(row).enumerate() {
                    into.push_str(if column > 0 { "," } else { "" });
                    if format == Format::Json {
                        json_cell(cell, &mut into);
                    } else {
                        json_object(&table.fields()[column], row, cell, &mut into);
                    }
                }
                into.push_str(if row + 1 < rows.end { "],\n" } else { "]\n" });
            }
            json_footer(None, &mut into);
        }
    }
    into
}

/// The end of a JSON answer: whole, or broken off by an error after the status line said 200.
pub fn json_footer(error: Option<&str>, into: &mut String) {
    into.push_str(r#"],"executionTime":"2026.01.31 12:00::00","#);
    match error {
        None => into.push_str(r#""wasSuccessful":true,"error":null,"statusCode":200}"#),
        Some(error) => {
            into.push_str(r#""wasSuccessful":false,"error":"#);
            json_text(error, into);
            into.push_str(r#","statusCode":500}"#);
        }
    }
}

/// A hash of the lines that are rows, in any order and whatever pages they came in. What a mine says of itself around them may change.
pub fn rows_hash<'a>(pages: impl IntoIterator<Item = &'a [u8]>, format: Format) -> u64 {
    let is_row = |line: &&[u8]| format.dialect().is_some() || line.starts_with(b"[");
    let lines = pages.into_iter().flat_map(|page| page.split(|byte| *byte == b'\n').filter(is_row));
    let line = |line: &[u8]| crate::hash(line.strip_suffix(b",").unwrap_or(line));
    lines.fold(0, |sum: u64, bytes| sum.wrapping_add(line(bytes)))
}

/// The number of rows in an answer.
pub fn rows_in(page: &[u8], format: Format) -> Result<usize, Fault> {
    let Some(dialect) = format.dialect() else {
        return Ok(page.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"[")).count());
    };
    // A line break within quotes ends no row.
    let names = csv::names(page, dialect)?;
    let fields: Vec<_> = names.into_iter().map(|name| Field::nullable(name, Kind::Text)).collect();
    Ok(csv::read(page, dialect, &fields, |_, _| Ok(()))? as usize)
}

fn json_header(fields: &[Field], start: usize, into: &mut String) {
    let root = fields.first().map_or("", |field| field.name.split('.').next().unwrap_or_default());
    into.push_str(r#"{"modelName":"genomic","columnHeaders":["#);
    let names = |separator: &str, into: &mut String| {
        for (column, field) in fields.iter().enumerate() {
            into.push_str(if column > 0 { "," } else { "" });
            json_text(&field.name.replace('.', separator), into);
        }
    };
    names(" > ", into);
    // Writing to a text cannot fail.
    let _ = write!(into, r#"],"rootClass":"{root}","start":{start},"views":["#);
    names(".", into);
    into.push_str("],\"results\":[\n");
}

pub(crate) fn json_cell(cell: Cell<'_>, into: &mut String) {
    match cell {
        Cell::Null => into.push_str("null"),
        Cell::Text(text) => json_text(text, into),
        Cell::Date(_) => {
            into.push('"');
            text::write(cell, into);
            into.push('"');
        }
        Cell::Integer(_) | Cell::Decimal(_) | Cell::Real(_) => text::write(cell, into),
    }
}

fn json_object(field: &Field, row: usize, cell: Cell<'_>, into: &mut String) {
    let class = field.name.split('.').next().unwrap_or_default();
    let id = row + 1_000_001;
    let _ =
        write!(into, r#"{{"class":"{class}","id":{id},"column":"{}","url":"/report.do?id={id}","value":"#, field.name);
    json_cell(cell, into);
    into.push('}');
}

pub(crate) fn json_text(text: &str, into: &mut String) {
    into.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        into.push_str(&text[from..at]);
        from = at + 1;
        let _ = match byte {
            b'"' => into.write_str("\\\""),
            b'\\' => into.write_str("\\\\"),
            b'\n' => into.write_str("\\n"),
            b'\r' => into.write_str("\\r"),
            b'\t' => into.write_str("\\t"),
            byte => write!(into, "\\u{byte:04x}"),
        };
    }
    into.push_str(&text[from..]);
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let fields = vec![Field::nullable("Gene.symbol", Kind::Text), Field::nullable("Gene.score", Kind::Decimal)];
        let mut table = Table::new(fields);
        table.push_row([Cell::Text("a\"\n\u{1}"), Cell::Decimal(-150)]);
        table.push_row([Cell::Null, Cell::Null]);
        table.push_row([Cell::Text(""), Cell::Decimal(7)]);
        table
    }

    fn check(format: Format, expect: &str) {
        assert_eq!(answer(&table(), 0..3, format), expect);
    }

    #[test]
    fn answers_are_as_a_mine_writes_them() {
        check(
            Format::Json,
            concat!(
                r#"{"modelName":"genomic","columnHeaders":["Gene > symbol","Gene > score"],"rootClass":"Gene","start":0,"#,
                "\"views\":[\"Gene.symbol\",\"Gene.score\"],\"results\":[\n",
                "[\"a\\\"\\n\\u0001\",-1.50],\n[null,null],\n[\"\",0.07]\n",
                r#"],"executionTime":"2026.01.31 12:00::00","wasSuccessful":true,"error":null,"statusCode":200}"#
            ),
        );
        check(Format::Csv, "\"Gene.symbol\",\"Gene.score\"\n\"a\"\"\n\u{1}\",\"-1.50\"\n\"\",\"\"\n\"\",\"0.07\"\n");
        check(Format::Tab, "Gene.symbol\tGene.score\n\t-1.50\n\t\n\t0.07\n");
        let rows = answer(&table(), 2..3, Format::JsonRows);
        let cell = r#"[{"class":"Gene","id":1000003,"column":"Gene.symbol","url":"/report.do?id=1000003","value":""},"#;
        assert!(rows.contains(cell) && rows.contains(r#""start":2,"#), "{rows}");
    }

    #[test]
    fn hash_of_rows_does_not_depend_on_json_pages() {
        let table = table();
        let page = |rows: Range<usize>| answer(&table, rows, Format::Json);
        let hash = |pages: &[String]| rows_hash(pages.iter().map(String::as_bytes), Format::Json);
        assert_eq!(hash(&[page(0..3)]), hash(&[page(1..3), page(0..1)]));
        assert_ne!(hash(&[page(0..3)]), hash(&[page(0..2)]));
    }

    #[test]
    fn rows_of_every_format_are_counted() {
        let genes = crate::Recipe { rows: 300, seed: 1 }.genes();
        for format in Format::ALL {
            for rows in [0..0, 0..1, 7..300] {
                let page = answer(&genes, rows.clone(), format);
                assert_eq!(rows_in(page.as_bytes(), format), Ok(rows.len()), "{format:?}");
            }
        }
        assert!(rows_in(b"", Format::Csv).is_err());
    }

    #[test]
    fn late_error_is_in_the_footer() {
        let mut footer = String::new();
        json_footer(Some("out of \"memory\""), &mut footer);
        let expect = r#""wasSuccessful":false,"error":"out of \"memory\"","statusCode":500}"#;
        assert!(footer.ends_with(expect), "{footer}");
    }
}
