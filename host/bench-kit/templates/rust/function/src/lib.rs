//! A function that answers requests. The host calls it in place, and starts the component and sends it requests over HTTP.

#[cfg(target_family = "wasm")]
mod http;

use bench_plugin::prelude::*;
use std::hint::black_box;

/// A request, and the response that it must have. It is written down here and not computed, so that a comparison finds an error.
const REQUEST: &str = "the quick brown fox jumps over the lazy dog";
const RESPONSE: &str = "brown dog fox jumps lazy over quick the the";

struct Words;

impl Plugin for Words {
    fn describe() -> Descriptor {
        let handle = Scenario::new("handle", "example", "Answers one request in place, without HTTP.");
        // The driver `handler` specifies the other parameters, the metrics, and what is timed.
        let over_http = |name: &str| {
            Scenario::uses("handler", name)
                .parameter(Parameter::new("method", "POST", ""))
                .parameter(Parameter::new("body", REQUEST, ""))
                .parameter(Parameter::new("expect", RESPONSE, ""))
        };
        Descriptor::new("{{name}}", env!("CARGO_PKG_VERSION"), "Sorts words.")
            .scenario(handle)
            .scenario(over_http("cold-start"))
            .scenario(over_http("request"))
    }

    fn open(scenario: &str, _arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        match scenario {
            "handle" => Ok(Box::new(Handle { response: (0, Vec::new()) })),
            other => Err(ModuleError::Unavailable(format!("`{other}` can only be run by the driver `handler`"))),
        }
    }
}

/// The function: the status and the body of the response to a `POST` of `body`. This is what to replace.
fn respond(body: &[u8]) -> (u16, Vec<u8>) {
    let Ok(text) = std::str::from_utf8(body) else { return (400, b"the body is not UTF-8".to_vec()) };
    let mut words: Vec<_> = text.split_whitespace().collect();
    words.sort_unstable();
    (200, words.join(" ").into_bytes())
}

/// Requests that are answered in place.
struct Handle {
    response: (u16, Vec<u8>),
}

impl Session for Handle {
    /// Timed: `times` operations and nothing else.
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            // Without `black_box` the compiler may answer all requests at once.
            self.response = black_box(respond(black_box(REQUEST.as_bytes())));
        }
        let (_, body) = &self.response;
        let checksum = body.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        Ok(Outcome { operations: times, bytes: times * REQUEST.len() as u64, checksum })
    }

    /// Compares the response with the known one. A figure counts only if this passes.
    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let (status, body) = &self.response;
        let found = String::from_utf8_lossy(body).into_owned();
        Ok(vec![Check::equal("status", &200, status), Check::equal("body", &RESPONSE.to_owned(), &found)])
    }
}

bench_plugin::export!(Words);
