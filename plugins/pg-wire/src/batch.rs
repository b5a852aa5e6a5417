//! A batch as the boundary carries it: one whole Arrow IPC stream. It must not know what its columns mean.

use crate::Error;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;

/// Writes a batch over what is in `stream`.
pub fn encode(batch: &RecordBatch, stream: &mut Vec<u8>) -> Result<(), Error> {
    stream.clear();
    let mut write = || -> Result<(), ArrowError> {
        let mut writer = StreamWriter::try_new(&mut *stream, batch.schema_ref())?;
        writer.write(batch)?;
        writer.finish()
    };
    write().map_err(|error| Error::Batch { number: 0, reason: error.to_string() })
}

/// The batch in a stream; `number` says which it is, counted from 1. Nothing is copied but what is not aligned.
pub fn decode(stream: Vec<u8>, number: u64) -> Result<RecordBatch, Error> {
    let wrong = |reason: String| Error::Batch { number, reason };
    let mut stream = Buffer::from_vec(stream);
    let mut decoder = StreamDecoder::new();
    let batch = decoder.decode(&mut stream).map_err(|error| wrong(error.to_string()))?;
    let batch = batch.ok_or_else(|| wrong("it holds no record batch".to_owned()))?;
    match decoder.decode(&mut stream).and_then(|more| decoder.finish().map(|()| more)) {
        Ok(None) => Ok(batch),
        Ok(Some(_)) => Err(wrong("it holds more than one record batch".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}
