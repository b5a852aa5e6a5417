//! What is read, what is refused with its place, and that written tables read back.

use super::*;
use crate::{Digest, Kind, Recipe};

fn fields() -> Vec<Field> {
    vec![Field::nullable("a", Kind::Text), Field::nullable("b", Kind::Integer)]
}

fn table(bytes: &[u8], dialect: Dialect, fields: Vec<Field>) -> Result<Table, Fault> {
    let mut table = Table::new(fields.clone());
    read(bytes, dialect, &fields, |column, text| {
        let cell = text.map_or(Ok(Cell::Null), |text| text::parse(fields[column].kind, text))?;
        table.push(column, cell);
        Ok(())
    })?;
    Ok(table)
}

fn check(dialect: Dialect, text: &str, expect: &[(Option<&str>, i64)]) {
    let found = table(text.as_bytes(), dialect, fields()).unwrap();
    let mut expected = Table::new(fields());
    for (text, number) in expect {
        expected.push_row([text.map_or(Cell::Null, Cell::Text), Cell::Integer(*number)]);
    }
    assert_eq!(crate::compare(&expected, &found), Ok(()), "{text:?}");
}

fn refused(dialect: Dialect, bytes: &[u8], expect: &str) {
    let fault = table(bytes, dialect, fields()).unwrap_err().to_string();
    assert_eq!(fault, expect, "{}", bytes.escape_ascii());
}

#[test]
fn dialects_have_their_rule_for_null() {
    check(Dialect::Exact, "a,b\n\"\",1\n,2\n\"x\"\"y\",3", &[(Some(""), 1), (None, 2), (Some("x\"y"), 3)]);
    check(Dialect::Mine, "\"a\",\"b\"\n\"\",\"1\"\n\"x\ny\",\"2\"\n", &[(None, 1), (Some("x\ny"), 2)]);
    check(Dialect::Tab, "a\tb\n\t1\n\"x\"\t2\n", &[(None, 1), (Some("\"x\""), 2)]);
}

#[test]
fn byte_order_mark_and_line_ends_of_windows_are_accepted() {
    check(Dialect::Exact, "\u{feff}a,b\r\nx,1\r\n", &[(Some("x"), 1)]);
    check(Dialect::Mine, "\"a\",\"b\"\r\n\"x\",\"1\"\r\n", &[(Some("x"), 1)]);
}

#[test]
fn ragged_rows_are_refused() {
    refused(Dialect::Exact, b"a,b\nx,1\ny,2,3\n", "row 2: more cells than the 2 columns");
    refused(Dialect::Exact, b"a,b\nx\n", "row 1: 1 cells, but there are 2 columns");
    refused(Dialect::Exact, b"a,c\nx,1\n", "column `b`: the header names Some(\"c\") where `b` is expected");
    refused(Dialect::Exact, b"", "it is empty, without a header");
}

#[test]
fn fractions_after_whole_numbers_are_refused() {
    let expect = "row 2, column `b`: \"0.5\" is not a whole number of 64 bits";
    refused(Dialect::Exact, b"a,b\nx,1\ny,0.5\n", expect);
}

#[test]
fn broken_text_is_refused() {
    refused(Dialect::Exact, b"a,b\nx\ry,1\n", "row 1, column `a`: '\\r' outside of quotes");
    refused(Dialect::Exact, b"a,b\nx\0,1\n", "row 1, column `a`: '\\0' outside of quotes");
    refused(Dialect::Exact, b"a,b\n\"x\0\",1\n", "row 1, column `a`: a byte 0");
    refused(Dialect::Exact, b"a,b\n\"x,1\n", "row 1, column `a`: a quote is not closed");
    refused(Dialect::Exact, b"a,b\n\"x\"y,1\n", "row 1, column `a`: text behind the closing quote");
    refused(Dialect::Exact, b"a,b\n\xff,1\n", "byte 4 is not UTF-8");
}

#[test]
fn error_in_the_last_line_of_an_answer_is_reported() {
    let expect = "row 2: the server reports in its last line: [ERROR] 500 it broke";
    refused(Dialect::Mine, b"\"a\",\"b\"\n\"x\",\"1\"\n[ERROR] 500 it broke\n", expect);
}

#[test]
fn column_of_nulls_and_then_texts_keeps_its_type() {
    let nulls = ",1\n".repeat(20_000);
    let found = table(format!("a,b\n{nulls}late,2\n").as_bytes(), Dialect::Exact, fields()).unwrap();
    assert_eq!((found.rows(), found.cell(20_000, 0)), (20_001, Cell::Text("late")));
}

#[test]
fn written_tables_read_back() {
    let genes = Recipe { rows: 3_000, seed: 3 }.genes();
    for dialect in [Dialect::Exact, Dialect::Mine] {
        let written = write(&genes, dialect);
        let found = table(written.as_bytes(), dialect, genes.fields().to_vec()).unwrap();
        let carried = genes.mapped(|_, cell| dialect.carries(cell));
        assert_eq!(Digest::of(&found), Digest::of(&carried), "{dialect:?}");
    }
}
