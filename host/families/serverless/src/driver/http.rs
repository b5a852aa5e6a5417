//! HTTP/1.1 as the client speaks it: one known request, and whole answers whose length the head says.

use crate::functions::{ANSWER_BYTES_MAX, Answer, HttpRequest};

/// The header in which the client says when it sent the request, in nanoseconds of the worker's clock.
pub(super) const SENT: &str = "bench-sent";

/// Digits of that time: always as many, so that every request is as long.
const SENT_DIGITS: usize = 20;

/// The longest head that an answer may have.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// A request, of which only the time changes.
pub(super) struct RequestText {
    bytes: Vec<u8>,
    /// Where the time is.
    sent: usize,
}

impl RequestText {
    pub(super) fn new(request: &HttpRequest) -> Self {
        let HttpRequest { method, path, headers, body } = request;
        let head = format!("{method} {path} HTTP/1.1\r\nhost: function\r\n{SENT}: ");
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let rest = format!("\r\n{headers}content-length: {}\r\n\r\n", body.len());
        let sent = head.len();
        let bytes = [head.as_bytes(), &[b'0'; SENT_DIGITS], rest.as_bytes(), body].concat();
        Self { bytes, sent }
    }

    /// The whole request, sent at `ns`.
    pub(super) fn sent_at(&mut self, mut ns: u64) -> &[u8] {
        for digit in self.bytes[self.sent..self.sent + SENT_DIGITS].iter_mut().rev() {
            *digit = b'0' + (ns % 10) as u8;
            ns /= 10;
        }
        &self.bytes
    }
}

/// The answer at the beginning of `input` and how many bytes it has, if all of it is there; an error says what is wrong. One to a request
/// `HEAD` has no body, although it says the length of one.
pub(super) fn parse_answer(input: &[u8], is_head: bool) -> Result<Option<(Answer, usize)>, String> {
    let Some(head_bytes) = input.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else {
        return if input.len() > HEAD_BYTES_MAX { Err("the answer's head has no end".to_owned()) } else { Ok(None) };
    };
    let head = std::str::from_utf8(&input[..head_bytes]).map_err(|_| "the head of the response is not text")?;
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.ok_or_else(|| format!("`{first}` is not the first line of an HTTP/1.1 response"))?;
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.trim().parse::<usize>().ok());
    // RFC 9112, section 6.3.
    let length = if is_head || matches!(status, 100..200 | 204 | 304) { Some(0) } else { length };
    let length = length
        .filter(|length| *length <= ANSWER_BYTES_MAX)
        .ok_or("the answer does not say its length, or is longer than 64 MiB")?;
    let end = head_bytes + length;
    Ok(input.get(head_bytes..end).map(|body| (Answer { status, body: body.to_vec() }, end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Exchange;

    #[test]
    fn requests_differ_in_their_time_alone() {
        let mut request = RequestText::new(&HttpRequest { body: b"{}".to_vec(), ..Exchange::known().request });
        let at = |request: &mut RequestText, ns| String::from_utf8(request.sent_at(ns).to_vec()).unwrap();
        let (early, late) = (at(&mut request, 7), at(&mut request, u64::MAX));
        assert!(early.contains("bench-sent: 00000000000000000007\r\n"), "{early}");
        assert!(late.contains("bench-sent: 18446744073709551615\r\n"), "{late}");
        assert!(early.len() == late.len() && early.ends_with("content-length: 2\r\n\r\n{}"));
    }

    #[test]
    fn answers_are_whole_or_not_there() {
        let text = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1";
        let whole = text.len() - 8;
        for end in 0..whole {
            assert_eq!(parse_answer(&text[..end], false), Ok(None), "{end}");
        }
        let expect = Answer { status: 400, body: b"abc".to_vec() };
        assert_eq!(parse_answer(text, false), Ok(Some((expect, whole))));
    }

    #[test]
    fn answers_without_a_body_end_with_their_head() {
        let check = |head: &str, is_head: bool, status: u16| {
            let text = format!("HTTP/1.1 {head}\r\n\r\nHTTP/1.1 200");
            let expect = Answer { status, body: Vec::new() };
            assert_eq!(parse_answer(text.as_bytes(), is_head), Ok(Some((expect, text.len() - 12))), "{head}");
        };
        check("204 No Content", false, 204);
        check("304 Not Modified\r\netag: \"a\"\r\ncontent-length: 9", false, 304);
        check("200 OK\r\ncontent-length: 9", true, 200);
        check("200 OK", true, 200);
    }

    #[test]
    fn malformed_answer_is_refused_with_the_reason() {
        for (text, reason) in [
            ("SSH-2.0\r\n\r\n", "first line"),
            ("HTTP/1.1 200 OK\r\n\r\n", "length"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n", "length"),
        ] {
            assert!(parse_answer(text.as_bytes(), false).unwrap_err().contains(reason), "{text}");
        }
    }
}
