//! Encodes rows in the binary format of COPY and of bound parameters: for each value its length and its bytes. Encodes
//! column by column, so that each loop has one type.

use crate::cells::{Cells, Values};
use crate::column::JSONB_VERSION;
use crate::{Error, Kind, datetime, numeric};
use std::ops::Range;

/// The header of COPY: a signature, no flags, no extension.
pub(crate) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The trailer of COPY: a row of -1 columns.
pub(crate) const TRAILER: &[u8] = &[0xff; 2];

/// The length of a value that is null.
const NULL: [u8; 4] = [0xff; 4];

/// The length field before a value.
const LENGTH_BYTES: usize = 4;

/// The prefix of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// The number of columns, for COPY.
    Count,
    /// No prefix, for parameters.
    Nothing,
}

/// Encodes rows, and reuses its buffers.
#[derive(Debug, Default)]
pub(crate) struct BinaryRows {
    /// The position of the next value of each row.
    at: Vec<usize>,
    numerics: Numerics,
}

impl BinaryRows {
    /// Appends `rows` of these columns.
    pub(crate) fn append(
        &mut self,
        columns: &[Cells<'_>],
        rows: Range<usize>,
        before: Before,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.numerics.convert(columns, &rows)?;
        let start = out.len();
        let end = self.place(columns, &rows, before, start);
        out.resize(end, 0);
        let mut writer = Writer { out, at: &mut self.at, rows };
        if before == Before::Count {
            let count = u16::try_from(columns.len()).unwrap_or(u16::MAX).to_be_bytes();
            writer.every(count);
        }
        for (index, column) in columns.iter().enumerate() {
            writer.column(column, self.numerics.of(index)).map_err(|reason| column.refusal(reason))?;
        }
        Ok(())
    }

    /// Computes where each row begins, with the first at `start`; returns where the last ends.
    fn place(&mut self, columns: &[Cells<'_>], rows: &Range<usize>, before: Before, start: usize) -> usize {
        let same: usize = columns.iter().filter(|column| column.nulls.is_none()).map(Cells::width).sum();
        let head = if before == Before::Count { 2 } else { 0 };
        self.at.clear();
        self.at.resize(rows.len(), head + columns.len() * LENGTH_BYTES + same);
        for (index, column) in columns.iter().enumerate() {
            let width = column.width();
            match (&column.values, self.numerics.of(index)) {
                (_, Some(converted)) => add(&mut self.at, converted.ends.windows(2).map(|pair| pair[1] - pair[0])),
                (Values::Variable { offsets, .. }, None) => {
                    let lengths = offsets[rows.start..=rows.end].windows(2).map(|pair| (pair[1] - pair[0]) as usize);
                    match column.nulls {
                        None => add(&mut self.at, lengths),
                        Some(nulls) => {
                            let valid = rows.clone().map(|row| usize::from(nulls.is_valid(row)));
                            add(&mut self.at, lengths.zip(valid).map(|(length, valid)| (length + width) * valid));
                        }
                    }
                }
                (_, None) => {
                    if let Some(nulls) = column.nulls {
                        add(&mut self.at, rows.clone().map(|row| usize::from(nulls.is_valid(row)) * width));
                    }
                }
            }
        }
        let mut end = start;
        for at in &mut self.at {
            end += std::mem::replace(at, end);
        }
        end
    }
}

fn add(sums: &mut [usize], more: impl Iterator<Item = usize>) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

impl Cells<'_> {
    /// Bytes that every value of a column has in common.
    fn width(&self) -> usize {
        match self.values {
            Values::Bool(_) => 1,
            Values::Two(_) => 2,
            Values::Four(_) | Values::Float4(_) => 4,
            Values::Eight(_) | Values::Float8(_) => 8,
            Values::Fixed(array) => array.value_length() as usize,
            Values::Variable { .. } => usize::from(self.kind == Kind::Jsonb),
        }
    }
}

struct Writer<'a> {
    out: &'a mut [u8],
    at: &'a mut [usize],
    rows: Range<usize>,
}

impl Writer<'_> {
    /// Writes the same bytes into every row.
    fn every<const N: usize>(&mut self, bytes: [u8; N]) {
        for at in &mut *self.at {
            self.out[*at..*at + N].copy_from_slice(&bytes);
            *at += N;
        }
    }

    fn column(&mut self, cells: &Cells<'_>, converted: Option<&Converted>) -> Result<(), &'static str> {
        match (&cells.values, converted) {
            (_, Some(converted)) => {
                let first = self.rows.start;
                self.variable(cells, &[], |row| converted.value(row - first));
            }
            (Values::Variable { offsets, bytes }, None) => {
                let version: &[u8] = if cells.kind == Kind::Jsonb { &[JSONB_VERSION] } else { &[] };
                self.variable(cells, version, |row| &bytes[offsets[row] as usize..offsets[row + 1] as usize]);
            }
            (Values::Fixed(array), None) => self.variable(cells, &[], |row| array.value(row)),
            (Values::Bool(array), None) => self.fixed(cells, |row| Ok(with_length(1, [u8::from(array.value(row))])))?,
            (Values::Two(values), None) => self.fixed(cells, |row| Ok(with_length(2, values[row].to_be_bytes())))?,
            (Values::Four(values), None) if cells.kind == Kind::Date => {
                self.fixed(cells, |row| Ok(with_length(4, datetime::date_from_arrow(values[row])?.to_be_bytes())))?;
            }
            (Values::Four(values), None) => self.fixed(cells, |row| Ok(with_length(4, values[row].to_be_bytes())))?,
            (Values::Eight(values), None) if matches!(cells.kind, Kind::Timestamp | Kind::TimestampTz) => {
                self.fixed(cells, |row| {
                    Ok(with_length(8, datetime::timestamp_from_arrow(values[row])?.to_be_bytes()))
                })?;
            }
            (Values::Eight(values), None) => self.fixed(cells, |row| Ok(with_length(8, values[row].to_be_bytes())))?,
            (Values::Float4(values), None) => self.fixed(cells, |row| Ok(with_length(4, values[row].to_be_bytes())))?,
            (Values::Float8(values), None) => self.fixed(cells, |row| Ok(with_length(8, values[row].to_be_bytes())))?,
        }
        Ok(())
    }

    /// Writes values of one length, each after its length field.
    #[inline]
    fn fixed<const N: usize>(
        &mut self,
        cells: &Cells<'_>,
        value: impl Fn(usize) -> Result<Prefixed<N>, &'static str>,
    ) -> Result<(), &'static str> {
        for (at, row) in self.at.iter_mut().zip(self.rows.clone()) {
            if cells.is_null(row) {
                self.out[*at..*at + LENGTH_BYTES].copy_from_slice(&NULL);
                *at += LENGTH_BYTES;
                continue;
            }
            let value = value(row)?;
            let (length, bytes) = self.out[*at..*at + LENGTH_BYTES + N].split_at_mut(LENGTH_BYTES);
            length.copy_from_slice(&value.0);
            bytes.copy_from_slice(&value.1);
            *at += LENGTH_BYTES + N;
        }
        Ok(())
    }

    /// Writes values of any length, each after `prefix`.
    #[inline]
    fn variable<'v>(&mut self, cells: &Cells<'_>, prefix: &[u8], value: impl Fn(usize) -> &'v [u8]) {
        for (at, row) in self.at.iter_mut().zip(self.rows.clone()) {
            if cells.is_null(row) {
                self.out[*at..*at + LENGTH_BYTES].copy_from_slice(&NULL);
                *at += LENGTH_BYTES;
                continue;
            }
            let value = value(row);
            let bytes = prefix.len() + value.len();
            let room = &mut self.out[*at..*at + LENGTH_BYTES + bytes];
            room[..LENGTH_BYTES].copy_from_slice(&(bytes as u32).to_be_bytes());
            let room = &mut room[LENGTH_BYTES..];
            room[..prefix.len()].copy_from_slice(prefix);
            room[prefix.len()..].copy_from_slice(value);
            *at += LENGTH_BYTES + bytes;
        }
    }
}

/// Writes a length field and a value.
struct Prefixed<const N: usize>([u8; LENGTH_BYTES], [u8; N]);

#[inline]
fn with_length<const N: usize>(length: u32, value: [u8; N]) -> Prefixed<N> {
    Prefixed(length.to_be_bytes(), value)
}

/// Numerics in wire format, whose length is only known after encoding.
#[derive(Debug, Default)]
struct Numerics(Vec<Option<Converted>>);

#[derive(Debug, Default)]
struct Converted {
    bytes: Vec<u8>,
    /// The end of each value, preceded by 0.
    ends: Vec<usize>,
}

impl Converted {
    fn value(&self, row: usize) -> &[u8] {
        &self.bytes[self.ends[row]..self.ends[row + 1]]
    }
}

impl Numerics {
    fn of(&self, column: usize) -> Option<&Converted> {
        self.0.get(column).and_then(Option::as_ref)
    }

    fn convert(&mut self, columns: &[Cells<'_>], rows: &Range<usize>) -> Result<(), Error> {
        self.0.resize_with(columns.len(), || None);
        for (column, converted) in columns.iter().zip(&mut self.0) {
            let (Kind::Numeric, Values::Variable { offsets, bytes }) = (column.kind, &column.values) else {
                *converted = None;
                continue;
            };
            let converted = converted.get_or_insert_default();
            converted.bytes.clear();
            converted.ends.clear();
            converted.ends.push(0);
            for row in rows.clone() {
                if !column.is_null(row) {
                    let text = &bytes[offsets[row] as usize..offsets[row + 1] as usize];
                    if numeric::to_wire(text, &mut converted.bytes).is_none() {
                        let text = String::from_utf8_lossy(text);
                        return Err(column.refusal(&format!("`{text}` is not a numeric; use digits and a point")));
                    }
                }
                converted.ends.push(converted.bytes.len());
            }
        }
        Ok(())
    }
}
