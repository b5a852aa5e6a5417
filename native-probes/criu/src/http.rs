//! As much HTTP/1.1 as one client and one server need that know each other: a head, a length and a body. It must not know what
//! is asked, nor over which socket.

use std::io::{self, Read};

/// Bytes of a head; more is no message of ours.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// Bytes of a body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The first line of the head.
    pub(crate) line: String,
    pub(crate) body: Vec<u8>,
}

/// What of a message has arrived.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
}

impl Incoming {
    /// Reads once, as much as there is; `false` at the end of the stream.
    pub(crate) fn fill(&mut self, stream: &mut impl Read) -> io::Result<bool> {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk)?;
        self.bytes.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    /// The message, once it is whole; what follows it stays.
    pub(crate) fn take(&mut self) -> io::Result<Option<Message>> {
        const END: &[u8] = b"\r\n\r\n";
        let Some(head) = self.bytes.windows(END.len()).position(|window| window == END) else {
            return if self.bytes.len() > HEAD_BYTES_MAX { Err(wrong("a head without an end")) } else { Ok(None) };
        };
        let text = std::str::from_utf8(&self.bytes[..head]).map_err(|_| wrong("a head that is no text"))?;
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let length =
            lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = match length {
            None => 0,
            Some((_, value)) => value.trim().parse().map_err(|_| wrong("a length that is no number"))?,
        };
        if length > BODY_BYTES_MAX {
            return Err(wrong("a body of more than a mebibyte"));
        }
        let body = head + END.len();
        if self.bytes.len() < body + length {
            return Ok(None);
        }
        let message = Message { line, body: self.bytes[body..body + length].to_vec() };
        self.bytes.drain(..body + length);
        Ok(Some(message))
    }
}

/// A request that carries JSON.
pub(crate) fn request(body: &[u8]) -> Vec<u8> {
    message("POST / HTTP/1.1\r\nhost: function", body)
}

/// A response that carries JSON; `status` is the number and its words.
pub(crate) fn response(status: &str, body: &[u8]) -> Vec<u8> {
    message(&format!("HTTP/1.1 {status}"), body)
}

fn message(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{head}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_one_by_one_however_they_arrive() {
        let bytes = [request(b"{\"a\":1}"), response("200 OK", b"")].concat();
        for step in [1, 7, bytes.len()] {
            let mut incoming = Incoming::default();
            let mut taken = Vec::new();
            for mut chunk in bytes.chunks(step) {
                assert!(incoming.fill(&mut chunk).unwrap());
                while let Some(message) = incoming.take().unwrap() {
                    taken.push((message.line, message.body));
                }
            }
            let expect =
                [("POST / HTTP/1.1".to_owned(), b"{\"a\":1}".to_vec()), ("HTTP/1.1 200 OK".to_owned(), Vec::new())];
            assert_eq!(taken, expect, "{step}");
            assert!(!incoming.fill(&mut &b""[..]).unwrap());
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in ["HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "a\r\nContent-Length: 9999999\r\n\r\n"] {
            let mut incoming = Incoming::default();
            incoming.fill(&mut text.as_bytes()).unwrap();
            assert!(incoming.take().is_err(), "{text}");
        }
    }
}
