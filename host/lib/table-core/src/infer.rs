//! Infers the column types of a CSV file of the user. All rows are read, not the first few, and a column has a type only if every one of
//! its values keeps what is written in it.

use crate::csv::{self, Dialect};
use crate::{Cell, Fault, Field, Kind, Table, text};

/// The types that a column may have instead of text, the narrowest first.
const KINDS: [Kind; 4] = [Kind::Integer, Kind::Date, Kind::Decimal, Kind::Real];

/// Digits that a decimal number can have and still be found again in the double next to it (`DBL_DIG` in C).
const REAL_DIGITS: usize = 15;

/// The columns of CSV whose NULL is an empty cell without quotes. Any column may hold NULL, because CSV declares nothing.
pub fn fields(bytes: &[u8]) -> Result<Vec<Field>, Fault> {
    let names = csv::names(bytes, Dialect::Exact)?;
    let mut fields: Vec<_> = names.into_iter().map(|name| Field::nullable(name, Kind::Text)).collect();
    let mut guesses = vec![Guess::default(); fields.len()];
    let mut written = String::new();
    csv::read(bytes, Dialect::Exact, &fields, |column, value| {
        if let Some(value) = value {
            guesses[column].narrow(value, &mut written);
        }
        Ok(())
    })?;
    for (field, guess) in fields.iter_mut().zip(guesses) {
        field.kind = guess.kind();
    }
    Ok(fields)
}

/// The rows of CSV whose NULL is an empty cell without quotes.
pub fn table(bytes: &[u8], fields: &[Field]) -> Result<Table, Fault> {
    let mut table = Table::new(fields.to_vec());
    csv::read(bytes, Dialect::Exact, fields, |column, value| {
        let cell = value.map_or(Ok(Cell::Null), |value| text::parse(fields[column].kind, value))?;
        table.push(column, cell);
        Ok(())
    })?;
    Ok(table)
}

/// Which of [`KINDS`] a column may still have.
#[derive(Clone, Copy, Default)]
struct Guess {
    has_values: bool,
    excluded: [bool; KINDS.len()],
}

impl Guess {
    /// Excludes the types that would lose something of `value`. `written` is a buffer.
    fn narrow(&mut self, value: &str, written: &mut String) {
        self.has_values = true;
        for (excluded, kind) in self.excluded.iter_mut().zip(KINDS) {
            *excluded = *excluded || !keeps(kind, value, written);
        }
    }

    fn kind(self) -> Kind {
        let mut left = KINDS.into_iter().zip(self.excluded).filter(|(_, excluded)| !excluded);
        let found = left.next().filter(|_| self.has_values);
        found.map_or(Kind::Text, |(kind, _)| kind)
    }
}

/// Whether a cell of this type keeps `value`. Zeros at the end of a fraction are not part of a number; those at its start may be part of a
/// code, such as that of a place.
fn keeps(kind: Kind, value: &str, written: &mut String) -> bool {
    let Ok(cell) = text::parse(kind, value) else { return false };
    written.clear();
    text::write(cell, written);
    match cell {
        Cell::Real(number) => {
            let mantissa = value.split(['e', 'E']).next().unwrap_or_default();
            let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
            let is_number = number.is_finite() && !value.starts_with('+') && !has_leading_zero(value);
            // So close to 0, digits are lost, and at last all of them.
            let is_zero = !mantissa.contains(|letter| matches!(letter, '1'..='9'));
            let has_digits = number.is_normal() || (number == 0.0 && is_zero);
            is_number && ((digits <= REAL_DIGITS && has_digits) || trimmed(written) == trimmed(value))
        }
        _ => trimmed(written) == trimmed(value),
    }
}

fn has_leading_zero(value: &str) -> bool {
    matches!(value.trim_start_matches('-').as_bytes(), [b'0', b'0'..=b'9', ..])
}

/// A number without the zeros at the end of its fraction.
fn trimmed(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expect: Kind) {
        let text = format!("a,b\n{}", values.iter().map(|value| format!("{value},\n")).collect::<String>());
        let found = fields(text.as_bytes()).unwrap();
        assert_eq!(found, [Field::nullable("a", expect), Field::nullable("b", Kind::Text)], "{values:?}");
        let table = table(text.as_bytes(), &found).unwrap();
        assert_eq!(table.rows(), values.len());
    }

    #[test]
    fn columns_have_the_narrowest_type_that_keeps_every_value() {
        check(&["1", "-7", ""], Kind::Integer);
        check(&["2026-01-31", "1999-12-01"], Kind::Date);
        check(&["1", "0.5", "12.50"], Kind::Decimal);
        check(&["1", "0.125"], Kind::Real);
        check(&["1.5e300", "2"], Kind::Real);
        check(&["-0", "1"], Kind::Real);
        check(&["0.0e5", "3.2e-300"], Kind::Real);
        check(&["x", "1"], Kind::Text);
        check(&[], Kind::Text);
        check(&["", ""], Kind::Text);
    }

    #[test]
    fn values_that_a_number_would_change_are_texts() {
        let near_zero = ["1e-400", "-2.5e-324", "1.23456789012e-318"];
        let others = ["007", "+7", "1.2345678901234567890", "nan", "inf", "2026-02-30", "\"\"", "1 "];
        for value in near_zero.into_iter().chain(others) {
            check(&[value, "1"], Kind::Text);
        }
    }

    #[test]
    fn late_values_decide_as_early_ones_do() {
        check(&[&["1"; 20_000][..], &["0.5"]].concat(), Kind::Decimal);
        check(&[&[""; 20_000][..], &["late"]].concat(), Kind::Text);
    }

    fn refused(text: &[u8], expect: &str) {
        assert_eq!(fields(text).unwrap_err().to_string(), expect, "{}", text.escape_ascii());
    }

    #[test]
    fn headers_that_do_not_name_columns_are_refused() {
        refused(b"", "it is empty, without a header");
        refused(b"\n", "column 1 has no name in the header");
        refused(b"a,,c\n", "column 2 has no name in the header");
        refused(b"a,b,a\n", "the header names two columns `a`");
        refused(b"\"a\n", "in the header: a quote is not closed");
        refused(b"a,b\n1\n", "row 1: 1 cells, but there are 2 columns");
        refused(b"PAR1\xff", "byte 4 is not UTF-8");
    }
}
