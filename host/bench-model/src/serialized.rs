//! Serde implementations that cannot be derived: types with a text form are serialized as text, and arguments as a map that keeps
//! their order.

use crate::{Arguments, Arm, Checksum, Direction, HostInterface, MachineLimit, Steadiness, Unit, Value};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Display, Formatter};
use std::marker::PhantomData;
use std::str::FromStr;

/// Serializes each type as the text that its `Display` prints and its `FromStr` parses.
macro_rules! as_text {
    ($($noun:ty: $what:literal),+ $(,)?) => {$(
        impl Serialize for $noun {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $noun {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text { what: $what, noun: PhantomData })
            }
        }
    )+};
}

as_text! {
    Arm: "an arm",
    Checksum: "a checksum",
    Direction: "a direction",
    HostInterface: "an interface of the host",
    MachineLimit: "a roofline",
    Steadiness: "a class of a series",
    Unit: "a unit",
}

struct Text<T> {
    what: &'static str,
    noun: PhantomData<T>,
}

impl<T: FromStr<Err: Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} as text", self.what)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

impl Serialize for Arguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Arguments;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("an object with scalar values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Arguments, A::Error> {
        let mut arguments = Arguments::default();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            arguments.set(name, value);
        }
        Ok(arguments)
    }
}
