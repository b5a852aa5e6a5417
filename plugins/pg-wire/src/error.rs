//! Errors of a connector, which name the column, the address or the server's own reason.

use bench_plugin::model::ModuleError;
use std::io;

/// Why a transfer failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `database_url` cannot be used.
    #[error("`database_url`: {0}")]
    Url(String),
    /// No server accepts connections.
    #[error(
        "cannot connect to PostgreSQL at {address}: {source}; start a server there, or give another `database_url`"
    )]
    Unreachable {
        /// `host:port`.
        address: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The host has not granted this address to the component.
    #[error("the address {0} is not granted; run with --allow-net {0}")]
    NotGranted(String),
    /// The connection broke.
    #[error("the connection to PostgreSQL was lost while {doing}: {source}; see the server's log")]
    Broken {
        /// The action that failed.
        doing: &'static str,
        /// The error of the system.
        source: io::Error,
    },
    /// The server reports an error.
    #[error("PostgreSQL reported an error while {doing}: {message} (SQLSTATE {code}){more}")]
    Server {
        /// The action that failed.
        doing: &'static str,
        /// The SQLSTATE code of five characters.
        code: String,
        /// Its first line.
        message: String,
        /// Its detail and context, each after `; `.
        more: String,
    },
    /// The server violates the protocol.
    #[error("unexpected message from the server while {doing}: {what}; is it PostgreSQL with protocol version 3?")]
    Protocol {
        /// The action that failed.
        doing: &'static str,
        /// What was received.
        what: String,
    },
    /// A type that cannot be carried.
    #[error(
        "the column `{column}` has the type `{type_name}`, which this connector does not support; leave the column out, or cast it"
    )]
    UnknownType {
        /// The column.
        column: String,
        /// The name of the type on the server.
        type_name: String,
    },
    /// A type whose values have no text here.
    #[error(
        "the column `{column}` has the type `{type_name}`, whose values are carried as bytes that only the server can read, so COPY \
         cannot write them as text; give load_method=copy-binary or insert"
    )]
    NoText {
        /// The column.
        column: String,
        /// The name of the type on the server.
        type_name: String,
    },
    /// A value that is valid for PostgreSQL but not for Arrow, or vice versa.
    #[error("the column `{column}` has a value that cannot be converted: {reason}")]
    Value {
        /// The column.
        column: String,
        /// The value and the reason.
        reason: String,
    },
    /// The table exists with other columns.
    #[error("the table {table} exists with other columns: {difference}; drop it, or load into another table")]
    Shape {
        /// The name in SQL.
        table: String,
        /// The first difference.
        difference: String,
    },
    /// A batch violates the interface.
    #[error("batch {number} is not a valid Arrow IPC stream of this pipeline: {reason}")]
    Batch {
        /// Counted from 1.
        number: u64,
        /// The reason.
        reason: String,
    },
    /// An error of the host.
    #[error(transparent)]
    Host(#[from] ModuleError),
}

/// SQLSTATE class 28: invalid authorization.
const AUTHORIZATION: &str = "28";

/// SQLSTATEs of a server that takes no connection at the moment: too many connections, or it is starting or stopping.
const BUSY: [&str; 2] = ["53300", "57P03"];

impl From<Error> for ModuleError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Host(error) => error,
            Error::Url(_) => Self::InvalidArgument(text),
            Error::Server { code, .. } if code.starts_with(AUTHORIZATION) => Self::InvalidArgument(text),
            // The host tries again.
            Error::Server { code, .. } if BUSY.contains(&code.as_str()) => Self::Unavailable(text),
            // Of what the user's table has, not of what went wrong.
            Error::Unreachable { .. } | Error::UnknownType { .. } | Error::NoText { .. } => Self::Unavailable(text),
            Error::NotGranted(_) => Self::CapabilityDenied(text),
            _ => Self::Other(text),
        }
    }
}
