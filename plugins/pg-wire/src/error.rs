//! What goes wrong between a connector and its server, in words that name the column, the address or the server's own reason.
//! It must not know which connector asks.

use bench_plugin::model::ModuleError;
use std::io;

/// Why rows did not move.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `database_url` cannot be used.
    #[error("`database_url`: {0}")]
    Url(String),
    /// Nobody listens.
    #[error("no PostgreSQL at {address}: {source}; start one there, or give another `database_url`")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The host does not let this component connect there.
    #[error("the address {0} is not granted; run with --allow-net {0}")]
    NotGranted(String),
    /// The connection broke.
    #[error("the connection to PostgreSQL broke while {doing}: {source}; look at the server's log")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The server refuses.
    #[error("PostgreSQL refused while {doing}: {message} (SQLSTATE {code}){more}")]
    Server {
        /// What was being done.
        doing: &'static str,
        /// Five characters that tell the kind of error.
        code: String,
        /// Its first line.
        message: String,
        /// Its detail and context, each after `; `.
        more: String,
    },
    /// The server says what no server of this protocol does.
    #[error("PostgreSQL answered out of order while {doing}: {what}; is it a server of version 3 of the protocol?")]
    Protocol {
        /// What was being done.
        doing: &'static str,
        /// What came.
        what: String,
    },
    /// A type that has no Arrow form here.
    #[error(
        "the column `{column}` has the type `{type_name}`, which this connector does not carry; leave the column out, or cast it"
    )]
    UnknownType {
        /// The column.
        column: String,
        /// The type as the server calls it.
        type_name: String,
    },
    /// A value that its type allows and Arrow cannot hold, or the other way about.
    #[error("the column `{column}` has a value that cannot be carried: {reason}")]
    Value {
        /// The column.
        column: String,
        /// Which one, and why.
        reason: String,
    },
    /// The table is there already, and is another one.
    #[error("the table {table} exists with another shape: {difference}; drop it, or load into another")]
    Shape {
        /// As SQL writes it.
        table: String,
        /// The first difference.
        difference: String,
    },
    /// A batch is not what the interface says a batch is.
    #[error("batch {number} is no Arrow IPC stream of this pipeline: {reason}")]
    Batch {
        /// Counted from 1.
        number: u64,
        /// Why.
        reason: String,
    },
    /// The host's side of the boundary.
    #[error(transparent)]
    Host(#[from] ModuleError),
}

/// SQLSTATE class 28: the password or the user is wrong.
const AUTHORIZATION: &str = "28";

impl From<Error> for ModuleError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Host(error) => error,
            Error::Url(_) => Self::InvalidArgument(text),
            Error::Server { code, .. } if code.starts_with(AUTHORIZATION) => Self::InvalidArgument(text),
            Error::Unreachable { .. } => Self::Unavailable(text),
            Error::NotGranted(_) => Self::CapabilityDenied(text),
            _ => Self::Other(text),
        }
    }
}
