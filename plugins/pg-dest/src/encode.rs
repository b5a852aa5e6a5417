//! The destination's own work without a server: encodes batches in memory in the formats of COPY.

use bench_plugin::prelude::*;
use pg_wire::encode::{Encoder, decode_rows};
use pg_wire::{Method, RecordBatch, sample};
use std::hint::black_box;

/// The scenario's name.
pub(crate) const ENCODE: &str = "encode";

/// Rows of the batch.
const ROWS: i32 = 4096;

pub(crate) fn describe() -> Scenario {
    let format = Parameter::new("format", "binary", "the format of COPY");
    let columns = Parameter::new("columns", "all", "all twelve columns, or the first seven (seed)");
    Scenario::new(ENCODE, "pipelines", "Encodes an Arrow batch of 4096 rows in memory in a format of COPY.")
        .limit(MachineLimit::MemoryCopy)
        .parameter(format.choices(["text", "binary"]))
        .parameter(columns.choices(["all", "seed"]))
}

struct Encode {
    method: Method,
    encoder: Encoder,
    batch: RecordBatch,
    /// Approximate bytes of an encoded row.
    batch_bytes: usize,
}

pub(crate) fn open(arguments: &Arguments) -> Result<Box<dyn Session>, ModuleError> {
    let columns = if arguments.text("columns")? == "all" { 12 } else { 7 };
    let method = if arguments.text("format")? == "text" { Method::Copy } else { Method::CopyBinary };
    let batch = sample::batch(ROWS, columns)?;
    let encoder = Encoder::new(method, batch.schema_ref())?;
    let mut session = Encode { method, encoder, batch, batch_bytes: 0 };
    // Chunks are cut by the size of a batch in transit, which is about this.
    session.batch_bytes = session.encoded()?.len();
    Ok(Box::new(session))
}

impl Encode {
    fn encoded(&mut self) -> Result<Vec<u8>, ModuleError> {
        let mut all = Vec::new();
        self.encoder.encode(&self.batch, self.batch_bytes, |chunk| all.extend_from_slice(chunk))?;
        Ok(all)
    }
}

impl Session for Encode {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut bytes = 0;
        for _ in 0..times {
            bytes = 0;
            self.encoder
                .encode(black_box(&self.batch), self.batch_bytes, |chunk| bytes += black_box(chunk).len() as u64)?;
        }
        Ok(Outcome { operations: times, bytes: times * bytes, checksum: if times == 0 { 0 } else { bytes } })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let encoded = self.encoded()?;
        Ok(vec![match self.method {
            Method::Copy => {
                let lines = encoded.iter().filter(|byte| **byte == b'\n').count();
                Check::equal("a-line-for-each-row", &self.batch.num_rows(), &lines)
            }
            Method::CopyBinary | Method::Insert => {
                let read_back = decode_rows(self.batch.schema_ref(), &encoded)?;
                let detail = format!("{} of {} rows were read back", read_back.num_rows(), self.batch.num_rows());
                Check::that("rows-read-back-are-the-same", read_back == self.batch, detail)
            }
        }])
    }
}
