//! Encodes rows in the text format of COPY: values are separated by tabs, rows by line ends, and both are escaped in
//! values.

use crate::cells::{Cells, Values};
use crate::{Error, Kind, datetime};
use std::io::Write;
use std::ops::Range;

/// The text of a null value.
const NULL: &[u8] = b"\\N";

/// The zone of a `timestamptz`.
const UTC: &[u8] = b"+00";

/// Appends `rows` of these columns.
pub(crate) fn append(columns: &[Cells<'_>], rows: Range<usize>, out: &mut Vec<u8>) -> Result<(), Error> {
    for row in rows {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push(b'\t');
            }
            if column.is_null(row) {
                out.extend_from_slice(NULL);
            } else {
                value(column, row, out).map_err(|reason| column.refusal(reason))?;
            }
        }
        out.push(b'\n');
    }
    Ok(())
}

#[inline]
fn value(column: &Cells<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
    match &column.values {
        Values::Bool(array) => out.push(if array.value(row) { b't' } else { b'f' }),
        Values::Two(values) => integer(i64::from(values[row]), out),
        Values::Four(values) => match column.kind {
            Kind::Date => datetime::date_text(values[row], out),
            _ => integer(i64::from(values[row]), out),
        },
        Values::Eight(values) => match column.kind {
            Kind::Time => datetime::time_text(values[row], out)?,
            Kind::Timestamp => datetime::timestamp_text(values[row], b"", out),
            Kind::TimestampTz => datetime::timestamp_text(values[row], UTC, out),
            _ => integer(values[row], out),
        },
        Values::Float4(values) => float(values[row], out),
        Values::Float8(values) => float(values[row], out),
        Values::Fixed(array) => hexadecimal(array.value(row), out),
        Values::Variable { offsets, bytes } => {
            let value = &bytes[offsets[row] as usize..offsets[row + 1] as usize];
            match column.kind {
                Kind::Bytea => {
                    // The backslash itself is escaped.
                    out.extend_from_slice(b"\\\\x");
                    hexadecimal(value, out);
                }
                Kind::Numeric => out.extend_from_slice(value),
                // `encode::types` has refused the column.
                Kind::Raw => return Err("only the server can read its binary form"),
                _ => escaped(value, out),
            }
        }
    }
    Ok(())
}

fn integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest digits that parse to the same number; the server also reads Rust's `NaN` and `inf`.
fn float(value: impl std::fmt::Debug, out: &mut Vec<u8>) {
    let written = write!(out, "{value:?}");
    debug_assert!(written.is_ok(), "writing to a vector cannot fail");
}

fn hexadecimal(value: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(value.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}

/// The character after the backslash for a byte that is escaped; 0 for any other byte.
static ESCAPES: [u8; 256] = escapes();

const fn escapes() -> [u8; 256] {
    let mut table = [0; 256];
    table[b'\\' as usize] = b'\\';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table
}

#[inline]
fn escaped(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| ESCAPES[usize::from(*byte)] != 0) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', ESCAPES[usize::from(rest[at])]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}
