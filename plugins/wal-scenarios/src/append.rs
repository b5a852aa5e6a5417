//! One payload at a time. It must not know what an append costs, nor wait for anything but its return.

use crate::{Journal, look_back, payload};
use bench_plugin::prelude::*;

pub(crate) struct Append<J> {
    journal: J,
    payload: Vec<u8>,
    digest: u64,
    appended: u64,
    misplaced: u64,
}

impl<J: Journal> Append<J> {
    pub(crate) fn new(journal: J, payload_bytes: usize) -> Self {
        let payload = payload::new(payload_bytes);
        Self { journal, digest: payload::digest(&payload), payload, appended: 0, misplaced: 0 }
    }
}

impl<J: Journal> Session for Append<J> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            payload::number(&mut self.payload, self.appended);
            let sequence = self.journal.append(&self.payload)?;
            self.misplaced += u64::from(sequence != self.appended);
            self.appended += 1;
        }
        let bytes = times * self.payload.len() as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.digest.wrapping_add(self.misplaced) })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        look_back::checks(&mut self.journal, self.payload.clone(), self.appended, self.misplaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faulty::{Fault, Faulty, failed};

    #[test]
    fn each_fault_fails_its_checks() {
        for (fault, expect) in Fault::WRITTEN {
            assert_eq!(failed(&mut Append::new(Faulty::new(fault, 8), 64)), expect, "{fault:?}");
        }
    }
}
