//! Connectors: plug-ins that read rows as batches, or write such batches, in both arms.

use crate::{Host, Plugin};
use bench_model::{Arguments, Descriptor, ModuleError, Session};
use std::marker::PhantomData;

pub use crate::arm::Batches;

/// A plug-in for the driver `source`.
pub trait Source {
    /// Like [`Plugin::describe`].
    fn describe() -> Descriptor;

    /// Reads the rows that the arguments select and emits them; returns their number. The argument `from_table` is the table name
    /// in SQL.
    fn read(scenario: &str, arguments: &Arguments, batches: &mut Batches<'_>) -> Result<u64, ModuleError>;

    /// Like [`Plugin::open`], if it also has scenarios for the driver `workload`.
    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let _ = (arguments, host);
        Err(no_session(scenario, "source"))
    }
}

/// A plug-in for the driver `destination`.
pub trait Destination {
    /// Like [`Plugin::describe`].
    fn describe() -> Descriptor;

    /// Writes all batches and commits them together; returns the number of rows. An error means that none is committed. The
    /// argument `into_table` is the table name in SQL.
    fn write(scenario: &str, arguments: &Arguments, batches: &mut Batches<'_>) -> Result<u64, ModuleError>;

    /// Like [`Plugin::open`], if it also has scenarios for the driver `workload`.
    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let _ = (arguments, host);
        Err(no_session(scenario, "destination"))
    }
}

/// A [`Source`] as a [`Plugin`].
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct SourcePlugin<S>(PhantomData<S>);

/// A [`Destination`] as a [`Plugin`].
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct DestinationPlugin<D>(PhantomData<D>);

/// A [`Source`] and a [`Destination`] as one [`Plugin`].
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct ConnectorsPlugin<S, D>(PhantomData<(S, D)>);

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

impl<S: Source, D: Destination> Plugin for ConnectorsPlugin<S, D> {
    fn describe() -> Descriptor {
        let mut descriptor = D::describe();
        descriptor.scenarios.extend(S::describe().scenarios);
        descriptor
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let is_of_source = S::describe().scenarios.iter().any(|known| known.name == scenario);
        if is_of_source { S::open(scenario, arguments, host) } else { D::open(scenario, arguments, host) }
    }
}

fn no_session(scenario: &str, driver: &str) -> ModuleError {
    ModuleError::Unavailable(format!("`{scenario}` is only for the driver `{driver}`"))
}

/// Exports a [`Source`] in the arm that the crate is built for. Use it once per crate.
#[macro_export]
macro_rules! export_source {
    ($source:ty) => {
        $crate::__export_source_arm!($source);
    };
}

/// Exports a [`Destination`] in the arm that the crate is built for. Use it once per crate.
#[macro_export]
macro_rules! export_destination {
    ($destination:ty) => {
        $crate::__export_destination_arm!($destination);
    };
}

/// Exports a [`Source`] and a [`Destination`] as one plug-in, in the arm that the crate is built for. Use it once per crate. The plug-in
/// has the name of the destination and the scenarios of both, whose names must differ.
#[macro_export]
macro_rules! export_connectors {
    ($source:ty, $destination:ty) => {
        $crate::__export_connectors_arm!($source, $destination);
    };
}
