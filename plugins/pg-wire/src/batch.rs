//! The form of a batch at the boundary: one complete Arrow IPC stream.

use crate::Error;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;

/// Replaces the content of `stream` with a batch.
pub fn encode(batch: &RecordBatch, stream: &mut Vec<u8>) -> Result<(), Error> {
    stream.clear();
    let mut write = || -> Result<(), ArrowError> {
        let mut writer = StreamWriter::try_new(&mut *stream, batch.schema_ref())?;
        writer.write(batch)?;
        writer.finish()
    };
    write().map_err(|error| Error::Batch { number: 0, reason: error.to_string() })
}

/// Reads the batch in a stream. `number` is its number in errors, from 1. Copies only buffers that are not aligned.
pub fn decode(stream: Vec<u8>, number: u64) -> Result<RecordBatch, Error> {
    let wrong = |reason: String| Error::Batch { number, reason };
    let mut stream = Buffer::from_vec(stream);
    let mut decoder = StreamDecoder::new();
    let batch = decoder.decode(&mut stream).map_err(|error| wrong(error.to_string()))?;
    let batch = batch.ok_or_else(|| wrong("it contains no record batch".to_owned()))?;
    match decoder.decode(&mut stream).and_then(|more| decoder.finish().map(|()| more)) {
        Ok(None) => Ok(batch),
        Ok(Some(_)) => Err(wrong("it contains more than one record batch".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}
