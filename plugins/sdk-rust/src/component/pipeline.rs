//! Connectors as components: batches cross the boundary as lists of bytes, which are copied once each.

use super::convert;
use crate::pipeline::{Destination, Source};
use bench_model::ModuleError;
use std::marker::PhantomData;

/// The bindings of the worlds for connectors, without the common exports of plug-ins. A function is only imported if it is used, so a
/// source imports only `emit`.
#[doc(hidden)]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::cast_lossless,
    reason = "generated"
)]
#[path = "generated/source.rs"]
pub mod source_bindings;

#[doc(hidden)]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::cast_lossless,
    reason = "generated"
)]
#[path = "generated/destination.rs"]
pub mod destination_bindings;

use source_bindings::bench_host::pipeline::{batches, reports};

/// The batches of one call.
#[derive(Debug)]
pub struct Batches<'a> {
    bytes: u64,
    stages: Vec<reports::Stage>,
    call: PhantomData<(&'a (), *mut ())>,
}

impl Batches<'_> {
    fn new() -> Self {
        Self { bytes: 0, stages: Vec::new(), call: PhantomData }
    }

    /// Sends one batch, and waits until there is room.
    pub fn emit(&mut self, batch: &[u8]) -> Result<(), ModuleError> {
        batches::emit(batch).map_err(convert_error)?;
        self.bytes += batch.len() as u64;
        Ok(())
    }

    /// The next batch, waiting for it; `None` after the last.
    pub fn receive(&mut self) -> Result<Option<Vec<u8>>, ModuleError> {
        let batch = batches::next().map_err(convert_error)?;
        self.bytes += batch.as_ref().map_or(0, Vec::len) as u64;
        Ok(batch)
    }

    /// Adds time to a stage.
    pub fn stage(&mut self, name: &str, nanoseconds: u64) {
        self.stages.push(reports::Stage { name: name.to_owned(), nanoseconds });
    }

    fn report(self, records: u64) -> reports::Report {
        reports::Report { records, bytes: self.bytes, stages: self.stages }
    }
}

fn convert_error(error: batches::Error) -> ModuleError {
    ModuleError::Other(match error {
        batches::Error::Closed => "the other side has ended".to_owned(),
        batches::Error::TooLarge(bytes_max) => {
            format!("the batch is larger than {bytes_max} bytes; read fewer rows a batch")
        }
        batches::Error::Other(reason) => reason,
    })
}

use super::bindings::bench_host::workload::types as wit;

/// Exports a source to the host.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct SourceComponent<S>(PhantomData<S>);

/// Exports a destination to the host.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct DestinationComponent<D>(PhantomData<D>);

impl<S: Source> source_bindings::exports::bench_host::pipeline::source::Guest for SourceComponent<S> {
    fn read(scenario: String, arguments: Vec<wit::Argument>) -> Result<reports::Report, wit::Error> {
        let mut batches = Batches::new();
        let records = S::read(&scenario, &convert::arguments_in(arguments), &mut batches).map_err(convert::error)?;
        Ok(batches.report(records))
    }
}

impl<D: Destination> destination_bindings::exports::bench_host::pipeline::destination::Guest
    for DestinationComponent<D>
{
    fn write(scenario: String, arguments: Vec<wit::Argument>) -> Result<reports::Report, wit::Error> {
        let mut batches = Batches::new();
        let records = D::write(&scenario, &convert::arguments_in(arguments), &mut batches).map_err(convert::error)?;
        Ok(batches.report(records))
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_source_arm {
    ($source:ty) => {
        $crate::__export_arm!($crate::pipeline::SourcePlugin<$source>);
        type __BenchHostSource = $crate::support::SourceComponent<$source>;
        $crate::support::source_bindings::export_source_world!(
            __BenchHostSource with_types_in $crate::support::source_bindings
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_destination_arm {
    ($destination:ty) => {
        $crate::__export_arm!($crate::pipeline::DestinationPlugin<$destination>);
        type __BenchHostDestination = $crate::support::DestinationComponent<$destination>;
        $crate::support::destination_bindings::export_destination_world!(
            __BenchHostDestination with_types_in $crate::support::destination_bindings
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_connectors_arm {
    ($source:ty, $destination:ty) => {
        $crate::__export_arm!($crate::pipeline::ConnectorsPlugin<$source, $destination>);
        type __BenchHostSource = $crate::support::SourceComponent<$source>;
        $crate::support::source_bindings::export_source_world!(
            __BenchHostSource with_types_in $crate::support::source_bindings
        );
        type __BenchHostDestination = $crate::support::DestinationComponent<$destination>;
        $crate::support::destination_bindings::export_destination_world!(
            __BenchHostDestination with_types_in $crate::support::destination_bindings
        );
    };
}
