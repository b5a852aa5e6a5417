//! A log in memory with one fault, for tests of the checks.

use crate::{Journal, RandomRead};
use bench_model::{ModuleError, Session};
use std::ops::Range;

/// What happens to the payload with one sequence number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It is acknowledged but never written, so the payloads after it move up.
    Lost,
    /// Its last byte changes.
    Altered,
    /// The payload before it is read instead.
    Another,
    /// It is read as an empty payload.
    Empty,
    /// The log returns the wrong sequence number for it.
    Misnumbered,
}

impl Fault {
    /// The checks that fail if the log that is appended to has the fault.
    pub(super) const APPENDED: [(Self, &[&str]); 6] = [
        (Self::None, &[]),
        (Self::Lost, &["nothing-lost", "read-back-order"]),
        (Self::Altered, &["read-back-content"]),
        (Self::Another, &["read-back-order"]),
        (Self::Empty, &["read-back-order", "read-back-content"]),
        (Self::Misnumbered, &["sequences"]),
    ];

    /// The checks that fail if the log that is read has the fault.
    pub(super) const READ: [(Self, &[&str]); 5] = [
        (Self::None, &[]),
        (Self::Lost, &["nothing-lost", "requested-payload", "content"]),
        (Self::Altered, &["content"]),
        (Self::Another, &["requested-payload", "content"]),
        (Self::Empty, &["requested-payload", "content"]),
    ];
}

pub(super) struct Faulty {
    fault: Fault,
    at: u64,
    given: u64,
    payloads: Vec<Vec<u8>>,
}

impl Faulty {
    /// A log with `fault` at the sequence number `at`.
    pub(super) fn new(fault: Fault, at: u64) -> Self {
        Self { fault, at, given: 0, payloads: Vec::new() }
    }

    fn is_at(&self, sequence: u64, fault: Fault) -> bool {
        self.at == sequence && self.fault == fault
    }
}

impl Journal for Faulty {
    type Batch<'a> = &'a [Vec<u8>];

    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError> {
        let sequence = self.given;
        self.given += 1;
        if !self.is_at(sequence, Fault::Lost) {
            self.payloads.push(payload.to_vec());
        }
        Ok(if self.is_at(sequence, Fault::Misnumbered) { sequence + 7 } else { sequence })
    }

    fn prepare(payloads: &[Vec<u8>]) -> &[Vec<u8>] {
        payloads
    }

    fn append_batch(&mut self, payloads: &&[Vec<u8>]) -> Result<Range<u64>, ModuleError> {
        let mut sequences = self.given..self.given;
        for payload in *payloads {
            sequences.end = self.append(payload)? + 1;
        }
        Ok(sequences)
    }

    fn readable(&mut self) -> Result<Range<u64>, ModuleError> {
        Ok(0..self.payloads.len() as u64)
    }

    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError> {
        let sequences = self.readable()?;
        (sequences.end - count..sequences.end).try_for_each(|sequence| self.read(sequence, &mut *read))
    }
}

impl RandomRead for Faulty {
    fn read(&mut self, sequence: u64, read: impl FnOnce(&[u8])) -> Result<(), ModuleError> {
        let another = u64::from(self.is_at(sequence, Fault::Another));
        // A missing payload is read as another one, so only the count can show that it is missing.
        let index = (sequence - another).min(self.payloads.len() as u64 - 1);
        let mut payload = self.payloads[index as usize].clone();
        if self.is_at(sequence, Fault::Altered) {
            *payload.last_mut().unwrap() ^= 1;
        }
        if self.is_at(sequence, Fault::Empty) {
            payload.clear();
        }
        read(&payload);
        Ok(())
    }
}

/// Performs 60 operations and returns the names of the checks that failed. Where none did, the checksums must be equal.
pub(super) fn failed(session: &mut impl Session) -> Vec<String> {
    let mut checksums = Vec::new();
    for times in [0, 20, 40] {
        let outcome = session.iterate(times).unwrap();
        assert_eq!(outcome.operations, times);
        checksums.push(outcome.checksum);
    }
    let failed: Vec<_> =
        session.verify().unwrap().into_iter().filter(|check| !check.passed).map(|check| check.name).collect();
    if failed.is_empty() {
        assert!(checksums.iter().all(|checksum| *checksum == checksums[0]), "{checksums:?}");
    }
    failed
}
