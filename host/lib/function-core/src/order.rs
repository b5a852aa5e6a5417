//! An order: parsing it from JSON, and why it may be refused.

use serde_json::{Map, Value};
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
pub(crate) struct Order {
    pub(crate) name: String,
    pub(crate) items: Vec<Item>,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) sku: String,
    pub(crate) quantity: u64,
    pub(crate) price_cents: u64,
}

impl Order {
    /// Parses and validates. Unknown fields are ignored.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BadRequest> {
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
        Ok(Self { name: name.to_owned(), items: items.collect::<Result<_, _>>()? })
    }
}

impl Item {
    fn read(item: &Value) -> Result<Self, &'static str> {
        let sku = item.get("sku").and_then(Value::as_str).filter(|sku| is_sku(sku));
        let number = |name, low, high| item.get(name).and_then(Value::as_u64).filter(|n| (low..=high).contains(n));
        Ok(Self {
            sku: sku.ok_or("`sku` must be 1 to 32 letters, digits and dashes")?.to_owned(),
            quantity: number("quantity", 1, QUANTITY_MAX).ok_or("`quantity` must be 1 to 1000")?,
            price_cents: number("price_cents", 0, PRICE_CENTS_MAX).ok_or("`price_cents` must be 0 to 10000000")?,
        })
    }
}

fn is_name(name: &str) -> bool {
    let chars = name.chars().count();
    (1..=NAME_CHARS_MAX).contains(&chars) && !name.chars().any(char::is_control)
}

fn is_sku(sku: &str) -> bool {
    (1..=SKU_CHARS_MAX).contains(&sku.len()) && sku.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_within(items: usize) -> bool {
    (1..=ITEMS_MAX).contains(&items)
}
