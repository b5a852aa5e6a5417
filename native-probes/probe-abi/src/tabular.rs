//! Stages of tables, as a probe offers them to the driver `stage`: a safe function over Arrow batches, behind the streams of Arrow's C
//! interface.

use crate::raw;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use bench_model::{Arguments, ModuleError};

/// Executes one operation of a scenario over files and tables. Every table has at least one batch, so that its schema is known; so must
/// the result.
pub type Run = fn(&str, &Arguments, &[&[u8]], Vec<Vec<RecordBatch>>) -> Result<Vec<RecordBatch>, ModuleError>;

/// Reads a stream to its end. The stream is taken over, and none is left in its place.
///
/// # Safety
/// `stream` points to a stream as Arrow's C stream interface describes it, which nobody else uses during the call.
pub(crate) unsafe fn read(stream: *mut raw::ArrowArrayStream) -> Result<Vec<RecordBatch>, ModuleError> {
    let fault = |error: arrow_schema::ArrowError| ModuleError::Other(format!("reading an Arrow stream: {error}"));
    // SAFETY: the caller promises a stream, and the type is Arrow's twin of it.
    let reader = unsafe { RecordBatchStreamReader::from_raw(stream.cast::<FFI_ArrowArrayStream>()) }.map_err(fault)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    Ok(if batches.is_empty() { vec![RecordBatch::new_empty(schema)] } else { batches })
}

/// Writes a stream of these batches, of which there is at least one, where the caller has room for it.
///
/// # Safety
/// `room` points to room for a stream, which may be uninitialised.
pub(crate) unsafe fn write(batches: Vec<RecordBatch>, room: *mut raw::ArrowArrayStream) -> Result<(), ModuleError> {
    let schema = batches.first().map(RecordBatch::schema);
    let schema = schema.ok_or_else(|| ModuleError::Other("the result has no batch, and so no schema".to_owned()))?;
    let reader = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    // SAFETY: the caller promises the room, and what was there is not dropped.
    unsafe { room.cast::<FFI_ArrowArrayStream>().write(FFI_ArrowArrayStream::new(Box::new(reader))) };
    Ok(())
}
