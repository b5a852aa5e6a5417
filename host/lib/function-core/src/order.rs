//! An order: parsing it from JSON, and why it may be refused.

use serde_core::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 64;

/// Characters of a stock number.
const SKU_CHARS_MAX: usize = 32;

/// Items of an order.
const ITEMS_MAX: usize = 1_000;

/// Pieces of one item.
const QUANTITY_MAX: u64 = 1_000;

/// Price of one piece: with the largest quantity, a total is still an exact number in JavaScript.
const PRICE_CENTS_MAX: u64 = 10_000_000;

/// Why a request is answered with status 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRequest {
    reason: String,
}

impl BadRequest {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// The answer's body: `{"error": reason}`.
    pub fn to_json(&self) -> Vec<u8> {
        let mut body = Map::new();
        body.insert("error".to_owned(), Value::from(self.reason.as_str()));
        Value::Object(body).to_string().into_bytes()
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for BadRequest {}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) items: Vec<Item<'a>>,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) sku: Cow<'a, str>,
    pub(crate) quantity: u64,
    pub(crate) price_cents: u64,
}

impl<'a> Order<'a> {
    /// Parses and validates. Unknown fields are ignored.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, BadRequest> {
        match Self::parse_plain(body) {
            Some(order) => Ok(order),
            None => Self::parse_any(body),
        }
    }

    /// Parses a valid order without unknown fields and escapes, whose texts are borrowed. `None` for any other body.
    fn parse_plain(body: &'a [u8]) -> Option<Self> {
        let order: Self = serde_json::from_slice(body).ok()?;
        (is_name(&order.name) && is_within(order.items.len()) && order.items.iter().all(Item::is_valid))
            .then_some(order)
    }

    /// Parses any body into a tree, which tells what is wrong with it.
    fn parse_any(body: &[u8]) -> Result<Self, BadRequest> {
        let body: Value =
            serde_json::from_slice(body).map_err(|error| BadRequest::new(format!("the body is not JSON: {error}")))?;
        let name = body.get("name").and_then(Value::as_str).filter(|name| is_name(name));
        let name = name.ok_or_else(|| BadRequest::new("`name` must be a text of 1 to 64 printable characters"))?;
        let items = body.get("items").and_then(Value::as_array).filter(|items| is_within(items.len()));
        let items = items.ok_or_else(|| BadRequest::new("`items` must be a list of 1 to 1000 items"))?;
        let items = items
            .iter()
            .enumerate()
            .map(|(index, item)| Item::read(item).map_err(|reason| BadRequest::new(format!("item {index}: {reason}"))));
        Ok(Self { name: name.to_owned().into(), items: items.collect::<Result<_, _>>()? })
    }
}

impl Item<'_> {
    fn read(item: &Value) -> Result<Self, &'static str> {
        let sku = item.get("sku").and_then(Value::as_str).filter(|sku| is_sku(sku));
        let number = |name| item.get(name).and_then(Value::as_u64);
        Ok(Self {
            sku: sku.ok_or("`sku` must be 1 to 32 letters, digits and dashes")?.to_owned().into(),
            quantity: number("quantity").filter(|n| is_quantity(*n)).ok_or("`quantity` must be 1 to 1000")?,
            price_cents: number("price_cents").filter(|n| is_price(*n)).ok_or("`price_cents` must be 0 to 10000000")?,
        })
    }

    fn is_valid(&self) -> bool {
        is_sku(&self.sku) && is_quantity(self.quantity) && is_price(self.price_cents)
    }
}

impl<'de> Deserialize<'de> for Order<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrderVisitor)
    }
}

struct OrderVisitor;

impl<'de> Visitor<'de> for OrderVisitor {
    type Value = Order<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an order")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Order<'de>, A::Error> {
        let (mut name, mut items) = (None, None);
        while let Some(field) = map.next_key::<&'de str>()? {
            match field {
                "name" => name = Some(map.next_value::<&'de str>()?),
                "items" => items = Some(map.next_value()?),
                _ => return Err(A::Error::custom("an unknown field")),
            }
        }
        let order = name.zip(items).map(|(name, items)| Order { name: Cow::Borrowed(name), items });
        order.ok_or_else(|| A::Error::custom("a missing field"))
    }
}

impl<'de> Deserialize<'de> for Item<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item<'de>, A::Error> {
        let (mut sku, mut quantity, mut price_cents) = (None, None, None);
        while let Some(field) = map.next_key::<&'de str>()? {
            match field {
                "sku" => sku = Some(map.next_value::<&'de str>()?),
                "quantity" => quantity = Some(map.next_value()?),
                "price_cents" => price_cents = Some(map.next_value()?),
                _ => return Err(A::Error::custom("an unknown field")),
            }
        }
        match (sku, quantity, price_cents) {
            (Some(sku), Some(quantity), Some(price_cents)) => {
                Ok(Item { sku: Cow::Borrowed(sku), quantity, price_cents })
            }
            _ => Err(A::Error::custom("a missing field")),
        }
    }
}

fn is_name(name: &str) -> bool {
    let chars = name.chars().count();
    (1..=NAME_CHARS_MAX).contains(&chars) && !name.chars().any(char::is_control)
}

fn is_sku(sku: &str) -> bool {
    (1..=SKU_CHARS_MAX).contains(&sku.len()) && sku.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_quantity(quantity: u64) -> bool {
    (1..=QUANTITY_MAX).contains(&quantity)
}

fn is_price(cents: u64) -> bool {
    cents <= PRICE_CENTS_MAX
}

fn is_within(items: usize) -> bool {
    (1..=ITEMS_MAX).contains(&items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::REQUEST;

    /// Expects that a body which is parsed without a tree is the same order with one, and that it is parsed so.
    #[track_caller]
    fn check(body: &[u8], is_plain: bool) {
        let plain = Order::parse_plain(body);
        assert_eq!(plain.is_some(), is_plain, "{}", String::from_utf8_lossy(body));
        if let Some(order) = plain {
            assert_eq!(Order::parse_any(body), Ok(order), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn order_is_the_same_without_a_tree() {
        check(REQUEST, true);
        check(r#"{"items":[{"price_cents":0,"quantity":1,"sku":"a"}],"name":"x","name":"Größe"}"#.as_bytes(), true);
        for body in [
            r#"["Ada",[["a",1,1]]]"#,
            r#"{"name":"A\u0064a","items":[{"sku":"a","quantity":1,"price_cents":1}]}"#,
            r#"{"name":"Ada","items":[["a",1,1]]}"#,
            r#"{"name":"Ada","items":[{"sku":"a","quantity":1,"price_cents":1,"colour":"red"}]}"#,
            r#"{"name":"Ada","items":[{"sku":"a","quantity":1.0,"price_cents":1}]}"#,
            r#"{"name":"Ada","items":[{"sku":"a","quantity":-0,"price_cents":1}]}"#,
            r#"{"name":"Ada","items":[{"sku":"a","quantity":1,"price_cents":1}]} x"#,
        ] {
            check(body.as_bytes(), false);
        }
    }

    #[test]
    fn changed_byte_leaves_the_order_the_same_without_a_tree() {
        for at in 0..REQUEST.len() {
            for byte in *b"\0\"\\{}[],:-.09eEx \n\xc3\xff" {
                let mut body = REQUEST.to_vec();
                body[at] = byte;
                if let Some(order) = Order::parse_plain(&body) {
                    assert_eq!(Order::parse_any(&body), Ok(order), "{}", String::from_utf8_lossy(&body));
                }
            }
        }
    }
}
