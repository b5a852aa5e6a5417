//! One payload at a time, read at random out of two segments' worth of them. Of each it is looked at whether it is the one
//! that was asked for; whether it is whole is looked at afterwards, because that would cost more than the read.

use crate::{Journal, payload};
use bench_plugin::prelude::*;

/// More payloads than any processor's cache has room for the places of.
const PAYLOADS_MAX: usize = 100_000;

/// Payloads that are looked at as a whole.
const LOOKED_AT: usize = 1_000;

/// Bytes that a log takes for a payload beyond its own, at most.
const HEAD_BYTES_MAX: usize = 64;

/// Bytes that are appended at once to fill the log.
const CHUNK_BYTES: usize = 1 << 20;

const SEED: u64 = 0x0072_6561_6400;

pub(crate) struct Read<J> {
    journal: J,
    expected: Vec<u8>,
    digest: u64,
    /// How many there are.
    payloads: u32,
    sequences: Box<dyn Iterator<Item = u32>>,
    wrong: u64,
    read: u64,
}

impl<J: Journal> Read<J> {
    /// Fills the log with payloads, as many as two segments of `segment_bytes` have room for.
    pub(crate) fn new(mut journal: J, payload_bytes: usize, segment_bytes: usize) -> Result<Self, ModuleError> {
        let expected = payload::new(payload_bytes);
        let payloads = (2 * segment_bytes / (payload_bytes + HEAD_BYTES_MAX)).clamp(1, PAYLOADS_MAX);
        let chunk = (CHUNK_BYTES / payload_bytes).clamp(1, payloads);
        let mut batch = vec![expected.clone(); chunk];
        let mut next = 0;
        while next < payloads {
            batch.truncate(payloads - next);
            (next as u64..).zip(&mut batch).for_each(|(sequence, payload)| payload::number(payload, sequence));
            journal.append_batch(&batch)?;
            next += batch.len();
        }
        let digest = payload::digest(&expected);
        // Not more than `PAYLOADS_MAX`.
        let payloads = payloads as u32;
        let sequences = Box::new(sequences(payloads));
        Ok(Self { journal, expected, digest, payloads, sequences, wrong: 0, read: 0 })
    }
}

/// Sequences below `payloads`, drawn at random; the same at each call.
fn sequences(payloads: u32) -> impl Iterator<Item = u32> {
    // The upper half of the product is evenly spread below `payloads`, but for a part in 2^32.
    payload::random(SEED).map(move |number| ((u64::from(number) * u64::from(payloads)) >> 32) as u32)
}

impl<J: Journal> Session for Read<J> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let bytes = self.expected.len();
        for _ in 0..times {
            let sequence = self.sequences.next().map_or(0, u64::from);
            let wrong = &mut self.wrong;
            self.journal.read(sequence, |found| {
                *wrong += u64::from(found.len() != bytes || payload::sequence(found) != Some(sequence));
            })?;
        }
        self.read += times;
        Ok(Outcome { operations: times, bytes: times * bytes as u64, checksum: self.digest.wrapping_add(self.wrong) })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let readable = self.journal.readable()?;
        let mut altered = 0_u64;
        for sequence in sequences(self.payloads).take(LOOKED_AT).map(u64::from) {
            payload::number(&mut self.expected, sequence);
            self.journal.read(sequence, |found| altered += u64::from(found != self.expected))?;
        }
        Ok(vec![
            Check::equal("nothing-lost", &u64::from(self.payloads), &readable.end),
            Check::equal("the-one-that-was-asked-for", &0, &self.wrong),
            Check::equal("content", &0, &altered),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faulty::{Fault, Faulty, failed};

    #[test]
    fn each_fault_fails_its_checks() {
        for (fault, expect) in Fault::READ {
            // Four payloads, each of which is read soon.
            assert_eq!(failed(&mut Read::new(Faulty::new(fault, 2), 64, 256).unwrap()), expect, "{fault:?}");
        }
    }

    #[test]
    fn every_payload_is_drawn_and_none_beyond() {
        let mut seen = [false; 100];
        sequences(100).take(2_000).for_each(|sequence| seen[sequence as usize] = true);
        assert!(seen.iter().all(|seen| *seen));
        assert!(sequences(1).take(100).all(|sequence| sequence == 0));
    }
}
