//! The request of a scenario and the response that it must have: those of the known function, or those of a component that was not
//! written for bench-host, whose first response is the one that all others must equal.

use crate::functions::{Answer, HttpRequest};
use crate::{request_file, spec};
use bench_model::{Arguments, Check, ModuleError};
use bench_sink::regular;
use function_core::{EXPECTED_RESPONSE, REQUEST};

/// A request and its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) request: HttpRequest,
    pub(crate) expected: Answer,
}

/// How much of a response is shown in a message.
const SHOWN_BYTES: usize = 200;

impl Exchange {
    /// The one that the known function is asked for.
    pub(crate) fn known() -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self {
            request: HttpRequest { method: "POST".to_owned(), path: "/".to_owned(), headers, body: REQUEST.to_vec() },
            expected: Answer { status: 200, body: EXPECTED_RESPONSE.to_vec() },
        }
    }

    /// The one that the `arguments` of the driver `handler` ask for, with the response that `call` gets. The check says whether it has
    /// the status and the body that the user expects.
    pub(crate) fn tried(
        arguments: &Arguments,
        call: impl FnOnce(&HttpRequest) -> Result<Answer, ModuleError>,
    ) -> Result<(Self, Check), ModuleError> {
        let request = request(arguments)?;
        let expected = call(&request)?;
        let check = check(arguments, &expected)?;
        Ok((Self { request, expected }, check))
    }

    /// Whether `answer` is the right one, without a word. Over HTTP, an answer to `HEAD` has no body, whatever the function makes.
    pub(crate) fn is_right(&self, answer: &Answer) -> bool {
        let Answer { status, body } = answer;
        let is_cut = || body.is_empty() && self.request.method == "HEAD";
        *status == self.expected.status && (*body == self.expected.body || is_cut())
    }

    /// The check that `answer` is the right one.
    pub(crate) fn check(&self, name: impl Into<String>, answer: &Answer) -> Check {
        Check::that(name, self.is_right(answer), difference(&self.expected, answer))
    }

    /// The bytes of both bodies.
    pub(crate) fn payload_bytes(&self) -> u64 {
        (self.request.body.len() + self.expected.body.len()) as u64
    }
}

fn difference(expected: &Answer, found: &Answer) -> String {
    format!("expected {:?}, found {:?}", shown(expected), shown(found))
}

/// The status and the body; of a body that is large or no text, the beginning, the length and the checksum.
fn shown(answer: &Answer) -> String {
    let Answer { status, body } = answer;
    let (begin, more) = if body.len() <= SHOWN_BYTES { (&body[..], "") } else { (&body[..SHOWN_BYTES], "…") };
    match std::str::from_utf8(begin) {
        Ok(text) if more.is_empty() => format!("{status} {text}"),
        _ => {
            let (text, checksum) = (String::from_utf8_lossy(begin), bench_sink::digest::checksum(body));
            format!("{status} {text}{more} ({} bytes, checksum {checksum})", body.len())
        }
    }
}

fn request(arguments: &Arguments) -> Result<HttpRequest, ModuleError> {
    match arguments.text(spec::REQUEST_FILE)? {
        "" => {}
        file => {
            let text = regular::read_whole(file.as_ref()).map_err(|error| error.to_string());
            let request = text.and_then(|text| request_file::parse(&text));
            return request.map_err(|reason| {
                ModuleError::InvalidArgument(format!(
                    "`{}`: {file}: {reason}; give a file that begins with a line such as `GET / HTTP/1.1`",
                    spec::REQUEST_FILE
                ))
            });
        }
    }
    let headers = arguments.text(spec::HEADERS)?.lines().filter(|line| !line.trim().is_empty());
    let headers = headers.map(request_file::header).collect::<Result<_, _>>();
    Ok(HttpRequest {
        method: arguments.text(spec::METHOD)?.to_owned(),
        path: arguments.text(spec::PATH)?.to_owned(),
        headers: headers.map_err(|reason| ModuleError::InvalidArgument(format!("`{}`: {reason}", spec::HEADERS)))?,
        body: arguments.text(spec::BODY)?.as_bytes().to_vec(),
    })
}

/// The check that the first response has the expected status and body.
fn check(arguments: &Arguments, answer: &Answer) -> Result<Check, ModuleError> {
    let status = arguments.integer(spec::STATUS)?;
    if i64::from(answer.status) != status {
        let detail = format!("expected status {status}, found {}; give -p status=… if that is right", shown(answer));
        return Ok(Check::that(spec::FIRST_RESPONSE, false, detail));
    }
    let expected = match arguments.text(spec::EXPECT)? {
        "" => return Ok(Check::that(spec::FIRST_RESPONSE, true, shown(answer))),
        text => match text.strip_prefix('@') {
            Some(file) => regular::read_whole(file.as_ref())
                .map_err(|error| ModuleError::Unavailable(format!("`{}`: {file}: {error}", spec::EXPECT)))?,
            None => text.as_bytes().to_vec(),
        },
    };
    let expected = Answer { status: answer.status, body: expected };
    Ok(Check::that(spec::FIRST_RESPONSE, expected == *answer, difference(&expected, answer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_compared_too() {
        let answer = |body: &[u8]| Answer { status: 200, body: body.to_vec() };
        let exchange = Exchange { expected: answer(&[0x80]), ..Exchange::known() };
        let check = |found: &Answer, expect: bool| {
            let check = exchange.check("answers", found);
            assert_eq!((check.passed, exchange.is_right(found)), (expect, expect), "{}", check.detail);
            check.detail
        };
        check(&answer(&[0x80]), true);
        let detail = check(&answer(&[0x81]), false);
        let (expected, found) = detail.split_once(", found ").unwrap();
        assert!(expected.contains("1 bytes, checksum") && !expected.ends_with(found), "{detail}");
        check(&Answer { status: 201, ..answer(&[0x80]) }, false);
        check(&answer(b""), false);
    }

    #[test]
    fn answer_to_head_may_lack_its_body() {
        let request = HttpRequest { method: "HEAD".to_owned(), ..Exchange::known().request };
        let exchange = Exchange { request, ..Exchange::known() };
        let answer = |body: &[u8]| Answer { status: 200, body: body.to_vec() };
        assert!(exchange.is_right(&answer(b"")) && exchange.is_right(&answer(EXPECTED_RESPONSE)));
        assert!(!exchange.is_right(&answer(b"other")));
    }
}
