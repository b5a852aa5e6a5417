//! Values and arguments: a JSON scalar, and an object that keeps its order.

use bench_model::{Arguments, Value};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A JSON scalar. An integer has no point, a decimal has one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ValueJson {
    /// `true`, `false`.
    Flag(bool),
    /// `64`.
    Integer(i64),
    /// `1.5`.
    Decimal(f64),
    /// `"name"`.
    Text(String),
}

impl From<&Value> for ValueJson {
    fn from(value: &Value) -> Self {
        match value {
            Value::Flag(value) => Self::Flag(*value),
            Value::Integer(value) => Self::Integer(*value),
            Value::Decimal(value) => Self::Decimal(*value),
            Value::Text(value) => Self::Text(value.clone()),
        }
    }
}

impl From<ValueJson> for Value {
    fn from(value: ValueJson) -> Self {
        match value {
            ValueJson::Flag(value) => Self::Flag(value),
            ValueJson::Integer(value) => Self::Integer(value),
            ValueJson::Decimal(value) => Self::Decimal(value),
            ValueJson::Text(value) => Self::Text(value),
        }
    }
}

/// A JSON object of values, in the order of the arguments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArgumentsJson(pub Arguments);

impl Serialize for ArgumentsJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, &ValueJson::from(value))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ArgumentsJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = ArgumentsJson;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of scalars")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut arguments = Arguments::default();
                while let Some((name, value)) = map.next_entry::<String, ValueJson>()? {
                    arguments.set(name, value);
                }
                Ok(ArgumentsJson(arguments))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
