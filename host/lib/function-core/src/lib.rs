//! The function that every start and call is measured with: an order as JSON in, priced lines and a digest as JSON out, after
//! an initialisation of configurable size and length.
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
/// It is a constant and not computed, so that a comparison also finds an error that all builds share.
pub const EXPECTED_RESPONSE: &[u8] = br#"{"digest":"89311d140e27a9782a6ccdec78a4e59dfe0a63079b3d8c398d9f624551c6ab32","greeting":"Hello, Ada: 3 lines, 6038 cents","lines":["40 x BOLT-M8 at 35, less 2 %: 1372","40 x NUT-M8 at 12, less 6 %: 451","3 x PLATE-20 at 1899, less 26 %: 4215"],"total_cents":6038}"#;

/// [`EXPECTED_RESPONSE`], owned.
pub fn expected_response() -> Vec<u8> {
    EXPECTED_RESPONSE.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_does_not_depend_on_the_initialisation() {
        for (heap_bytes, init_ms) in [(0, 0), (1, 2), (1 << 20, 0), ((1 << 20) + 4097, 1)] {
            let state = State::initialise(heap_bytes, init_ms);
            let answer = state.handle(REQUEST).unwrap();
            assert_eq!(answer, EXPECTED_RESPONSE, "{heap_bytes} {init_ms}: {}", String::from_utf8_lossy(&answer));
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
    fn invalid_order_is_refused_with_a_reason() {
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
