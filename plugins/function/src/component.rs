//! The function behind `wasi:http/incoming-handler`. It is initialised by its first request or before a snapshot.

use function_core::State;
use std::sync::OnceLock;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::StreamError;

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit/function", world: "bench-host:function/function" });
}

/// Upper bound of the bytes of a request body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Upper bound of the bytes of one write to a stream.
const WRITE_BYTES_MAX: usize = 4096;

/// Bytes of one read.
const READ_BYTES: u64 = 1 << 16;

/// The status of a response that does not set one.
const STATUS_DEFAULT: u16 = 200;

/// The function, or the error of its environment variables.
static FUNCTION: OnceLock<Result<State, String>> = OnceLock::new();

fn function() -> &'static Result<State, String> {
    FUNCTION.get_or_init(State::from_environment)
}

struct Handler;

impl bindings::exports::bench_host::function::initialiser::Guest for Handler {
    fn initialise() {
        function();
    }
}

impl Guest for Handler {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let (status, body) = answer(&request);
        respond(response, status, &body);
    }
}

fn answer(request: &IncomingRequest) -> (u16, Vec<u8>) {
    let text = |text: &str| text.as_bytes().to_vec();
    match (request.method(), request.path_with_query().as_deref()) {
        (Method::Get, Some("/healthz")) => (200, Vec::new()),
        (Method::Post, Some("/")) => match (function(), body(request)) {
            (Err(reason), _) => (500, text(reason)),
            (_, None) => (413, text("the body is too large or incomplete")),
            (Ok(state), Some(body)) => state.respond(&body),
        },
        _ => (404, text("POST to /, or GET /healthz")),
    }
}

/// Reads the body of a request; `None` if it is too large or incomplete.
fn body(request: &IncomingRequest) -> Option<Vec<u8>> {
    let incoming = request.consume().ok()?;
    let stream = incoming.stream().ok()?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(part) if body.is_empty() => body = part,
            Ok(part) => body.extend_from_slice(&part),
            Err(StreamError::Closed) => return Some(body),
            Err(StreamError::LastOperationFailed(_)) => return None,
        }
        if body.len() > BODY_BYTES_MAX {
            return None;
        }
    }
}

/// Sends the response. Errors are ignored, because they mean that the client is gone.
fn respond(outparam: ResponseOutparam, status: u16, body: &[u8]) {
    let headers = [("content-type".to_owned(), b"application/json".to_vec())];
    let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap_or_else(|_| Fields::new()));
    // Skips a call of the host where the value is the default.
    if status != STATUS_DEFAULT {
        let _ = response.set_status_code(status);
    }
    let outgoing = response.body();
    ResponseOutparam::set(outparam, Ok(response));
    let Ok(outgoing) = outgoing else { return };
    if let Ok(stream) = outgoing.write() {
        for part in body.chunks(WRITE_BYTES_MAX) {
            if stream.blocking_write_and_flush(part).is_err() {
                return;
            }
        }
    }
    let _ = OutgoingBody::finish(outgoing, None);
}

wasip2::http::proxy::export!(Handler);
bindings::export!(Handler with_types_in bindings);
