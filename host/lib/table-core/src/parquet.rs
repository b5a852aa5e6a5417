//! Parquet files that are the same, byte for byte, whoever writes them here, so that all engines read one file, which none of them wrote. Values
//! are plain and not compressed; a column of a row group is one page.

use crate::{Cell, Field, Kind, Table};
use std::ops::Range;

/// Rows of a row group.
pub const GROUP_ROWS: usize = 65_536;

/// Digits of a decimal, two of them behind the point.
const PRECISION: i32 = 38;
const SCALE: i32 = 2;

/// The bytes of a decimal.
const DECIMAL_BYTES: i32 = 16;

const MAGIC: &[u8] = b"PAR1";

/// Values of the format's enumerations `Encoding` and `FieldRepetitionType`.
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const REQUIRED: i32 = 0;
const OPTIONAL: i32 = 1;

/// The file with all rows of `table`.
pub fn write(table: &Table) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    let starts = (0..table.rows()).step_by(GROUP_ROWS);
    let rows = starts.map(|start| start..table.rows().min(start + GROUP_ROWS));
    let groups: Vec<_> = rows.map(|rows| group(table, rows, &mut file)).collect();
    let footer = footer(table, &groups);
    file.extend_from_slice(&footer);
    file.extend_from_slice(&(footer.len() as u32).to_le_bytes());
    file.extend_from_slice(MAGIC);
    file
}

/// What the footer says of a row group.
struct Group {
    rows: usize,
    chunks: Vec<Range<usize>>,
}

/// Appends the rows, and returns where each column lies.
fn group(table: &Table, rows: Range<usize>, file: &mut Vec<u8>) -> Group {
    let chunk = |column: usize| {
        let start = file.len();
        let page = page(table, column, rows.clone());
        file.extend_from_slice(&page_header(rows.len(), page.len()));
        file.extend_from_slice(&page);
        start..file.len()
    };
    let chunks = (0..table.fields().len()).map(chunk).collect();
    Group { rows: rows.len(), chunks }
}

/// Whether each row has a value, if one may have none, and the values.
fn page(table: &Table, column: usize, rows: Range<usize>) -> Vec<u8> {
    let mut page = Vec::new();
    if table.fields()[column].nullable {
        let levels = levels(table, column, rows.clone());
        page.extend_from_slice(&(levels.len() as u32).to_le_bytes());
        page.extend_from_slice(&levels);
    }
    rows.for_each(|row| plain(table.cell(row, column), &mut page));
    page
}

/// One run of bits, which are 1 for values: the format's hybrid of run lengths and packed bits, of width 1.
fn levels(table: &Table, column: usize, rows: Range<usize>) -> Vec<u8> {
    let bytes = rows.len().div_ceil(8);
    let mut levels = Vec::new();
    varint(((bytes as u64) << 1) | 1, &mut levels);
    let start = levels.len();
    levels.resize(start + bytes, 0);
    for (at, row) in rows.enumerate() {
        if table.cell(row, column) != Cell::Null {
            levels[start + at / 8] |= 1 << (at % 8);
        }
    }
    levels
}

fn plain(cell: Cell<'_>, into: &mut Vec<u8>) {
    match cell {
        Cell::Null => {}
        Cell::Text(text) => {
            into.extend_from_slice(&(text.len() as u32).to_le_bytes());
            into.extend_from_slice(text.as_bytes());
        }
        Cell::Integer(value) => into.extend_from_slice(&value.to_le_bytes()),
        // The most significant byte comes first in this type alone.
        Cell::Decimal(value) => into.extend_from_slice(&value.to_be_bytes()),
        Cell::Real(value) => into.extend_from_slice(&value.to_le_bytes()),
        Cell::Date(value) => into.extend_from_slice(&value.to_le_bytes()),
    }
}

/// The structure `PageHeader`, of a data page.
fn page_header(rows: usize, bytes: usize) -> Vec<u8> {
    let mut header = Thrift::default();
    header.i32(1, 0);
    header.i32(2, bytes as i32);
    header.i32(3, bytes as i32);
    header.begin(5);
    header.i32(1, rows as i32);
    header.i32(2, PLAIN);
    header.i32(3, RLE);
    header.i32(4, RLE);
    header.end();
    header.finish()
}

/// The structure `FileMetaData`.
fn footer(table: &Table, groups: &[Group]) -> Vec<u8> {
    let fields = table.fields();
    let mut footer = Thrift::default();
    footer.i32(1, 1);
    footer.list(2, Thrift::STRUCT, fields.len() + 1);
    footer.begin_element();
    footer.binary(4, b"schema");
    footer.i32(5, fields.len() as i32);
    footer.end();
    fields.iter().for_each(|field| schema_element(field, &mut footer));
    footer.i64(3, table.rows() as i64);
    footer.list(4, Thrift::STRUCT, groups.len());
    groups.iter().for_each(|group| row_group(fields, group, &mut footer));
    footer.binary(6, b"table-core");
    footer.finish()
}

/// The value of the enumeration `Type`.
fn physical(kind: Kind) -> i32 {
    match kind {
        Kind::Date => 1,
        Kind::Integer => 2,
        Kind::Real => 5,
        Kind::Text => 6,
        Kind::Decimal => 7,
    }
}

/// The structure `SchemaElement`, with the type as both old and new readers know it.
fn schema_element(field: &Field, into: &mut Thrift) {
    into.begin_element();
    into.i32(1, physical(field.kind));
    if field.kind == Kind::Decimal {
        into.i32(2, DECIMAL_BYTES);
    }
    into.i32(3, if field.nullable { OPTIONAL } else { REQUIRED });
    into.binary(4, field.name.as_bytes());
    // The converted type, and the field of the union `LogicalType`.
    let logical = match field.kind {
        Kind::Text => Some((0, 1)),
        Kind::Decimal => Some((5, 5)),
        Kind::Date => Some((6, 6)),
        Kind::Integer | Kind::Real => None,
    };
    if let Some((converted, member)) = logical {
        into.i32(6, converted);
        if field.kind == Kind::Decimal {
            into.i32(7, SCALE);
            into.i32(8, PRECISION);
        }
        into.begin(10);
        into.begin(member);
        if field.kind == Kind::Decimal {
            into.i32(1, SCALE);
            into.i32(2, PRECISION);
        }
        into.end();
        into.end();
    }
    into.end();
}

/// The structure `RowGroup`.
fn row_group(fields: &[Field], group: &Group, into: &mut Thrift) {
    let rows = group.rows as i64;
    into.begin_element();
    into.list(1, Thrift::STRUCT, fields.len());
    for (field, chunk) in fields.iter().zip(&group.chunks) {
        let (start, bytes) = (chunk.start as i64, chunk.len() as i64);
        into.begin_element();
        into.i64(2, start);
        into.begin(3);
        into.i32(1, physical(field.kind));
        into.list(2, Thrift::I32, 2);
        into.element_i32(PLAIN);
        into.element_i32(RLE);
        into.list(3, Thrift::BINARY, 1);
        into.element_binary(field.name.as_bytes());
        // Not compressed.
        into.i32(4, 0);
        into.i64(5, rows);
        into.i64(6, bytes);
        into.i64(7, bytes);
        into.i64(9, start);
        into.end();
        into.end();
    }
    into.i64(2, group.chunks.iter().map(|chunk| chunk.len() as i64).sum());
    into.i64(3, rows);
    into.end();
}

/// Thrift's compact protocol, as much of it as these structures need. A structure is open from the start.
struct Thrift {
    bytes: Vec<u8>,
    /// The last field of each open structure.
    last: Vec<u8>,
}

impl Default for Thrift {
    fn default() -> Self {
        Self { bytes: Vec::new(), last: vec![0] }
    }
}

impl Thrift {
    const I32: u8 = 5;
    const I64: u8 = 6;
    const BINARY: u8 = 8;
    const LIST: u8 = 9;
    const STRUCT: u8 = 12;

    /// The head of a field. Fields come in the order of their numbers, less than 16 apart.
    fn field(&mut self, field: u8, kind: u8) {
        if let Some(last) = self.last.last_mut() {
            self.bytes.push((field - *last) << 4 | kind);
            *last = field;
        }
    }

    fn i32(&mut self, field: u8, value: i32) {
        self.field(field, Self::I32);
        self.element_i32(value);
    }

    fn i64(&mut self, field: u8, value: i64) {
        self.field(field, Self::I64);
        zigzag(value, &mut self.bytes);
    }

    fn binary(&mut self, field: u8, value: &[u8]) {
        self.field(field, Self::BINARY);
        self.element_binary(value);
    }

    /// The head of a list of so many elements, which follow.
    fn list(&mut self, field: u8, kind: u8, length: usize) {
        self.field(field, Self::LIST);
        match u8::try_from(length) {
            Ok(short @ 0..15) => self.bytes.push(short << 4 | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                varint(length as u64, &mut self.bytes);
            }
        }
    }

    fn element_i32(&mut self, value: i32) {
        zigzag(value.into(), &mut self.bytes);
    }

    fn element_binary(&mut self, value: &[u8]) {
        varint(value.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(value);
    }

    fn begin(&mut self, field: u8) {
        self.field(field, Self::STRUCT);
        self.begin_element();
    }

    fn begin_element(&mut self) {
        self.last.push(0);
    }

    fn end(&mut self) {
        self.bytes.push(0);
        self.last.pop();
    }

    fn finish(mut self) -> Vec<u8> {
        self.end();
        self.bytes
    }
}

/// Seven bits a byte, the least significant first.
fn varint(mut value: u64, into: &mut Vec<u8>) {
    while value > 0x7f {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Small for numbers near 0 on either side.
fn zigzag(value: i64, into: &mut Vec<u8>) {
    varint(((value << 1) ^ (value >> 63)).cast_unsigned(), into);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recipe;

    #[test]
    fn file_is_as_the_format_says() {
        let mut table = Table::new(vec![Field::required("n", Kind::Integer)]);
        table.push_row([Cell::Integer(7)]);
        let page = [
            // A data page of 8 bytes with one value, plain.
            &b"\x15\x00\x15\x10\x15\x10\x2c\x15\x02\x15\x00\x15\x06\x15\x06\x00\x00"[..],
            b"\x07\x00\x00\x00\x00\x00\x00\x00",
        ];
        let footer = [
            // Version 1; the root with one child, and the column.
            &b"\x15\x02\x19\x2c\x48\x06schema\x15\x02\x00\x15\x04\x25\x00\x18\x01n\x00"[..],
            // One row, in one group of one chunk at byte 4.
            b"\x16\x02\x19\x1c\x19\x1c\x26\x08\x1c\x15\x04\x19\x25\x00\x06\x19\x18\x01n\x15\x00\x16\x02\x16\x32\x16\x32\x26\x08\x00\x00",
            b"\x16\x32\x16\x02\x00\x28\x0atable-core\x00",
        ];
        let footer = footer.concat();
        let length = (footer.len() as u32).to_le_bytes();
        let expect = [MAGIC, &page.concat(), &footer, &length, MAGIC].concat();
        assert_eq!(write(&table).escape_ascii().to_string(), expect.escape_ascii().to_string());
    }

    #[test]
    fn rows_without_a_value_have_a_bit_and_no_bytes() {
        let mut table = Table::new(vec![Field::nullable("t", Kind::Text)]);
        for text in [Some("x"), None, Some("")] {
            table.push_row([text.map_or(Cell::Null, Cell::Text)]);
        }
        assert_eq!(page(&table, 0, 0..3), b"\x02\x00\x00\x00\x03\x05\x01\x00\x00\x00x\x00\x00\x00\x00");
    }

    #[test]
    fn numbers_of_any_size_are_written() {
        let check = |value: i64, expect: &[u8]| {
            let mut bytes = Vec::new();
            zigzag(value, &mut bytes);
            assert_eq!(bytes, expect, "{value}");
        };
        check(0, &[0]);
        check(-1, &[1]);
        check(64, &[0x80, 1]);
        check(i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    }

    #[test]
    fn same_rows_are_the_same_file() {
        let recipe = Recipe { rows: GROUP_ROWS + 1, seed: 1 };
        let file = write(&recipe.publications());
        assert_eq!(file, write(&recipe.publications()));
        assert_ne!(file, write(&Recipe { seed: 2, ..recipe }.publications()));
        assert!(write(&Recipe { rows: 0, seed: 1 }.genes()).ends_with(MAGIC));
    }
}
