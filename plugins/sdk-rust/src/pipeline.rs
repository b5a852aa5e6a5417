//! Connectors: plug-ins that read rows as batches, or write such batches, in either arm. It must not know what a batch holds.

use crate::{Host, Plugin};
use bench_model::{Arguments, Descriptor, ModuleError, Session};
use std::marker::PhantomData;

pub use crate::arm::Batches;

/// A plug-in for the driver `source`.
pub trait Source {
    /// As [`Plugin::describe`].
    fn describe() -> Descriptor;

    /// Reads the rows that the arguments ask for and emits them; how many there were. The argument `from_table` is the table as
    /// SQL writes it.
    fn read(scenario: &str, arguments: &Arguments, batches: &mut Batches<'_>) -> Result<u64, ModuleError>;

    /// As [`Plugin::open`], where it also has scenarios for the driver `workload`.
    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let _ = (arguments, host);
        Err(no_session(scenario, "source"))
    }
}

/// A plug-in for the driver `destination`.
pub trait Destination {
    /// As [`Plugin::describe`].
    fn describe() -> Descriptor;

    /// Writes all batches and commits them together; how many rows there were. An error means that none is committed. The
    /// argument `into_table` is the table as SQL writes it.
    fn write(scenario: &str, arguments: &Arguments, batches: &mut Batches<'_>) -> Result<u64, ModuleError>;

    /// As [`Plugin::open`], where it also has scenarios for the driver `workload`.
    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let _ = (arguments, host);
        Err(no_session(scenario, "destination"))
    }
}

/// A [`Source`] as any other plug-in.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct SourcePlugin<S>(PhantomData<S>);

/// A [`Destination`] as any other plug-in.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct DestinationPlugin<D>(PhantomData<D>);

impl<S: Source> Plugin for SourcePlugin<S> {
    fn describe() -> Descriptor {
        S::describe()
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        S::open(scenario, arguments, host)
    }
}

impl<D: Destination> Plugin for DestinationPlugin<D> {
    fn describe() -> Descriptor {
        D::describe()
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        D::open(scenario, arguments, host)
    }
}

fn no_session(scenario: &str, driver: &str) -> ModuleError {
    ModuleError::Unavailable(format!("`{scenario}` is for the driver `{driver}` alone"))
}

/// Exports a [`Source`] in the arm the crate is built for. Once a crate.
#[macro_export]
macro_rules! export_source {
    ($source:ty) => {
        $crate::__export_source_arm!($source);
    };
}

/// Exports a [`Destination`] in the arm the crate is built for. Once a crate.
#[macro_export]
macro_rules! export_destination {
    ($destination:ty) => {
        $crate::__export_destination_arm!($destination);
    };
}
