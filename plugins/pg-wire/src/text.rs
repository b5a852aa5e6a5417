//! Encodes rows in the text format of COPY: values are separated by tabs, rows by line ends, and both are escaped in
//! values.

use crate::cells::{Cells, Values};
use crate::digits::integer;
use crate::{Error, Kind, datetime};
use std::io::Write;
use std::ops::Range;

/// The text of a null value.
const NULL: &[u8] = b"\\N";

/// The zone of a `timestamptz`.
const UTC: &[u8; 3] = b"+00";

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
            Kind::Timestamp => datetime::timestamp_text(values[row], None, out),
            Kind::TimestampTz => datetime::timestamp_text(values[row], Some(UTC), out),
            _ => integer(values[row], out),
        },
        Values::Float4(values) => float(values[row], out),
        Values::Float8(values) => float(values[row], out),
        Values::Fixed(array) => hexadecimal(array.value(row), out),
        Values::Variable { offsets, bytes } => {
            let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
            match column.kind {
                Kind::Bytea => {
                    // The backslash itself is escaped.
                    out.extend_from_slice(b"\\\\x");
                    hexadecimal(&bytes[start..end], out);
                }
                // `encode::types` has refused the column.
                Kind::Raw => return Err("only the server can read its binary form"),
                _ => escaped(bytes, start, end, out),
            }
        }
    }
    Ok(())
}

/// The shortest digits that parse to the same number; the server also reads Rust's `NaN` and `inf`.
fn float(value: impl std::fmt::Debug, out: &mut Vec<u8>) {
    let written = write!(out, "{value:?}");
    debug_assert!(written.is_ok(), "writing to a vector cannot fail");
}

/// Bytes of a value that are written as digits together, so that the loop over them has a fixed length and no calls.
const HEX_PIECE: usize = 8;

fn hexadecimal(value: &[u8], out: &mut Vec<u8>) {
    let digit = |half: u8| half + if half < 10 { b'0' } else { b'a' - 10 };
    let (pieces, rest) = value.as_chunks::<HEX_PIECE>();
    for piece in pieces {
        let mut text = [0; 2 * HEX_PIECE];
        for (index, byte) in piece.iter().enumerate() {
            text[2 * index] = digit(byte >> 4);
            text[2 * index + 1] = digit(byte & 15);
        }
        out.extend_from_slice(&text);
    }
    for byte in rest {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// Bytes that are looked at and copied together, as a vector. A copy of a length that is not known when this is compiled is a call, in a
/// component one of the engine.
const PIECE: usize = 16;

/// Appends the text in `bytes` from `start` to `end`. Whole pieces are copied, also across the end, and what was too much is cut off again.
#[inline]
fn escaped(bytes: &[u8], start: usize, end: usize, out: &mut Vec<u8>) {
    let mut at = start;
    while at < end {
        match bytes.get(at..).and_then(|rest| rest.first_chunk::<PIECE>()) {
            Some(piece) if !may_have_escapes(piece) => {
                out.extend_from_slice(piece);
                at += PIECE;
            }
            _ => {
                let stop = end.min(at + PIECE);
                escaped_each(&bytes[at..stop], out);
                at = stop;
            }
        }
    }
    out.truncate(out.len() - (at - end));
}

/// Whether a byte of the piece is escaped, or is another control character.
#[inline]
fn may_have_escapes(piece: &[u8; PIECE]) -> bool {
    piece.iter().fold(false, |found, &byte| found | (byte <= b'\r') | (byte == b'\\'))
}

/// Appends text, byte by byte.
fn escaped_each(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// At every distance from the end of the column's bytes.
        #[test]
        fn text_is_escaped_as_byte_by_byte(
            bytes in prop::collection::vec(prop_oneof![8 => 32..=255_u8, 1 => 0..32_u8, 1 => Just(b'\\')], 0..80),
            cuts in any::<[prop::sample::Index; 2]>(),
        ) {
            let [a, b] = cuts.map(|cut| cut.index(bytes.len() + 1));
            let (start, end) = (a.min(b), a.max(b));
            let (mut found, mut expect) = (b"before".to_vec(), b"before".to_vec());
            escaped(&bytes, start, end, &mut found);
            escaped_each(&bytes[start..end], &mut expect);
            prop_assert_eq!(found, expect);
        }

        #[test]
        fn bytes_are_written_as_two_digits_each(value in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut found = Vec::new();
            hexadecimal(&value, &mut found);
            let expect: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert_eq!(found, expect.into_bytes());
        }
    }

    #[test]
    fn special_characters_are_escaped() {
        let mut out = Vec::new();
        escaped_each("a\tb\\c\nd\re\u{b}ü".as_bytes(), &mut out);
        assert_eq!(out, "a\\tb\\\\c\\nd\\re\u{b}ü".as_bytes());
    }
}
