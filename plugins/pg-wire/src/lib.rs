//! Shared by the connectors `pg-source` and `pg-dest`: PostgreSQL's protocol over a blocking socket, its types, and
//! conversion of rows to Arrow batches and back.

#![forbid(unsafe_code)]

pub mod batch;
mod binary;
mod cells;
mod column;
mod cursor;
mod datetime;
mod digits;
pub mod encode;
mod error;
mod kind;
mod load;
mod numeric;
pub mod sample;
mod session;
mod socket;
mod stopwatch;
#[cfg(test)]
mod tests;
mod text;
mod url;

pub use arrow_array::RecordBatch;
pub use cursor::{Cursor, Phase};
pub use error::Error;
pub use kind::{Kind, PgType, TYPE_KEY};
pub use load::{Loader, Method, Table};
pub use session::Session;
pub use stopwatch::Stopwatch;
pub use url::{DATABASE_URL, DatabaseUrl};
