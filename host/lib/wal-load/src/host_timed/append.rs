//! One payload at a time.

use crate::{Journal, Payloads, verify};
use bench_model::{Check, ModuleError, Outcome, Session};

pub(super) struct Append<J> {
    journal: J,
    payloads: Payloads,
    misnumbered: u64,
}

impl<J: Journal> Append<J> {
    pub(super) fn new(journal: J, payload_bytes: usize) -> Result<Self, ModuleError> {
        Ok(Self { journal, payloads: Payloads::new(payload_bytes, 1)?, misnumbered: 0 })
    }
}

impl<J: Journal> Session for Append<J> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            let expected = self.payloads.count();
            let sequence = self.journal.append(self.payloads.advance())?;
            self.misnumbered += u64::from(sequence != expected);
        }
        let bytes = times * self.payloads.bytes() as u64;
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
        for (fault, expect) in Fault::APPENDED {
            assert_eq!(failed(&mut Append::new(Faulty::new(fault, 8), 64).unwrap()), expect, "{fault:?}");
        }
    }
}
