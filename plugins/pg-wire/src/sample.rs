//! Creates a batch like those of the family's table, without a server.

use crate::{Error, PgType};
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Int32Array, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::Schema;
use std::sync::Arc;

/// The object ids of the types of the columns, and their names.
const COLUMNS: [(&str, u32); 12] = [
    ("id", 23),
    ("event_type", 25),
    ("user_id", 23),
    ("amount", 23),
    ("is_active", 16),
    ("payload", 25),
    ("created_at", 1114),
    ("price", 1700),
    ("seen_at", 1184),
    ("digest", 17),
    ("attributes", 3802),
    ("note", 25),
];

const EVENTS: [&str; 5] = ["click", "purchase", "view", "signup", "logout"];

/// 2024-01-01 in microseconds since 1970.
const START_US: i64 = 1_704_067_200_000_000;

/// Creates `rows` rows of the first `columns` of twelve columns.
pub fn batch(rows: i32, columns: usize) -> Result<RecordBatch, Error> {
    let columns = columns.min(COLUMNS.len());
    let fields = COLUMNS[..columns].iter().filter_map(|(name, oid)| Some(PgType::of_oid(*oid, -1)?.field(name)));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let arrays = (0..columns).map(|column| array(column, rows)).collect();
    RecordBatch::try_new(Arc::new(schema), arrays)
        .map_err(|error| Error::Batch { number: 1, reason: error.to_string() })
}

fn array(column: usize, rows: i32) -> ArrayRef {
    let rows = 1..=rows;
    let moment = |row: i32| START_US + i64::from(row % 86_400) * 1_000_000 + i64::from(row % 997);
    let text = |text: &dyn Fn(i32) -> Option<String>| -> ArrayRef {
        Arc::new(rows.clone().map(text).collect::<StringArray>())
    };
    let whole =
        |number: &dyn Fn(i32) -> i32| -> ArrayRef { Arc::new(Int32Array::from_iter_values(rows.clone().map(number))) };
    match column {
        0 => whole(&|row| row),
        1 => text(&|row| Some(EVENTS[row as usize % EVENTS.len()].to_owned())),
        2 => whole(&|row| row % 1000),
        3 => whole(&|row| row.wrapping_mul(7919) % 100_000),
        4 => Arc::new(rows.map(|row| Some(row % 3 != 0)).collect::<BooleanArray>()),
        5 => text(&|row| Some(format!("payload-{row}-{}", "x".repeat(45)))),
        6 => Arc::new(PrimitiveArray::<TimestampMicrosecondType>::from_iter_values(rows.map(moment))),
        7 => text(&|row| Some(format!("{}.{:04}", row % 839, row % 9973))),
        8 => {
            let moments = rows.map(|row| (row % 103 != 0).then(|| moment(row)));
            Arc::new(PrimitiveArray::<TimestampMicrosecondType>::from_iter(moments).with_timezone("UTC"))
        }
        9 => {
            let digests = rows.map(|row| (row % 109 != 0).then(|| row.wrapping_mul(0x9e37).to_le_bytes().repeat(4)));
            Arc::new(digests.collect::<BinaryArray>())
        }
        10 => text(&|row| {
            Some(format!("{{\"n\": {row}, \"tags\": [{}, null], \"label\": \"Größe {}\"}}", row % 256, row % 7))
        }),
        _ => text(&|row| (row % 5 != 0).then(|| format!("a\tnote\\{row}").repeat(row as usize % 3))),
    }
}
