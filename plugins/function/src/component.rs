//! The function behind `wasi:http/incoming-handler`. It is initialised by its first request or before a snapshot.

use bench_plugin::Initialiser;
use function_core::State;
use std::cell::{Cell, OnceCell};
use std::sync::OnceLock;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::StreamError;

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

thread_local! {
    /// Whether this instance has answered a request.
    static IS_REUSED: Cell<bool> = const { Cell::new(false) };
    /// The headers of all responses but the first.
    static HEADERS: OnceCell<Fields> = const { OnceCell::new() };
}

fn function() -> &'static Result<State, String> {
    FUNCTION.get_or_init(State::from_environment)
}

struct Handler;

impl Initialiser for Handler {
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
        // What is there already is read by a call that cannot wait, which costs the host less.
        let read = match stream.read(READ_BYTES) {
            Ok(nothing) if nothing.is_empty() => stream.blocking_read(READ_BYTES),
            read => read,
        };
        match read {
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

/// The headers of a response. An instance that is used again has them in the host, and asks for a copy; one that answers its first request
/// may have no other, and making both would be a call more.
fn headers() -> Fields {
    let make = || {
        let headers = [("content-type".to_owned(), b"application/json".to_vec())];
        Fields::from_list(&headers).unwrap_or_else(|_| Fields::new())
    };
    if IS_REUSED.replace(true) { HEADERS.with(|headers| headers.get_or_init(make).clone()) } else { make() }
}

/// Sends the response. Errors are ignored, because they mean that the client is gone.
fn respond(outparam: ResponseOutparam, status: u16, body: &[u8]) {
    let response = OutgoingResponse::new(headers());
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
bench_plugin::export_initialiser!(Handler);
