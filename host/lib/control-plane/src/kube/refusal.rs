//! Turns an API server's refusals and a connection's failures into one line each.

use crate::PlaneError;
use kube::Error;
use kube::core::Status;

/// Whether the server no longer has the changes since a version.
pub(super) fn is_gone(status: &Status) -> bool {
    status.code == 410 || matches!(status.reason.as_str(), "Expired" | "Gone")
}

/// Whether the same request may succeed a moment later.
pub(super) fn is_passing(error: &Error) -> bool {
    match error {
        Error::Api(status) => is_passing_status(status),
        Error::Service(_) | Error::HyperError(_) | Error::ReadEvents(_) => true,
        _ => false,
    }
}

fn is_passing_status(status: &Status) -> bool {
    status.code == 429 || status.code >= 500
}

/// Whether the kind exists and the object does not.
fn is_missing(error: &Error, name: &str) -> bool {
    let Error::Api(status) = error else { return false };
    status.code == 404 && status.details.as_ref().is_some_and(|details| details.name == name)
}

pub(super) fn has_code(error: &Error, code: u16) -> bool {
    matches!(error, Error::Api(status) if status.code == code)
}

/// Converts `error`, the answer to a request for the object `name`. A conflict has no version yet.
pub(super) fn plane_error(error: &Error, name: &str) -> PlaneError {
    match error {
        error if is_missing(error, name) => PlaneError::NotFound,
        Error::Api(status) => match status.code {
            400 | 413 | 422 => PlaneError::Invalid(line(error)),
            409 => PlaneError::Conflict(0),
            _ => PlaneError::Unavailable(line(error)),
        },
        error => PlaneError::Unavailable(line(error)),
    }
}

/// `error` in one line: the server's message, or the chain of causes without repetitions.
pub(super) fn line(error: &Error) -> String {
    let text = match error {
        Error::Api(status) if status.message.is_empty() => format!("the API server answers {}", status.code),
        Error::Api(status) => format!("the API server answers {}: {}", status.code, status.message),
        // Their own texts are only their names.
        Error::Service(cause) => causes(cause.as_ref()),
        error => std::error::Error::source(error).map_or_else(|| error.to_string(), causes),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error and its causes.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}
