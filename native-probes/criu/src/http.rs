//! The subset of HTTP/1.1 that this probe's client and server need: a head, a content length and a body.

use std::io::{self, Read};

/// Upper bound of the bytes of a head.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// Upper bound of the bytes of a body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The first line of the head.
    pub(crate) line: String,
    pub(crate) body: Vec<u8>,
}

/// The part of a message that has arrived.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
}

impl Incoming {
    /// Reads once; `false` at the end of the stream.
    pub(crate) fn fill(&mut self, stream: &mut impl Read) -> io::Result<bool> {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk)?;
        self.bytes.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    /// Takes a complete message; bytes after it are kept.
    pub(crate) fn take(&mut self) -> io::Result<Option<Message>> {
        const END: &[u8] = b"\r\n\r\n";
        let Some(head) = self.bytes.windows(END.len()).position(|window| window == END) else {
            return if self.bytes.len() > HEAD_BYTES_MAX {
                Err(wrong("an HTTP head that is too long"))
            } else {
                Ok(None)
            };
        };
        let text = std::str::from_utf8(&self.bytes[..head]).map_err(|_| wrong("an HTTP head that is not UTF-8"))?;
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let length =
            lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = match length {
            None => 0,
            Some((_, value)) => value.trim().parse().map_err(|_| wrong("a content-length that is not a number"))?,
        };
        if length > BODY_BYTES_MAX {
            return Err(wrong("a body larger than 1 MiB"));
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

/// A response that carries JSON; `status` is the code and the reason phrase.
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
    fn messages_in_pieces_are_taken_one_by_one() {
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
    fn a_malformed_message_is_refused() {
        for text in ["HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "a\r\nContent-Length: 9999999\r\n\r\n"] {
            let mut incoming = Incoming::default();
            incoming.fill(&mut text.as_bytes()).unwrap();
            assert!(incoming.take().is_err(), "{text}");
        }
    }
}
