//! The function behind `wasi:http/incoming-handler`: reads the body of a request and sends the response.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::StreamError;

/// Upper bound of the bytes of a request's body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Bytes of one read, and the most bytes that one write may have.
const READ_BYTES: u64 = 1 << 16;
const WRITE_BYTES_MAX: usize = 4096;

struct Handler;

impl Guest for Handler {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let (status, answer) = match (request.method(), body(&request)) {
            (Method::Post, Some(body)) => crate::respond(&body),
            (Method::Post, None) => (413, b"the body is too large or incomplete".to_vec()),
            _ => (405, b"use POST".to_vec()),
        };
        send(response, status, &answer);
    }
}

/// The body of a request; `None` if it is too large or incomplete.
fn body(request: &IncomingRequest) -> Option<Vec<u8>> {
    let incoming = request.consume().ok()?;
    let stream = incoming.stream().ok()?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(part) => body.extend_from_slice(&part),
            Err(StreamError::Closed) => return Some(body),
            Err(StreamError::LastOperationFailed(_)) => return None,
        }
        if body.len() > BODY_BYTES_MAX {
            return None;
        }
    }
}

/// Sends a response. Errors are ignored, because they mean that the client is gone.
fn send(outparam: ResponseOutparam, status: u16, body: &[u8]) {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
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
