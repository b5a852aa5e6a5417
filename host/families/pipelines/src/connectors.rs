//! What a module offers to the drivers `source` and `destination`, and how the family finds it in a module: this crate has an
//! adapter for each loader's modules.

use bench_drivers::{Direct, Module};
use bench_model::{Arguments, ModuleError, Scenario};
use bench_native::Probe;
use bench_wasm::Component;
use probe_abi::raw;
use std::any::Any;
use std::borrow::Cow;

/// A batch may have this many bytes. A connector that hands over more gets [`BatchError::TooLarge`].
pub const BATCH_BYTES_MAX: u64 = 64 << 20;

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
    /// Hands all rows that `arguments` ask for to `batches`, which is dropped before this returns: that is the end for the other side. Only
    /// a connector of the driver `source` can.
    fn read(&mut self, arguments: &Arguments, batches: Box<dyn Emit>) -> Result<Transfer, ModuleError>;

    /// Writes all that `batches` yields, and commits. `batches` is dropped before this returns. Only a
    /// connector of the driver `destination` can.
    fn write(&mut self, arguments: &Arguments, batches: Box<dyn Next>) -> Result<Transfer, ModuleError>;

    /// Hands on to `into`, changed as `arguments` say, all that `from` yields. Both are dropped before this
    /// returns. Only a connector of the driver `transform` can.
    fn change(
        &mut self,
        arguments: &Arguments,
        from: Box<dyn Next>,
        into: Box<dyn Emit>,
    ) -> Result<Transfer, ModuleError> {
        let _ = (arguments, from, into);
        Err(ModuleError::Other("this connector is not a transform".to_owned()))
    }
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
    /// The other side has ended, and reports the reason itself.
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
    /// Rows that it read, handed on, or wrote and committed.
    pub records: u64,
    /// Bytes of the batches that it handed over or took, as they crossed the boundary.
    pub bytes: u64,
    /// Where its time went, by its own clock: names and nanoseconds. A name that is there several times is summed. A source has
    /// `connect`, `query`, `fetch`, `encode`, `emit`; a destination `receive`, `decode`, `connect`, `flush`, `commit`, where
    /// `emit` and `receive` are the calls of the host as the connector sees them, crossing the boundary included.
    pub stages: Vec<(String, u64)>,
}

/// The connectors of `module`, or an error that says that it has none.
pub fn connectors(module: &mut dyn Module) -> Result<&mut dyn Connectors, ModuleError> {
    find(module).ok_or_else(|| {
        ModuleError::Unavailable(
            "this arm has no connector to read or to write rows; choose another with --arm".to_owned(),
        )
    })
}

fn find(module: &mut dyn Module) -> Option<&mut dyn Connectors> {
    let module: &mut dyn Any = module;
    if module.is::<Component>() {
        let component = module.downcast_mut::<Component>()?;
        let is_connector = crate::wasm::EXPORTS.iter().any(|interface| component.offers(interface));
        return is_connector.then_some(component as &mut dyn Connectors);
    }
    if module.is::<Probe>() {
        let probe = module.downcast_mut::<Probe>()?;
        return probe.offers::<raw::Pipeline>().then_some(probe as &mut dyn Connectors);
    }
    Some(module.downcast_mut::<Direct<dyn Connectors>>()?.offer.as_mut())
}
