//! Why a registry could not be used, and what to do.

use module_store::{Digest, StoreError};
use std::io;

/// Why pushing or pulling failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is no connection.
    #[error("{host}: no connection: {reason}; check the address, and that the registry is running")]
    Connect {
        /// The host.
        host: String,
        /// The reason.
        reason: String,
    },
    /// It does not answer.
    #[error("{host}: no answer within {seconds} s; try again")]
    Timeout {
        /// The host.
        host: String,
        /// The time it had.
        seconds: u64,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("{host}: {reason}; try again")]
    Broken {
        /// The host.
        host: String,
        /// The reason.
        reason: String,
    },
    /// HTTP without TLS to another machine.
    #[error(
        "{0} would be reached without TLS, so anybody on the way could read the password; give --plain-http {0} to allow it"
    )]
    PlainHttp(String),
    /// It wants credentials, or refuses those it got.
    #[error("{host}: {}; log in with `docker login` or `podman login`", denied(*has_credentials))]
    Denied {
        /// The host.
        host: String,
        /// Whether credentials were sent.
        has_credentials: bool,
    },
    /// The file of credentials is malformed.
    #[error("{path}: {reason}; log in again")]
    Credentials {
        /// The file.
        path: String,
        /// The reason.
        reason: String,
    },
    /// It refuses.
    #[error("{host}: {what} was answered with {status}{}", detail_text(detail))]
    Refused {
        /// The host.
        host: String,
        /// What was asked.
        what: String,
        /// The status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// There is no such manifest.
    #[error("{reference} is not there{}", tags_text(tags))]
    NotFound {
        /// What was asked for.
        reference: String,
        /// The tags of the repository, if there are any.
        tags: Vec<String>,
    },
    /// A manifest has another digest than the one it was asked for by.
    #[error("{host} gave something else for {wanted}: its digest is {found}; do not use this registry")]
    WrongDigest {
        /// The host.
        host: String,
        /// The digest that was asked for.
        wanted: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// An answer that is too large.
    #[error("{host}: the answer has more than {bytes_max} bytes; this is not a module's")]
    TooLarge {
        /// The host.
        host: String,
        /// The limit.
        bytes_max: u64,
    },
    /// The document is malformed, or not a module's.
    #[error("{what}: {reason}")]
    NotAModule {
        /// What was pulled.
        what: String,
        /// The reason.
        reason: String,
    },
    /// A tag that is not a version may be another module tomorrow.
    #[error("the tag of {0} is not a version, so it may move; give its digest, or --allow-moving")]
    Moving(String),
    /// A tag that was pulled before is of another module now.
    #[error("{reference} was {known} and is {found} now; give --allow-moving if that is right, or the digest you want")]
    Moved {
        /// The reference.
        reference: String,
        /// The manifest it was pulled as.
        known: Digest,
        /// The manifest it is now.
        found: Digest,
    },
    /// The tag to push exists and is of something else.
    #[error(
        "{reference} is {found} there, and a version does not change; push under a new version, or give --allow-moving"
    )]
    TagTaken {
        /// The reference.
        reference: String,
        /// The manifest it is.
        found: Digest,
    },
    /// What came cannot be written.
    #[error("cannot keep what came: {0}")]
    Write(io::Error),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn denied(has_credentials: bool) -> &'static str {
    if has_credentials {
        "the user name or password was refused, or has no right to this"
    } else {
        "a user name and password are needed"
    }
}

fn detail_text(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

fn tags_text(tags: &[String]) -> String {
    if tags.is_empty() { String::new() } else { format!("; the tags there are {}", tags.join(", ")) }
}
