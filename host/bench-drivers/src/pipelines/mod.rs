//! The drivers `source` and `destination`: connectors that read rows out of a database as batches, and connectors that write
//! such batches into one. What a batch is made of is the connectors' business; the host carries it as bytes and looks at rows
//! only in the database, where it compares what arrived with what was sent.

mod channel;
mod compression;
mod drive;
mod figures;
mod side;
mod tables;
mod transfer;

pub use drive::conformance;
pub(crate) use drive::drive;
pub use figures::metrics;
pub use tables::{addresses, forget};

use crate::{Companion, Driver, Module, Task};
use bench_engine::Report;
use bench_model::{Arguments, Check, ModuleError, Scenario};
use std::borrow::Cow;

/// A batch may have this many bytes. A connector that hands over more is told [`BatchError::TooLarge`].
pub const BATCH_BYTES_MAX: u64 = 64 << 20;

/// The argument that the driver adds for a connector that reads: the table, as it is written in SQL.
pub const FROM_TABLE: &str = "from_table";

/// The argument that the driver adds for a connector that writes: the table, as it is written in SQL. It is not there yet.
pub const INTO_TABLE: &str = "into_table";

/// The drivers `source` and `destination`, by name.
#[derive(Debug)]
pub struct ConnectorDriver(pub &'static str);

/// The argument, and its value, with which compiled code is not taken out of the cache, nor put there.
const FRESH_CODE: (&str, &str) = ("code", "compiled");

impl Driver for ConnectorDriver {
    fn name(&self) -> &'static str {
        self.0
    }

    fn run(&self, module: &mut dyn Module, companion: Option<&mut Companion>, task: &Task<'_>) -> Report {
        drive(module, companion, task)
    }

    fn conformance(
        &self,
        module: &mut dyn Module,
        companion: Option<&mut Companion>,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Vec<Check>, ModuleError> {
        conformance(module, companion, scenario, arguments)
    }

    fn compiles_anew(&self, arguments: &Arguments) -> bool {
        arguments.text(FRESH_CODE.0) == Ok(FRESH_CODE.1)
    }
}

/// What a module offers to these drivers.
pub trait Connectors {
    /// Gets the connector of `scenario` ready: everything but the instance itself. Nothing of this is timed.
    fn connector(&mut self, scenario: &Scenario) -> Result<Box<dyn Connector>, ModuleError>;

    /// What having the module loaded took.
    fn loading(&self) -> Loading;
}

/// What it took to have a module loaded, where its code can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loading {
    /// Nanoseconds from the file being opened to an instance being possible.
    pub ns: u64,
    /// Where the code came from.
    pub code: Code,
}

/// Where the machine code of a module came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It is in the file.
    Native,
    /// It had been compiled before, and was mapped.
    Cached,
    /// It was compiled now.
    Compiled,
}

/// Makes instances of a connector, on whichever thread they are to run.
pub trait Connector: Send {
    /// A fresh instance, up to where it can be called. The driver times it, and uses the instance on this thread alone.
    fn instantiate(&mut self) -> Result<Box<dyn ConnectorInstance>, ModuleError>;
}

/// A connector that can be called, once.
pub trait ConnectorInstance {
    /// Hands all rows that `arguments` ask for to `batches`, which is dropped before this returns: the other side then knows
    /// that there are no more. Only a connector of the driver `source` can.
    fn read(&mut self, arguments: &Arguments, batches: Box<dyn Emit>) -> Result<Transfer, ModuleError>;

    /// Writes what `batches` yields, until there is no more, and commits. `batches` is dropped before this returns. Only a
    /// connector of the driver `destination` can.
    fn write(&mut self, arguments: &Arguments, batches: Box<dyn Next>) -> Result<Transfer, ModuleError>;
}

/// Where a source's batches go.
pub trait Emit: Send {
    /// Hands over one batch; waits while there is no room. Gives no batch back, so bytes that are owned are not copied.
    fn emit(&mut self, batch: Cow<'_, [u8]>) -> Result<(), BatchError>;
}

/// Where a destination's batches come from.
pub trait Next: Send {
    /// The next batch, waiting for it; `None` after the last. An error means that the source has failed: what was written
    /// must not be committed.
    fn next(&mut self) -> Result<Option<Vec<u8>>, BatchError>;
}

/// Why a batch cannot change hands. The cases are those of the interface `batches` and of the probes' table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Nobody is at the other end any more; why is that side's to say.
    #[error("the other side has ended")]
    Closed,
    /// The batch has more than this many bytes.
    #[error("the batch is larger than {0} bytes; read fewer rows a batch")]
    TooLarge(u64),
    /// Any other reason.
    #[error("{0}")]
    Other(String),
}

/// What a connector says it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Rows that it read, or wrote and committed.
    pub records: u64,
    /// Bytes of the batches that it handed over or took, as they crossed the boundary.
    pub bytes: u64,
    /// Where its time went, by its own clock: names and nanoseconds. A name that is there several times is summed. A source has
    /// `connect`, `query`, `fetch`, `encode`, `emit`; a destination `receive`, `decode`, `connect`, `flush`, `commit`, where
    /// `emit` and `receive` are the calls of the host as the connector sees them, crossing the boundary included.
    pub stages: Vec<(String, u64)>,
}

#[cfg(test)]
mod tests;
