//! Stages as components: tables cross the boundary as Arrow IPC streams.

use super::bindings::bench_host::workload::types as wit;
use super::convert;
use crate::stages::Stages;
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use bench_model::ModuleError;
use std::marker::PhantomData;

/// The bindings of the world for stages, without the common exports of plug-ins.
#[doc(hidden)]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::cast_lossless,
    reason = "generated"
)]
#[path = "generated/stages.rs"]
pub mod stage_bindings;

/// Exports stages to the host.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct StageComponent<P>(PhantomData<P>);

impl<P: Stages> stage_bindings::exports::bench_host::tabular::stage::Guest for StageComponent<P> {
    fn run(
        scenario: String,
        arguments: Vec<wit::Argument>,
        files: Vec<Vec<u8>>,
        tables: Vec<Vec<u8>>,
    ) -> Result<Vec<u8>, wit::Error> {
        let files: Vec<_> = files.iter().map(Vec::as_slice).collect();
        let tables = tables.iter().map(|stream| read(stream)).collect::<Result<Vec<_>, _>>();
        let result = tables.and_then(|tables| P::run(&scenario, &convert::arguments_in(arguments), &files, tables));
        result.and_then(|batches| write(&batches)).map_err(convert::error)
    }
}

fn read(stream: &[u8]) -> Result<Vec<RecordBatch>, ModuleError> {
    let fault = |error: ArrowError| ModuleError::Other(format!("reading a table as Arrow IPC: {error}"));
    let reader = StreamReader::try_new(stream, None).map_err(fault)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    Ok(if batches.is_empty() { vec![RecordBatch::new_empty(schema)] } else { batches })
}

fn write(batches: &[RecordBatch]) -> Result<Vec<u8>, ModuleError> {
    let fault = |error: ArrowError| ModuleError::Other(format!("writing the result as Arrow IPC: {error}"));
    let Some(first) = batches.first() else {
        return Err(ModuleError::Other("the result has no batch, and so no schema".to_owned()));
    };
    let mut stream = Vec::with_capacity(batches.iter().map(RecordBatch::get_array_memory_size).sum());
    let mut writer = StreamWriter::try_new(&mut stream, &first.schema()).map_err(fault)?;
    batches.iter().try_for_each(|batch| writer.write(batch)).map_err(fault)?;
    writer.finish().map_err(fault)?;
    drop(writer);
    Ok(stream)
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_stages_arm {
    ($plugin:ty) => {
        $crate::__export_arm!($plugin);
        type __BenchHostStages = $crate::support::StageComponent<$plugin>;
        $crate::support::stage_bindings::export_stage_world!(
            __BenchHostStages with_types_in $crate::support::stage_bindings
        );
    };
}
