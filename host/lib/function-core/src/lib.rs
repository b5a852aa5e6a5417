//! The function that every way of starting and calling is measured with: an order as JSON in, priced lines and a digest as JSON
//! out, after an initialisation of a chosen size and length. It must not know how it is reached, nor by whom it is measured.
//!
//! The same function in other languages must answer byte for byte the same, so the arithmetic stays within 32-bit words and
//! whole numbers below 2^53.

mod order;
mod state;
mod template;

pub use order::BadRequest;
pub use state::{HEAP_BYTES, HEAP_BYTES_DEFAULT, INIT_MS, INIT_MS_DEFAULT, State};

/// A request whose answer is known.
pub const REQUEST: &[u8] = br#"{"name":"Ada","items":[{"sku":"BOLT-M8","quantity":40,"price_cents":35},{"sku":"NUT-M8","quantity":40,"price_cents":12},{"sku":"PLATE-20","quantity":3,"price_cents":1899}]}"#;

/// The answer to [`REQUEST`], which depends neither on the heap's size nor on the length of the initialisation.
///
/// It is written down and not computed: whoever compares with it also finds a handler that is wrong in every build alike.
pub fn expected_response() -> Vec<u8> {
    EXPECTED.as_bytes().to_vec()
}

const EXPECTED: &str = r#"{"digest":"89311d140e27a9782a6ccdec78a4e59dfe0a63079b3d8c398d9f624551c6ab32","greeting":"Hello, Ada: 3 lines, 6038 cents","lines":["40 x BOLT-M8 at 35, less 2 %: 1372","40 x NUT-M8 at 12, less 6 %: 451","3 x PLATE-20 at 1899, less 26 %: 4215"],"total_cents":6038}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_known_one_whatever_the_initialisation() {
        for (heap_bytes, init_ms) in [(0, 0), (1, 2), (1 << 20, 0), ((1 << 20) + 4097, 1)] {
            let state = State::initialise(heap_bytes, init_ms);
            let answer = state.handle(REQUEST).unwrap();
            assert_eq!(String::from_utf8(answer).unwrap(), EXPECTED, "{heap_bytes} {init_ms}");
        }
    }

    /// Expects a refusal whose reason contains `expect`.
    #[track_caller]
    fn refused(body: &str, expect: &str) {
        let error = State::initialise(0, 0).handle(body.as_bytes()).expect_err("it is refused");
        assert!(error.to_string().contains(expect), "{error}");
        let json: serde_json::Value = serde_json::from_slice(&error.to_json()).unwrap();
        assert_eq!(json["error"].as_str(), Some(error.to_string().as_str()));
    }

    #[test]
    fn what_is_no_order_is_refused_with_a_reason() {
        refused("", "JSON");
        refused("[]", "`name`");
        refused(r#"{"name":"","items":[]}"#, "`name`");
        refused("{\"name\":\"a\\nb\",\"items\":[]}", "`name`");
        refused(r#"{"name":"Ada"}"#, "`items`");
        refused(r#"{"name":"Ada","items":[]}"#, "`items`");
        let item = |sku: &str, quantity: &str, price: &str| {
            format!(r#"{{"name":"Ada","items":[{{"sku":{sku},"quantity":{quantity},"price_cents":{price}}}]}}"#)
        };
        refused(&item(r#""B 8""#, "1", "1"), "item 0: `sku`");
        refused(&item(r#""B""#, "0", "1"), "item 0: `quantity`");
        refused(&item(r#""B""#, "1.5", "1"), "item 0: `quantity`");
        refused(&item(r#""B""#, "1", "-1"), "item 0: `price_cents`");
        refused(&item(r#""B""#, "1", "10000001"), "item 0: `price_cents`");
    }
}
