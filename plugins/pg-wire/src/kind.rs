//! The supported types: their names on the server, their Arrow types, and the metadata of a field that preserves the
//! type.

use crate::Error;
use arrow_schema::{DataType, Field, TimeUnit};
use std::collections::HashMap;

/// The metadata key of a field for the SQL name of its type.
pub const TYPE_KEY: &str = "postgres.type";

/// The time zone of a `timestamptz`, which the server stores in UTC.
const UTC: &str = "UTC";

/// Bytes of a UUID.
pub(crate) const UUID_BYTES: i32 = 16;

/// The wire format of a value. Several types share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One byte.
    Bool,
    /// Two bytes.
    Int2,
    /// Four bytes.
    Int4,
    /// Eight bytes.
    Int8,
    /// Four bytes.
    Float4,
    /// Eight bytes.
    Float8,
    /// UTF-8: `text`, `character varying`, `character`, `name`, `json`.
    Text,
    /// A version, then UTF-8.
    Jsonb,
    /// Bytes.
    Bytea,
    /// Decimal digits. Arrow's decimals preserve neither `NaN` nor trailing zeros, so the Arrow type is text.
    Numeric,
    /// Days since 2000.
    Date,
    /// Microseconds since midnight.
    Time,
    /// Microseconds since 2000.
    Timestamp,
    /// Microseconds since 2000 in UTC.
    TimestampTz,
    /// Sixteen bytes.
    Uuid,
    /// Of any other type, such as an array, an interval or a range: the bytes that the server sends and takes, as they are.
    Raw,
}

/// A column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PgType {
    /// The wire format of its values.
    pub kind: Kind,
    /// The SQL name, such as `numeric(20,4)`.
    pub name: String,
}

/// Every type that has an Arrow type of its own: its object id, its name, and its wire format.
const TYPES: &[(u32, &str, Kind)] = &[
    (16, "boolean", Kind::Bool),
    (17, "bytea", Kind::Bytea),
    (19, "name", Kind::Text),
    (20, "bigint", Kind::Int8),
    (21, "smallint", Kind::Int2),
    (23, "integer", Kind::Int4),
    (25, "text", Kind::Text),
    (114, "json", Kind::Text),
    (700, "real", Kind::Float4),
    (701, "double precision", Kind::Float8),
    (1042, "character", Kind::Text),
    (1043, "character varying", Kind::Text),
    (1082, "date", Kind::Date),
    (1083, "time without time zone", Kind::Time),
    (1114, "timestamp without time zone", Kind::Timestamp),
    (1184, "timestamp with time zone", Kind::TimestampTz),
    (1700, "numeric", Kind::Numeric),
    (2950, "uuid", Kind::Uuid),
    (3802, "jsonb", Kind::Jsonb),
];

impl PgType {
    /// The type with this object id and modifier, if it has an Arrow type of its own.
    pub fn of_oid(oid: u32, modifier: i32) -> Option<Self> {
        let (_, base, kind) = TYPES.iter().find(|(known, ..)| *known == oid)?;
        Some(Self { kind: *kind, name: with_modifier(base, oid, modifier) })
    }

    /// Any other type, by the SQL name that the server gives it. Its binary form is the text itself, or only the server can read it.
    pub fn other(name: &str, is_text: bool) -> Self {
        Self { kind: if is_text { Kind::Text } else { Kind::Raw }, name: name.to_owned() }
    }

    /// The field for a column of this type. It is nullable, because the result of a query does not tell.
    pub fn field(&self, column: &str) -> Field {
        let metadata = HashMap::from([(TYPE_KEY.to_owned(), self.name.clone())]);
        Field::new(column, self.kind.data_type(), true).with_metadata(metadata)
    }

    /// The type of a field: from its metadata, or the default of its Arrow type. A name that is not in the list is the server's to
    /// check.
    pub fn of_field(field: &Field) -> Result<Self, Error> {
        let arrow = field.data_type();
        let unknown = |type_name: String| Error::UnknownType { column: field.name().clone(), type_name };
        let Some(name) = field.metadata().get(TYPE_KEY) else {
            let known = TYPES.iter().find(|(_, name, kind)| PREFERRED.contains(name) && kind.data_type() == *arrow);
            let (_, name, kind) = known.ok_or_else(|| unknown(format!("Arrow {arrow}")))?;
            return Ok(Self { kind: *kind, name: (*name).to_owned() });
        };
        let known = TYPES.iter().find(|(_, known, _)| *known == without_modifier(name));
        match (known, arrow) {
            (Some(_), _) if !is_plain(name) => Err(unknown(name.clone())),
            (Some((_, _, kind)), _) if kind.data_type() == *arrow => Ok(Self { kind: *kind, name: name.clone() }),
            (None, DataType::Utf8) => Ok(Self::other(name, true)),
            (None, DataType::Binary) => Ok(Self::other(name, false)),
            _ => Err(unknown(format!("{name}, as Arrow {arrow}"))),
        }
    }

    /// The object id of the type; 0 of a type that only the server knows.
    pub fn oid(&self) -> u32 {
        let known = TYPES.iter().find(|(_, name, _)| *name == without_modifier(&self.name));
        known.map_or(0, |(oid, ..)| *oid)
    }
}

/// Default types of Arrow types that several types share, for fields without metadata.
const PREFERRED: &[&str] = &[
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "text",
    "bytea",
    "date",
    "time without time zone",
    "timestamp without time zone",
    "timestamp with time zone",
    "uuid",
];

impl Kind {
    /// The Arrow type.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Text | Self::Jsonb | Self::Numeric => DataType::Utf8,
            Self::Bytea | Self::Raw => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Self::Uuid => DataType::FixedSizeBinary(UUID_BYTES),
        }
    }
}

/// The name with its modifier: the length of a `varchar`, the digits of a `numeric`, the fractional digits of a time.
fn with_modifier(base: &str, oid: u32, modifier: i32) -> String {
    /// The modifiers of some types include the length of a header.
    const HEADER: i32 = 4;
    if modifier < 0 {
        // Without a length, `character` is one character; the unbounded type has another name.
        return if oid == 1042 { "bpchar".to_owned() } else { base.to_owned() };
    }
    match oid {
        1042 | 1043 => format!("{base}({})", modifier - HEADER),
        1700 => {
            let packed = modifier - HEADER;
            // The scale has eleven bits and a sign.
            let scale = ((packed & 0x7ff) ^ 0x400) - 0x400;
            format!("{base}({},{scale})", (packed >> 16) & 0xffff)
        }
        1083 | 1114 | 1184 => match base.split_once(' ') {
            Some((first, rest)) => format!("{first}({modifier}) {rest}"),
            None => base.to_owned(),
        },
        _ => base.to_owned(),
    }
}

/// Whether a type name is safe to become part of a statement.
fn is_plain(name: &str) -> bool {
    name.chars().all(|character| character.is_ascii_alphanumeric() || " (),-".contains(character))
        && !name.contains("--")
}

/// The name without its modifier in parentheses.
fn without_modifier(name: &str) -> String {
    match (name.find('('), name.find(')')) {
        (Some(open), Some(close)) if open < close => format!("{}{}", &name[..open], &name[close + 1..]),
        _ if name == "bpchar" => "character".to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(oid: u32, modifier: i32, expect: &str) {
        let found = PgType::of_oid(oid, modifier).expect("known");
        assert_eq!(found.name, expect);
        assert_eq!(PgType::of_field(&found.field("c")).expect("known"), found, "out of its field");
        assert_eq!(found.oid(), oid);
    }

    #[test]
    fn type_names_equal_those_of_the_server() {
        check(23, -1, "integer");
        check(1043, 44, "character varying(40)");
        check(1043, -1, "character varying");
        check(1042, 14, "character(10)");
        check(1042, -1, "bpchar");
        check(1700, ((20 << 16) | 4) + 4, "numeric(20,4)");
        check(1700, ((3 << 16) | (-2 & 0x7ff)) + 4, "numeric(3,-2)");
        check(1700, -1, "numeric");
        check(1114, 3, "timestamp(3) without time zone");
        check(1184, -1, "timestamp with time zone");
    }

    #[test]
    fn fields_without_metadata_have_the_default_type() {
        for (_, name, kind) in TYPES.iter().filter(|(_, name, _)| PREFERRED.contains(name)) {
            let found = PgType::of_field(&Field::new("c", kind.data_type(), true)).expect("known");
            assert_eq!((found.name.as_str(), found.kind), (*name, *kind));
        }
    }

    #[test]
    fn an_unknown_type_names_column_and_type() {
        assert_eq!(PgType::of_oid(1186, -1), None);
        let unsigned = PgType::of_field(&Field::new("c", DataType::UInt8, true)).expect_err("no such type");
        assert!(unsigned.to_string().starts_with("the column `c` has the type `Arrow UInt8`"), "{unsigned}");
        for (name, arrow, expect) in [
            ("numeric(1--)", DataType::Utf8, "numeric(1--)"),
            ("bigint", DataType::Utf8, "bigint, as Arrow Utf8"),
            ("interval", DataType::Int64, "interval, as Arrow Int64"),
        ] {
            let error = PgType::of_field(&field(name, arrow)).expect_err("no such type").to_string();
            assert!(error.starts_with(&format!("the column `p` has the type `{expect}`")), "{error}");
        }
    }

    #[test]
    fn other_types_keep_the_name_that_the_server_gave() {
        for (name, arrow, kind) in [
            ("numeric(6,2)[]", DataType::Binary, Kind::Raw),
            ("interval day to second(3)", DataType::Binary, Kind::Raw),
            ("app.\"Mood\"", DataType::Utf8, Kind::Text),
        ] {
            let found = PgType::of_field(&field(name, arrow)).expect("a type");
            assert_eq!((found.name.as_str(), found.kind, found.oid()), (name, kind, 0));
            assert_eq!(PgType::of_field(&found.field("c")).expect("a type"), found, "out of its field");
        }
    }

    fn field(pg_type: &str, arrow: DataType) -> Field {
        Field::new("p", arrow, true).with_metadata(HashMap::from([(TYPE_KEY.to_owned(), pg_type.to_owned())]))
    }
}
