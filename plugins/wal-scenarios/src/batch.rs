//! One batch of payloads at a time: an operation is a batch, whatever its size. It must not know what the log makes of it.

use crate::{Journal, look_back, payload};
use bench_plugin::prelude::*;

pub(crate) struct Batch<J> {
    journal: J,
    /// Written over for each batch, so that no payload is allocated while the clock runs.
    payloads: Vec<Vec<u8>>,
    payload_bytes: usize,
    digest: u64,
    appended: u64,
    misplaced: u64,
}

impl<J: Journal> Batch<J> {
    pub(crate) fn new(journal: J, payload_bytes: usize, payloads: usize) -> Self {
        let payload = payload::new(payload_bytes);
        let digest = payload::digest(&payload).wrapping_mul(payloads as u64);
        Self { journal, payloads: vec![payload; payloads], payload_bytes, digest, appended: 0, misplaced: 0 }
    }
}

impl<J: Journal> Session for Batch<J> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let batch = self.payloads.len() as u64;
        for _ in 0..times {
            let expected = self.appended..self.appended + batch;
            expected.clone().zip(&mut self.payloads).for_each(|(sequence, payload)| payload::number(payload, sequence));
            let sequences = self.journal.append_batch(&self.payloads)?;
            self.misplaced += u64::from(sequences != expected);
            self.appended += batch;
        }
        let bytes = times * batch * self.payload_bytes as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.digest.wrapping_add(self.misplaced) })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        look_back::checks(&mut self.journal, payload::new(self.payload_bytes), self.appended, self.misplaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faulty::{Fault, Faulty, failed};

    #[test]
    fn each_fault_fails_its_checks() {
        for payloads in [1, 3] {
            for (fault, expect) in Fault::WRITTEN {
                assert_eq!(failed(&mut Batch::new(Faulty::new(fault, 8), 64, payloads)), expect, "{fault:?}");
            }
        }
    }
}
