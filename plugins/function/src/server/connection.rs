//! HTTP/1.1 on one connection, as far as the function needs it: whole requests in, whole answers out, kept alive unless the
//! client says otherwise. It must not know how it is woken.

use crate::listener::Connection;
use function_core::State;
use std::io;

/// A larger head or body is refused.
const HEAD_BYTES_MAX: usize = 16 << 10;
const BODY_BYTES_MAX: usize = 1 << 20;

/// Read at once.
const READ_BYTES: usize = 16 << 10;

/// One client.
pub(crate) struct Client {
    connection: Box<dyn Connection>,
    /// What has come and is not answered.
    input: Vec<u8>,
    /// What could not be written yet.
    output: Vec<u8>,
    /// Whether it ends when everything is written.
    closes: bool,
}

/// The head of a request.
struct Head<'a> {
    method: &'a str,
    path: &'a str,
    /// Bytes of it, with the empty line.
    bytes: usize,
    body_bytes: usize,
    closes: bool,
}

impl Client {
    pub(crate) fn new(connection: Box<dyn Connection>) -> Self {
        Self { connection, input: Vec::new(), output: Vec::new(), closes: false }
    }

    pub(crate) fn connection(&self) -> &dyn Connection {
        self.connection.as_ref()
    }

    /// Whether there is something that could not be written yet.
    pub(crate) fn wants_to_write(&self) -> bool {
        !self.output.is_empty()
    }

    /// Reads, answers and writes what can be; returns whether the connection goes on.
    pub(crate) fn turn(&mut self, state: &State) -> io::Result<bool> {
        let ended = !self.closes && !self.read()?;
        while !self.closes && self.answer_one(state) {}
        self.write()?;
        Ok(!(ended || self.closes && self.output.is_empty()))
    }

    /// Reads what there is; false where the client has ended.
    fn read(&mut self) -> io::Result<bool> {
        loop {
            let len = self.input.len();
            self.input.resize(len + READ_BYTES, 0);
            let read = self.connection.read(&mut self.input[len..]);
            self.input.truncate(len + read.as_ref().map_or(0, |bytes| *bytes));
            match read {
                Ok(0) => return Ok(false),
                // A short read has emptied the socket, so asking again would be in vain.
                Ok(bytes) if bytes < READ_BYTES => return Ok(true),
                Ok(_) if self.input.len() > HEAD_BYTES_MAX + BODY_BYTES_MAX => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Answers the first request, if it is complete.
    fn answer_one(&mut self, state: &State) -> bool {
        let (taken, status, body) = match Head::parse(&self.input) {
            Ok(None) => return false,
            Err(status) => {
                self.closes = true;
                (self.input.len(), status, Vec::new())
            }
            Ok(Some(head)) => {
                let Some(body) = self.input.get(head.bytes..head.bytes + head.body_bytes) else { return false };
                let (status, answer) = answer(state, head.method, head.path, body);
                let (taken, closes) = (head.bytes + head.body_bytes, head.closes);
                self.closes = closes;
                (taken, status, answer)
            }
        };
        self.input.drain(..taken);
        let connection = if self.closes { "connection: close\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{connection}content-length: {}\r\n\r\n",
            body.len()
        );
        self.output.extend_from_slice(head.as_bytes());
        self.output.extend_from_slice(&body);
        true
    }

    fn write(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match self.connection.write(&self.output) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.output.drain(..written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn answer(state: &State, method: &str, path: &str, body: &[u8]) -> (&'static str, Vec<u8>) {
    match (method, path) {
        ("GET", "/healthz") => ("200 OK", Vec::new()),
        ("POST", "/") => match state.handle(body) {
            Ok(answer) => ("200 OK", answer),
            Err(refusal) => ("400 Bad Request", refusal.to_json()),
        },
        _ => ("404 Not Found", b"POST to /, or GET /healthz".to_vec()),
    }
}

impl<'a> Head<'a> {
    /// The head at the beginning of `input`, if all of it is there; the status of a refusal where it is none.
    fn parse(input: &'a [u8]) -> Result<Option<Self>, &'static str> {
        let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") else {
            return if input.len() > HEAD_BYTES_MAX { Err("431 Request Header Fields Too Large") } else { Ok(None) };
        };
        let bad = "400 Bad Request";
        let mut lines = std::str::from_utf8(&input[..end]).map_err(|_| bad)?.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(path), Some("HTTP/1.1"), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(bad);
        };
        let mut head = Self { method, path, bytes: end + 4, body_bytes: 0, closes: false };
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(bad)?;
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.body_bytes = value.parse().map_err(|_| bad)?;
            } else if name.eq_ignore_ascii_case("connection") {
                head.closes = value.eq_ignore_ascii_case("close");
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                return Err("501 Not Implemented");
            }
        }
        if head.body_bytes > BODY_BYTES_MAX { Err("413 Content Too Large") } else { Ok(Some(head)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_core::{REQUEST, expected_response};
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    /// What a client that sends `input` in parts of `part` bytes is answered, and whether the connection goes on.
    fn exchange(input: &[u8], part: usize) -> (String, bool) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut client = Client::new(Box::new(ours));
        let state = State::initialise(1, 0);
        let mut goes_on = true;
        for part in input.chunks(part) {
            theirs.write_all(part).unwrap();
            goes_on = client.turn(&state).unwrap();
        }
        drop(client);
        let mut answer = String::new();
        theirs.read_to_string(&mut answer).unwrap();
        (answer, goes_on)
    }

    #[track_caller]
    fn check(input: &[u8], status: &str, ending: &str, expect_goes_on: bool) {
        for part in [input.len(), 7] {
            let (answer, goes_on) = exchange(input, part);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
            assert!(answer.ends_with(ending), "{answer}");
            assert_eq!(goes_on, expect_goes_on, "{answer}");
        }
    }

    fn post(body: &[u8], headers: &str) -> Vec<u8> {
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    #[test]
    fn requests_are_answered() {
        let expected = String::from_utf8(expected_response()).unwrap();
        check(&post(REQUEST, ""), "200 OK", &expected, true);
        check(&post(REQUEST, "Connection: close\r\n"), "200 OK", &expected, false);
        check(b"GET /healthz HTTP/1.1\r\n\r\n", "200 OK", "content-length: 0\r\n\r\n", true);
        check(b"GET / HTTP/1.1\r\n\r\n", "404 Not Found", "/healthz", true);
        check(&post(b"{}", ""), "400 Bad Request", "}", true);
    }

    #[test]
    fn two_requests_in_one_part_have_two_answers() {
        let (answer, goes_on) = exchange(&post(REQUEST, "").repeat(2), usize::MAX);
        assert_eq!((answer.matches("200 OK").count(), goes_on), (2, true));
    }

    #[test]
    fn what_is_no_request_ends_the_connection() {
        check(b"hello\r\n\r\n", "400 Bad Request", "\r\n\r\n", false);
        check(b"POST / HTTP/1.1\r\ncontent-length: 9999999\r\n\r\n", "413 Content Too Large", "\r\n\r\n", false);
        check(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", "501 Not Implemented", "\r\n\r\n", false);
    }
}
