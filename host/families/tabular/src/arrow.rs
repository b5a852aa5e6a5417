//! Batches as Arrow IPC streams; tables as batches are in `table-core`.

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;

pub(crate) use table_core::arrow::{of_table, to_table};

/// The bytes that the buffers of these batches take.
pub(crate) fn bytes(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.get_array_memory_size() as u64).sum()
}

/// Writes batches, of which there is at least one, as an Arrow IPC stream. A batch without rows is only its schema.
pub(crate) fn to_stream(batches: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
    let none = || ArrowError::InvalidArgumentError("there is no batch, and so no schema".to_owned());
    let first = batches.first().ok_or_else(none)?;
    let mut stream = Vec::new();
    let mut writer = StreamWriter::try_new(&mut stream, &first.schema())?;
    batches.iter().filter(|batch| batch.num_rows() > 0).try_for_each(|batch| writer.write(batch))?;
    writer.finish()?;
    drop(writer);
    Ok(stream)
}

/// Reads an Arrow IPC stream. There is at least one batch.
pub(crate) fn of_stream(stream: &[u8]) -> Result<Vec<RecordBatch>, ArrowError> {
    let reader = StreamReader::try_new(stream, None)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    Ok(if batches.is_empty() { vec![RecordBatch::new_empty(schema)] } else { batches })
}

#[cfg(test)]
mod tests {
    use super::*;
    use table_core::arrow::BATCH_ROWS;
    use table_core::{Recipe, compare};

    #[test]
    fn tables_survive_streams() {
        for rows in [0, 1, BATCH_ROWS, BATCH_ROWS + 1] {
            let genes = Recipe { rows, seed: 4 }.genes();
            let stream = to_stream(&of_table(&genes).unwrap()).unwrap();
            assert_eq!(compare(&genes, &to_table(&of_stream(&stream).unwrap()).unwrap()), Ok(()));
        }
    }

    #[test]
    fn stream_that_is_cut_off_or_foreign_is_refused() {
        let genes = Recipe { rows: 500, seed: 1 }.genes();
        let whole = to_stream(&of_table(&genes).unwrap()).unwrap();
        for stream in [&whole[..whole.len() / 2], b"id,name\n1,x\n", b""] {
            assert!(of_stream(stream).is_err());
        }
    }
}
