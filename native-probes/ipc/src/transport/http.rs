//! HTTP/1.1 and JSON over a keep-alive connection: the parent is a client that posts each message and reads the
//! response, the peer is the server. Both sides format and parse complete heads and bodies.
//!
//! JSON has no type for bytes, so a message is sent in base64, which is a third longer.

use super::{Fault, Link, Setup, Transport, broken, tcp, unix, write_all};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bench_model::ModuleError;
use ring_peer::Watch;
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketType, recv, send};
use serde::{Deserialize, Serialize};
use std::io::Write;

/// Upper bound of the bytes of a head.
const HEAD_BYTES_MAX: usize = 4096;
const HEADERS_MAX: usize = 16;
/// Upper bound of the bytes around the payload in a body.
const BODY_FRAME_BYTES_MAX: usize = 64;

/// The body of a request or a response.
#[derive(Serialize, Deserialize)]
struct Body<'a> {
    /// The message in base64.
    payload: &'a str,
}

struct Ends {
    parent: OwnedFd,
    peer: OwnedFd,
    message_max: usize,
}

/// Over loopback TCP without Nagle's algorithm.
pub(crate) struct OverTcp(Ends);

/// Over a Unix stream.
pub(crate) struct OverUnix(Ends);

impl Link for OverTcp {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let (parent, peer) = tcp::pair()?;
        Ok(Self(Ends { parent: parent.into(), peer: peer.into(), message_max: setup.message_max }))
    }

    fn parent(self, _: Watch) -> Result<Side, Fault> {
        Ok(Side::new(Role::Client, self.0.parent, self.0.message_max))
    }

    fn peer(self) -> Result<Side, Fault> {
        Ok(Side::new(Role::Server, self.0.peer, self.0.message_max))
    }
}

impl Link for OverUnix {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let (parent, peer) = unix::pair(SocketType::STREAM)?;
        Ok(Self(Ends { parent, peer, message_max: setup.message_max }))
    }

    fn parent(self, _: Watch) -> Result<Side, Fault> {
        Ok(Side::new(Role::Client, self.0.parent, self.0.message_max))
    }

    fn peer(self) -> Result<Side, Fault> {
        Ok(Side::new(Role::Server, self.0.peer, self.0.message_max))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Client,
    Server,
}

pub(crate) struct Side {
    role: Role,
    socket: OwnedFd,
    /// Received bytes, from the start of a message.
    input: Vec<u8>,
    filled: usize,
    payload: Vec<u8>,
    output: Output,
}

/// Buffers for writing, reused so that sending allocates nothing.
struct Output {
    encoded: String,
    body: Vec<u8>,
    message: Vec<u8>,
}

/// The range of the body of a received message.
struct Span {
    start: usize,
    end: usize,
}

impl Side {
    fn new(role: Role, socket: OwnedFd, message_max: usize) -> Self {
        let body_max = message_max.div_ceil(3) * 4 + BODY_FRAME_BYTES_MAX;
        let output = Output {
            encoded: String::with_capacity(body_max),
            body: Vec::with_capacity(body_max),
            message: Vec::with_capacity(body_max + HEAD_BYTES_MAX),
        };
        let input = vec![0; HEAD_BYTES_MAX + body_max];
        Self { role, socket, input, filled: 0, payload: vec![0; message_max + 3], output }
    }

    /// Receives until a head and its body are complete.
    fn fill(&mut self) -> Result<Span, Fault> {
        let mut head = None;
        loop {
            if head.is_none() {
                head = parse(self.role, &self.input[..self.filled])?;
            }
            match head {
                Some((start, length)) if length > self.input.len() - start => {
                    return Err(Fault::Protocol("an HTTP body is too long for a message"));
                }
                Some((start, length)) if start + length <= self.filled => {
                    return Ok(Span { start, end: start + length });
                }
                None if self.filled >= HEAD_BYTES_MAX => return Err(Fault::Protocol("an HTTP head is too long")),
                _ => self.read_more()?,
            }
        }
    }

    fn read_more(&mut self) -> Result<(), Fault> {
        loop {
            match recv(&self.socket, &mut self.input[self.filled..], RecvFlags::empty()) {
                Ok((_, 0)) => return Err(Fault::Closed),
                Ok((_, bytes)) => {
                    self.filled += bytes;
                    return Ok(());
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(broken("recv")(errno)),
            }
        }
    }

    fn take(&mut self, len: usize) -> Result<(), Fault> {
        let Span { start, end } = self.fill()?;
        let body: Body<'_> = serde_json::from_slice(&self.input[start..end])
            .map_err(|_| Fault::Protocol("a body is not the JSON of a message"))?;
        let decoded = BASE64.decode_slice(body.payload, &mut self.payload);
        let decoded = decoded.map_err(|_| Fault::Protocol("the payload is not base64, or too long"))?;
        if decoded != len {
            return Err(Fault::Protocol("received a message of unexpected length"));
        }
        // Bytes after this message belong to the next one.
        self.input.copy_within(end..self.filled, 0);
        self.filled -= end;
        Ok(())
    }
}

/// Start and length of the body, once the head is complete.
fn parse(role: Role, received: &[u8]) -> Result<Option<(usize, usize)>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let malformed = |_| Fault::Protocol("an HTTP head is malformed");
    let (status, headers) = match role {
        Role::Server => {
            let mut request = httparse::Request::new(&mut headers);
            let status = request.parse(received).map_err(malformed)?;
            if status.is_complete() && (request.method, request.path) != (Some("POST"), Some("/message")) {
                return Err(Fault::Protocol("a request is not POST /message"));
            }
            (status, &*request.headers)
        }
        Role::Client => {
            let mut response = httparse::Response::new(&mut headers);
            let status = response.parse(received).map_err(malformed)?;
            if status.is_complete() && response.code != Some(200) {
                return Err(Fault::Protocol("the response is not 200 OK"));
            }
            (status, &*response.headers)
        }
    };
    let httparse::Status::Complete(start) = status else { return Ok(None) };
    let field = |name: &str| {
        let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    if field("content-type") != Some("application/json") {
        return Err(Fault::Protocol("a body is not application/json"));
    }
    match field("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => Ok(Some((start, length))),
        None => Err(Fault::Protocol("an HTTP head has no Content-Length")),
    }
}

impl Output {
    /// The whole request or response that carries `payload`.
    fn write(&mut self, role: Role, payload: &[u8]) -> Result<&[u8], Fault> {
        self.encoded.clear();
        BASE64.encode_string(payload, &mut self.encoded);
        self.body.clear();
        serde_json::to_writer(&mut self.body, &Body { payload: &self.encoded })
            .map_err(|_| Fault::Protocol("cannot format a message as JSON"))?;
        let start = match role {
            Role::Client => "POST /message HTTP/1.1\r\nHost: localhost",
            Role::Server => "HTTP/1.1 200 OK",
        };
        self.message.clear();
        let length = self.body.len();
        write!(self.message, "{start}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n")
            .map_err(|_| Fault::Protocol("cannot format an HTTP head"))?;
        self.message.extend_from_slice(&self.body);
        Ok(&self.message)
    }
}

impl Transport for Side {
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        let message = self.output.write(self.role, message)?;
        write_all("send", message, |bytes| send(&self.socket, bytes, SendFlags::NOSIGNAL))
    }

    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        match self.take(len) {
            Ok(()) => Ok(read(&self.payload[..len])),
            Err(fault) => {
                if self.role == Role::Server && matches!(fault, Fault::Protocol(_)) {
                    let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    // The first fault is reported; a client that is gone needs no response.
                    let _ = send(&self.socket, refusal, SendFlags::NOSIGNAL);
                }
                Err(fault)
            }
        }
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.socket.as_raw_fd()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides() -> (Side, Side) {
        let (client, server) = unix::pair(SocketType::STREAM).unwrap();
        (Side::new(Role::Client, client, 64), Side::new(Role::Server, server, 64))
    }

    /// The error of the server for `request`, and whether the response was 400.
    fn check(request: &[u8], expect: &str) {
        let (client, mut server) = sides();
        send(&client.socket, request, SendFlags::NOSIGNAL).unwrap();
        rustix::net::shutdown(&client.socket, rustix::net::Shutdown::Write).unwrap();
        let fault = server.receive(3, <[u8]>::to_vec).unwrap_err();
        assert!(fault.to_string().contains(expect), "{fault}");
        if matches!(fault, Fault::Protocol(_)) {
            let mut client = client;
            assert_eq!(client.receive(3, |_| ()).unwrap_err().to_string(), "the response is not 200 OK");
        }
    }

    #[test]
    fn round_trips_work_with_split_and_joined_messages() {
        let (mut client, mut server) = sides();
        for len in [0, 1, 2, 3, 64] {
            let message: Vec<u8> = (0..len).collect();
            client.send(&message).unwrap();
            client.send(&message).unwrap();
            for _ in 0..2 {
                assert_eq!(server.receive(message.len(), <[u8]>::to_vec).unwrap(), message);
            }
            server.send(&message).unwrap();
            assert_eq!(client.receive(message.len(), <[u8]>::to_vec).unwrap(), message);
        }
        let request = client.output.write(Role::Client, b"abc").unwrap().to_vec();
        let sender = std::thread::spawn(move || {
            for byte in request {
                send(&client.socket, &[byte], SendFlags::NOSIGNAL).unwrap();
            }
        });
        assert_eq!(server.receive(3, <[u8]>::to_vec).unwrap(), b"abc");
        sender.join().unwrap();
    }

    #[test]
    fn a_malformed_request_is_refused() {
        let head = "POST /message HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ";
        check(b"\x00\r\n\r\n", "malformed");
        check(b"GET /message HTTP/1.1\r\n\r\n", "not POST /message");
        check(b"POST /message HTTP/1.1\r\nContent-Type: application/json\r\n\r\n", "no Content-Length");
        check(b"POST /message HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "not application/json");
        check(format!("{head}99999\r\n\r\n").as_bytes(), "too long for a message");
        check(format!("{head}-1\r\n\r\n").as_bytes(), "no Content-Length");
        check(format!("{head}2\r\n\r\n{{}}").as_bytes(), "not the JSON of a message");
        check(format!("{head}15\r\n\r\n{{\"payload\":\"!\"}}").as_bytes(), "not base64");
        check(format!("{head}19\r\n\r\n{{\"payload\":\"AAAA\"}}x").as_bytes(), "not the JSON");
        check(format!("{head}18\r\n\r\n{{\"payload\":\"AAA=\"}}").as_bytes(), "unexpected length");
        check(&[b'a'; HEAD_BYTES_MAX], "is too long");
        check(format!("{head}18\r\n\r\n{{").as_bytes(), "closed the connection");
    }
}
