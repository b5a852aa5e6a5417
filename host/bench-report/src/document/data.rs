//! JSON whose objects keep the order of their fields, so that documents for programs read as they were written.

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};
use std::fmt;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Data {
    /// Absent.
    #[default]
    Null,
    /// A flag.
    Flag(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
    /// Several values.
    List(Vec<Data>),
    /// Names and values, in their order.
    Object(Vec<(String, Data)>),
}

impl Data {
    /// `document`, which is plain data with text keys.
    pub fn of(document: &impl Serialize) -> Self {
        let text = serde_json::to_string(document).expect("plain data with text keys is JSON");
        serde_json::from_str(&text).expect("what was written as JSON is read as JSON")
    }

    /// The same object with one more field; anything else becomes an object of that field.
    pub(crate) fn with(self, name: &str, value: &impl Serialize) -> Self {
        let mut fields = if let Self::Object(fields) = self { fields } else { Vec::new() };
        fields.push((name.to_owned(), Self::of(value)));
        Self::Object(fields)
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
            Self::Object(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Data, E> {
        Ok(Data::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Data, E> {
        Ok(Data::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Data, E> {
        Ok(Data::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Data, E> {
        Ok(Number::from_f64(number).map_or(Data::Null, Data::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Data, E> {
        Ok(Data::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Data, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element()? {
            list.push(value);
        }
        Ok(Data::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Data, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Data::Object(fields))
    }
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self::of(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_numbers_their_kind() {
        let text = r#"{"z":1,"a":[null,true,-2,0.5,18446744073709551615],"m":{"y":"\u001b","x":1.0}}"#;
        let data: Data = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&data).unwrap(), text);
        let more = Data::of(&data).with("more", &"x");
        assert_eq!(serde_json::to_string(&more).unwrap(), text.replace("1.0}}", "1.0},\"more\":\"x\"}"));
    }
}
