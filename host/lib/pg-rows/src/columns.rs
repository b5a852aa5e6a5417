//! The content of each column, as an SQL expression of the row's number `i` and of sixteen bytes `d` drawn for it. A few rows
//! hold what is rare and fails silently: extremes, infinities, NULL, other scripts.

use crate::{Columns, Dataset, Payload};

/// A column: its name, its type, and its value.
struct Column(&'static str, &'static str, &'static str);

/// The seven columns of a log of events.
const SEED: [Column; 7] = [
    Column("id", "integer PRIMARY KEY", "i"),
    Column("event_type", "text", "(ARRAY['click', 'purchase', 'view', 'signup', 'logout'])[1 + i % 5]"),
    Column("user_id", "integer", "i % 1000"),
    Column(
        "amount",
        "integer",
        "CASE WHEN i % 997 = 0 THEN -2147483648 WHEN i % 991 = 0 THEN 2147483647 ELSE (i::bigint * 7919 % 100000)::integer END",
    ),
    Column("is_active", "boolean", "i % 3 <> 0"),
    Column("payload", "text", ""),
    Column(
        "created_at",
        "timestamp",
        "timestamp '2024-01-01' + (i % 86400) * interval '1 second' + get_byte(d, 0) * interval '1 microsecond'",
    ),
];

/// The other columns.
const MORE: [Column; 5] = [
    Column(
        "price",
        "numeric",
        "CASE WHEN i % 1009 = 0 THEN 'NaN' WHEN i % 1013 = 0 THEN -12345678901234567890.000000001 WHEN i % 101 = 0 THEN 0.00 \
         ELSE ((get_byte(d, 1) * 65536 + get_byte(d, 2) * 256 + get_byte(d, 3) - 8388608) / 10000.0)::numeric(12, 4) END",
    ),
    Column(
        "seen_at",
        "timestamptz",
        "CASE WHEN i % 1019 = 0 THEN 'infinity' WHEN i % 1021 = 0 THEN '-infinity' WHEN i % 103 = 0 THEN NULL \
         ELSE timestamptz '1969-12-31 23:59:59.999999+00' + (get_byte(d, 4) * 65536 + get_byte(d, 5) * 256 + get_byte(d, 6)) * \
         interval '97.000003 seconds' END",
    ),
    Column("digest", "bytea", "CASE WHEN i % 107 = 0 THEN '' WHEN i % 109 = 0 THEN NULL ELSE d END"),
    Column(
        "attributes",
        "jsonb",
        "CASE WHEN i % 113 = 0 THEN 'null' WHEN i % 127 = 0 THEN NULL ELSE jsonb_build_object('n', i, 'label', 'Größe ' || \
         get_byte(d, 7), 'tags', jsonb_build_array(get_byte(d, 8), i % 2 = 0, NULL, '\"quoted\"')) END",
    ),
    Column(
        "note",
        "text",
        "CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'żółć – 日本語 🦀 ' || i WHEN 3 THEN E'a\\tb\\nc\\\\d\\\\N \"e\" \\r,''f'' ' || i \
         ELSE 'order ' || encode(substr(d, 9, 6), 'hex') END",
    ),
];

/// A number and the same letter, 60 bytes in all for numbers of six digits.
const REPETITIVE: &str = "'payload-' || i || '-' || repeat('x', 45)";

/// Five words out of 32 and a number of sixteen digits: 59 bytes on average.
const REALISTIC: &str = "(WORDS)[1 + get_byte(d, 10) % 32] || ' ' || (WORDS)[1 + get_byte(d, 11) % 32] || ' ' || \
     (WORDS)[1 + get_byte(d, 12) % 32] || ' ' || (WORDS)[1 + get_byte(d, 13) % 32] || ' ' || (WORDS)[1 + get_byte(d, 14) % 32] || \
     ' session=' || encode(substr(d, 1, 8), 'hex')";

const WORDS: [&str; 32] = [
    "customer",
    "opened",
    "invoice",
    "with",
    "discount",
    "from",
    "mobile",
    "browser",
    "while",
    "shipping",
    "address",
    "was",
    "updated",
    "after",
    "payment",
    "declined",
    "retry",
    "succeeded",
    "coupon",
    "applied",
    "to",
    "basket",
    "then",
    "returned",
    "item",
    "because",
    "of",
    "damage",
    "and",
    "requested",
    "refund",
    "today",
];

/// The definitions of all columns, and their values, each as a list.
pub(crate) fn definitions_and_values(dataset: &Dataset) -> (String, String) {
    let words: Vec<_> = WORDS.iter().map(|word| format!("'{word}'")).collect();
    let payload = match dataset.payload {
        Payload::Repetitive => REPETITIVE.to_owned(),
        Payload::Realistic => REALISTIC.replace("WORDS", &format!("ARRAY[{}]", words.join(", "))),
    };
    let more = if dataset.columns == Columns::All { &MORE[..] } else { &[] };
    let all: Vec<_> = SEED.iter().chain(more).collect();
    let definitions: Vec<_> = all.iter().map(|Column(name, kind, _)| format!("{name} {kind}")).collect();
    let value = |column: &&Column| if column.0 == "payload" { payload.clone() } else { column.2.to_owned() };
    let values: Vec<_> = all.iter().map(value).collect();
    (definitions.join(", "), values.join(",\n"))
}
