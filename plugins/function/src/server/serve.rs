//! The server: hyper on one thread. It is like the host's server for components, so that the two differ in the function
//! only.

use crate::listener::{Connection, Listener};
use function_core::State;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use tokio::task::LocalSet;

/// Upper bound of the bytes of a request body.
const BODY_BYTES_MAX: u64 = 1 << 20;

/// Serves until the process that started it exits, or accepting fails.
pub(crate) fn serve(listener: Listener, state: State) -> io::Result<()> {
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != parent {
        // The parent has exited before the signal was set up.
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let state = Rc::new(state);
    LocalSet::new().block_on(&runtime, async move {
        let listener = listener.listen()?;
        loop {
            let connection = listener.accept().await?;
            tokio::task::spawn_local(converse(connection, Rc::clone(&state)));
        }
    })
}

/// Serves the requests of one connection until it is closed.
async fn converse(connection: Box<dyn Connection>, state: Rc<State>) {
    let service = service_fn(move |request| answer(Rc::clone(&state), request));
    let served = http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(connection), service);
    // An error of one client must not affect others.
    let _ = served.await;
}

async fn answer(state: Rc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = |text: &str| text.as_bytes().to_vec();
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/healthz") => (StatusCode::OK, Vec::new()),
        (&Method::POST, "/") if request.body().size_hint().lower() > BODY_BYTES_MAX => {
            (StatusCode::PAYLOAD_TOO_LARGE, text("the body is too large"))
        }
        (&Method::POST, "/") => match Limited::new(request.into_body(), BODY_BYTES_MAX as usize).collect().await {
            Err(_) => (StatusCode::PAYLOAD_TOO_LARGE, text("the body is too large or incomplete")),
            Ok(body) => match state.handle(&body.to_bytes()) {
                Ok(answer) => (StatusCode::OK, answer),
                Err(refusal) => (StatusCode::BAD_REQUEST, refusal.to_json()),
            },
        },
        _ => (StatusCode::NOT_FOUND, text("POST to /, or GET /healthz")),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_core::{REQUEST, expected_response};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    /// Sends `input` in parts of `part` bytes, closes the connection, and returns the response.
    fn exchange(input: &[u8], part: usize) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            tokio::task::spawn_local(converse(Box::new(ours), Rc::new(State::initialise(1, 0))));
            for part in input.chunks(part) {
                // The server may have closed the connection already.
                let _ = theirs.write_all(part).await;
                tokio::task::yield_now().await;
            }
            let _ = theirs.shutdown().await;
            let mut answer = String::new();
            theirs.read_to_string(&mut answer).await.unwrap();
            answer
        })
    }

    #[track_caller]
    fn check(input: &[u8], status: &str, ending: &str) {
        for part in [input.len(), 7] {
            let answer = exchange(input, part);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
            assert!(answer.ends_with(ending), "{answer}");
        }
    }

    fn post(body: &[u8]) -> Vec<u8> {
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    #[test]
    fn requests_are_answered() {
        let expected = String::from_utf8(expected_response()).unwrap();
        check(&post(REQUEST), "200 OK", &expected);
        check(b"GET /healthz HTTP/1.1\r\n\r\n", "200 OK", "content-length: 0\r\n\r\n");
        check(b"GET / HTTP/1.1\r\n\r\n", "404 Not Found", "/healthz");
        check(&post(b"{}"), "400 Bad Request", "}");
    }

    #[test]
    fn two_requests_in_one_part_have_two_answers() {
        assert_eq!(exchange(&post(REQUEST).repeat(2), usize::MAX).matches("200 OK").count(), 2);
    }

    #[test]
    fn a_malformed_request_is_refused() {
        check(b"hello\r\n\r\n", "400 Bad Request", "\r\n\r\n");
        check(b"POST / HTTP/1.1\r\ncontent-length: 9999999\r\n\r\n", "413 Payload Too Large", "too large");
    }
}
