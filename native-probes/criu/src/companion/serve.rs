//! A small HTTP server for the function: one connection at a time, each kept alive until its client closes it.

use super::{DEEDS, ServerFault, end_with_parent, role, standard};
use crate::http::{self, Incoming, Message};
use function_core::State;
use std::io::{self, Write};
use std::os::unix::net::{UnixListener, UnixStream};

/// Initialises the function, and serves.
pub(super) fn run(options: &[&str]) -> io::Result<()> {
    if options.contains(&role::SESSION) {
        rustix::process::setsid()?;
    } else {
        end_with_parent()?;
    }
    let fault = DEEDS.iter().find(|(name, _)| options.contains(name)).map(|(_, fault)| *fault);
    let state = State::from_environment().map_err(io::Error::other)?;
    let listener: UnixListener = standard(0);
    loop {
        let (stream, _) = listener.accept()?;
        serve(stream, &state, fault);
        if fault == Some(ServerFault::Die) {
            return Ok(());
        }
    }
}

/// Serves one connection until it is closed. Errors are ignored: the client sees them.
pub(super) fn serve(mut stream: UnixStream, state: &State, fault: Option<ServerFault>) {
    let mut incoming = Incoming::default();
    loop {
        match incoming.take() {
            Ok(None) => match incoming.fill(&mut stream) {
                Ok(true) => {}
                Ok(false) | Err(_) => return,
            },
            Ok(Some(_)) if fault == Some(ServerFault::DieSilently) => std::process::exit(3),
            Ok(Some(request)) => {
                let response = respond(&request, state, fault);
                if stream.write_all(&response).is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

fn respond(request: &Message, state: &State, fault: Option<ServerFault>) -> Vec<u8> {
    let (method, path) = request.line.split_once(' ').unwrap_or_default();
    match (method, path.split(' ').next().unwrap_or_default()) {
        ("GET", "/healthz") => http::response("200 OK", b"{}"),
        ("POST", "/") if fault == Some(ServerFault::AnswerWrongly) => http::response("200 OK", b"{}"),
        ("POST", "/") => match state.handle(&request.body) {
            Ok(answer) => http::response("200 OK", &answer),
            Err(error) => http::response("400 Bad Request", &error.to_json()),
        },
        _ => http::response("404 Not Found", b"{\"error\":\"not found\"}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, body: &[u8], expect: &str) {
        let request = Message { line: line.to_owned(), body: body.to_vec() };
        let response = respond(&request, &State::initialise(0, 0), None);
        let mut incoming = Incoming::default();
        incoming.fill(&mut response.as_slice()).unwrap();
        assert_eq!(incoming.take().unwrap().unwrap().line, expect);
    }

    #[test]
    fn each_request_gets_its_status() {
        check("POST / HTTP/1.1", function_core::REQUEST, "HTTP/1.1 200 OK");
        check("POST / HTTP/1.1", b"[]", "HTTP/1.1 400 Bad Request");
        check("GET /healthz HTTP/1.1", b"", "HTTP/1.1 200 OK");
        check("PUT / HTTP/1.1", b"", "HTTP/1.1 404 Not Found");
        check("", b"", "HTTP/1.1 404 Not Found");
    }
}
