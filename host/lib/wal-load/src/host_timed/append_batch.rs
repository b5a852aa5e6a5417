//! One batch of payloads at a time: one operation is one batch.

use crate::{Journal, Payloads, verify};
use bench_model::{Check, ModuleError, Outcome, Session};

pub(super) struct AppendBatch<J> {
    journal: J,
    payloads: Payloads,
    batch: usize,
    misnumbered: u64,
}

impl<J: Journal> AppendBatch<J> {
    pub(super) fn new(journal: J, payload_bytes: usize, batch: usize) -> Result<Self, ModuleError> {
        Ok(Self { journal, payloads: Payloads::new(payload_bytes, batch)?, batch, misnumbered: 0 })
    }
}

impl<J: Journal> Session for AppendBatch<J> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            let expected = self.payloads.count()..self.payloads.count() + self.batch as u64;
            let batch = J::prepare(self.payloads.advance_batch(self.batch));
            let sequences = self.journal.append_batch(&batch)?;
            self.misnumbered += u64::from(sequences != expected);
        }
        let bytes = times * (self.batch * self.payloads.bytes()) as u64;
        let checksum = self.payloads.digest().wrapping_add(self.misnumbered);
        Ok(Outcome { operations: times, bytes, checksum })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        verify(&mut self.journal, &self.payloads, self.misnumbered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_timed::faulty::{Fault, Faulty, failed};

    #[test]
    fn each_fault_fails_its_checks() {
        for batch in [1, 3] {
            for (fault, expect) in Fault::APPENDED {
                let mut session = AppendBatch::new(Faulty::new(fault, 8), 64, batch).unwrap();
                assert_eq!(failed(&mut session), expect, "{fault:?}");
            }
        }
    }
}
