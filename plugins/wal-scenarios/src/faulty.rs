//! A log in memory that does what a broken one would. It must not know which check is to find it out.

use super::*;

/// What happens to the payload of one sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It is acknowledged and never written, so that the ones behind it come to lie in its place.
    Lost,
    /// Its last byte changes.
    Altered,
    /// The one before it is read instead.
    Another,
    /// It is read as nothing.
    Empty,
    /// It is given another sequence than it has.
    Misnumbered,
}

impl Fault {
    /// What fails where the fault is met by an append.
    pub(crate) const WRITTEN: [(Self, &[&str]); 6] = [
        (Self::None, &[]),
        (Self::Lost, &["nothing-lost", "order"]),
        (Self::Altered, &["content"]),
        (Self::Another, &["order"]),
        (Self::Empty, &["content"]),
        (Self::Misnumbered, &["sequences"]),
    ];

    /// What fails where the fault is met by a read.
    pub(crate) const READ: [(Self, &[&str]); 5] = [
        (Self::None, &[]),
        (Self::Lost, &["nothing-lost", "the-one-that-was-asked-for", "content"]),
        (Self::Altered, &["content"]),
        (Self::Another, &["the-one-that-was-asked-for", "content"]),
        (Self::Empty, &["the-one-that-was-asked-for", "content"]),
    ];
}

pub(crate) struct Faulty {
    fault: Fault,
    at: u64,
    given: u64,
    payloads: Vec<Vec<u8>>,
}

impl Faulty {
    /// A log with `fault` at sequence `at`.
    pub(crate) fn new(fault: Fault, at: u64) -> Self {
        Self { fault, at, given: 0, payloads: Vec::new() }
    }

    fn is_at(&self, sequence: u64, fault: Fault) -> bool {
        self.at == sequence && self.fault == fault
    }
}

impl Journal for Faulty {
    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError> {
        let sequence = self.given;
        self.given += 1;
        if !self.is_at(sequence, Fault::Lost) {
            self.payloads.push(payload.to_vec());
        }
        Ok(if self.is_at(sequence, Fault::Misnumbered) { sequence + 7 } else { sequence })
    }

    fn append_batch(&mut self, payloads: &[Vec<u8>]) -> Result<Range<u64>, ModuleError> {
        let mut sequences = self.given..self.given;
        for payload in payloads {
            sequences.end = self.append(payload)? + 1;
        }
        Ok(sequences)
    }

    fn read(&mut self, sequence: u64, read: impl FnOnce(&[u8])) -> Result<(), ModuleError> {
        let another = u64::from(self.is_at(sequence, Fault::Another));
        // What is not there is read as something else; the count of payloads is what must tell.
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

    fn readable(&mut self) -> Result<Range<u64>, ModuleError> {
        Ok(0..self.payloads.len() as u64)
    }
}

/// Performs 60 operations and says which checks failed. The result is the same at each batch where none did.
pub(crate) fn failed(session: &mut impl Session) -> Vec<String> {
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
