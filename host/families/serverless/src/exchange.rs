//! The request of a scenario and the response that it must have: those of the known function, or those of a component that was not
//! written for bench-host, whose first response is the one that all others must equal.

use crate::functions::{Answer, HttpRequest};
use crate::{request_file, spec};
use bench_model::{Arguments, Check, ModuleError};
use function_core::{EXPECTED_RESPONSE, REQUEST};
use std::fs;

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

    /// Whether `answer` is the right one, without a word.
    pub(crate) fn is_right(&self, answer: &Answer) -> bool {
        *answer == self.expected
    }

    /// The check that `answer` is the right one.
    pub(crate) fn check(&self, name: impl Into<String>, answer: &Answer) -> Check {
        Check::equal(name, &shown(&self.expected), &shown(answer))
    }

    /// The bytes of both bodies.
    pub(crate) fn payload_bytes(&self) -> u64 {
        (self.request.body.len() + self.expected.body.len()) as u64
    }
}

/// The status and the body, of a large body the beginning and the length.
fn shown(answer: &Answer) -> String {
    let Answer { status, body } = answer;
    let text = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]);
    if body.len() <= SHOWN_BYTES {
        return format!("{status} {text}");
    }
    format!("{status} {text}… ({} bytes, checksum {})", body.len(), bench_sink::digest::checksum(body))
}

fn request(arguments: &Arguments) -> Result<HttpRequest, ModuleError> {
    match arguments.text(spec::REQUEST_FILE)? {
        "" => {}
        file => {
            let text = fs::read(file).map_err(|error| error.to_string());
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
            Some(file) => fs::read(file)
                .map_err(|error| ModuleError::Unavailable(format!("`{}`: {file}: {error}", spec::EXPECT)))?,
            None => text.as_bytes().to_vec(),
        },
    };
    let expected = Answer { status: answer.status, body: expected };
    Ok(Check::equal(spec::FIRST_RESPONSE, &shown(&expected), &shown(answer)))
}
