//! Round trips of values from wire format through Arrow and IPC and back: the bytes must be equal.

use crate::binary::{Before, BinaryRows};
use crate::column::Column;
use crate::cursor::push;
use crate::encode::Encoder;
use crate::{Kind, Method, PgType, batch, cells, numeric, sample, text};
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use proptest::prelude::*;
use std::sync::Arc;

/// One column of each wire format, by the object id of one of its types.
const OIDS: [(u32, Kind); 15] = [
    (16, Kind::Bool),
    (21, Kind::Int2),
    (23, Kind::Int4),
    (20, Kind::Int8),
    (700, Kind::Float4),
    (701, Kind::Float8),
    (25, Kind::Text),
    (3802, Kind::Jsonb),
    (17, Kind::Bytea),
    (1700, Kind::Numeric),
    (1082, Kind::Date),
    (1083, Kind::Time),
    (1114, Kind::Timestamp),
    (1184, Kind::TimestampTz),
    (2950, Kind::Uuid),
];

/// A value of this kind in wire format.
fn value(kind: Kind) -> BoxedStrategy<Vec<u8>> {
    fn bytes<const N: usize>(all: impl Strategy<Value = [u8; N]> + 'static) -> BoxedStrategy<Vec<u8>> {
        all.prop_map(|bytes| bytes.to_vec()).boxed()
    }
    match kind {
        Kind::Bool => bytes(any::<bool>().prop_map(|value| [u8::from(value)])),
        Kind::Int2 => bytes(any::<[u8; 2]>()),
        Kind::Int4 | Kind::Float4 => bytes(any::<[u8; 4]>()),
        Kind::Int8 | Kind::Float8 => bytes(any::<[u8; 8]>()),
        Kind::Uuid => bytes(any::<[u8; 16]>()),
        Kind::Bytea | Kind::Raw => prop::collection::vec(any::<u8>(), 0..40).boxed(),
        Kind::Text => ".{0,20}".prop_map(String::into_bytes).boxed(),
        Kind::Jsonb => ".{0,20}".prop_map(|text| [b"\x01", text.as_bytes()].concat()).boxed(),
        Kind::Numeric => prop_oneof![
            Just("NaN".to_owned()),
            Just("Infinity".to_owned()),
            Just("-Infinity".to_owned()),
            "(-?[1-9][0-9]{0,40}|0)(\\.[0-9]{1,40})?",
        ]
        .prop_map(|text| {
            let mut wire = Vec::new();
            numeric::to_wire(text.as_bytes(), &mut wire).expect("a numeric");
            wire
        })
        .boxed(),
        // The first and last day of the server, and the infinities.
        Kind::Date => {
            bytes(prop_oneof![Just(i32::MIN), Just(i32::MAX), -2_451_545..2_145_031_949].prop_map(i32::to_be_bytes))
        }
        Kind::Time => bytes((0..=86_400_000_000_i64).prop_map(i64::to_be_bytes)),
        // From the first timestamp of the server to the last one of Arrow.
        Kind::Timestamp | Kind::TimestampTz => bytes(
            prop_oneof![Just(i64::MIN), Just(i64::MAX), -211_813_488_000_000_000_i64..9_222_425_352_054_775_807]
                .prop_map(i64::to_be_bytes),
        ),
    }
}

/// Rows with one column of each kind, as the server sends them.
fn rows() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let cells: Vec<_> = OIDS.iter().map(|(_, kind)| prop::option::weighted(0.8, value(*kind))).collect();
    let row = cells.prop_map(|cells| {
        let mut row = (cells.len() as u16).to_be_bytes().to_vec();
        for cell in cells {
            let length = cell.as_ref().map_or(-1, |cell| cell.len() as i32);
            row.extend_from_slice(&length.to_be_bytes());
            row.extend_from_slice(&cell.unwrap_or_default());
        }
        row
    });
    prop::collection::vec(row, 0..30)
}

fn types() -> Vec<PgType> {
    OIDS.iter().map(|(oid, _)| PgType::of_oid(*oid, -1).expect("known")).collect()
}

/// The rows of a destination for rows that a source has read, and the types that it reads from the schema.
fn carried(rows: &[Vec<u8>]) -> (RecordBatch, Vec<PgType>) {
    let types = types();
    let mut columns: Vec<_> = types.iter().map(|pg_type| Column::new("c", pg_type, rows.len())).collect();
    rows.iter().for_each(|row| push(&mut columns, row).expect("values of their types"));
    let arrays = columns.iter_mut().map(|column| column.finish().expect("an array")).collect();
    let schema = Schema::new(types.iter().map(|pg_type| pg_type.field("c")).collect::<Vec<_>>());
    let sent = RecordBatch::try_new(Arc::new(schema), arrays).expect("columns of one length");
    let mut stream = Vec::new();
    batch::encode(&sent, &mut stream).expect("a stream");
    let received = batch::decode(stream, 1).expect("a batch");
    let types = received.schema().fields().iter().map(|field| PgType::of_field(field).expect("known")).collect();
    (received, types)
}

fn binary(batch: &RecordBatch, types: &[PgType], chunk: usize, before: Before) -> Vec<u8> {
    let (columns, mut writer, mut out) = (cells::of(batch, types), BinaryRows::default(), Vec::new());
    for start in (0..batch.num_rows()).step_by(chunk) {
        let range = start..batch.num_rows().min(start + chunk);
        writer.append(&columns, range, before, &mut out).expect("values that the server has");
    }
    out
}

proptest! {
    #[test]
    fn rows_survive_a_round_trip(rows in rows(), chunk in 1_usize..40) {
        let (batch, found) = carried(&rows);
        prop_assert_eq!(&found, &types());
        prop_assert_eq!(binary(&batch, &found, chunk, Before::Count), rows.concat());
        let values: Vec<_> = rows.iter().flat_map(|row| row[2..].to_vec()).collect();
        prop_assert_eq!(binary(&batch, &found, chunk, Before::Nothing), values);
    }

    #[test]
    fn text_has_a_line_for_each_row_and_a_tab_between_values(rows in rows()) {
        let (batch, found) = carried(&rows);
        let mut out = Vec::new();
        text::append(&cells::of(&batch, &found), 0..batch.num_rows(), &mut out).expect("values that the server has");
        let lines: Vec<_> = out.split_inclusive(|byte| *byte == b'\n').collect();
        prop_assert_eq!(lines.len(), rows.len());
        for line in lines {
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\t').count(), OIDS.len() - 1);
        }
    }
}

/// The target `copy-encoding/text-in-a-component` counts on it.
#[test]
fn sample_has_a_known_number_of_bytes_as_text() {
    let batch = sample::batch(4096, 12).expect("a batch");
    let mut encoder = Encoder::new(Method::Copy, batch.schema_ref()).expect("an encoder");
    let mut bytes = 0;
    encoder.encode(&batch, 1 << 20, |chunk| bytes += chunk.len()).expect("values that the server has");
    assert_eq!(bytes, 1_020_711);
}

#[test]
fn truncated_and_overlong_rows_are_refused() {
    let mut columns = [Column::new("c", &PgType::of_oid(23, -1).expect("known"), 1)];
    let mut check = |row: &[u8], expect: &str| {
        let error = push(&mut columns, row).expect_err("no row of this column").to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(&[], "a truncated row");
    check(&[0, 2], "wrong number of columns");
    check(&[0, 1, 0, 0], "a truncated row");
    check(&[0, 1, 0, 0, 0, 4, 1], "a truncated row");
    check(&[0, 1, 0, 0, 0, 2, 1, 2], "the column `c` has a value that cannot be converted: its length does not match");
}

#[test]
fn a_malformed_batch_is_refused_with_its_number() {
    let check = |stream: Vec<u8>, expect: &str| {
        let error = batch::decode(stream, 7).expect_err("no batch").to_string();
        assert!(error.starts_with("batch 7 is not a valid Arrow IPC stream"), "{error}");
        assert!(error.contains(expect), "{error}");
    };
    let (batch, _) = carried(&[]);
    let mut stream = Vec::new();
    batch::encode(&batch, &mut stream).expect("a stream");
    check(Vec::new(), "it contains no record batch");
    check(b"rows".to_vec(), "");
    check(stream[..stream.len() / 2].to_vec(), "");
    check([stream.clone(), stream].concat(), "");
}
