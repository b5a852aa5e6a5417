//! One payload at a time, read at random from two full segments. While the clock runs only the number of each payload is
//! compared; whole payloads are compared afterwards, because that would cost more than the read.

use crate::payload::number_of;
use crate::{Payloads, RandomRead};
use bench_model::{Check, ModuleError, Outcome, Session};

/// Upper bound of the payloads, enough that their places do not fit in any processor's cache.
const PAYLOADS_MAX: usize = 100_000;

/// Payloads that are compared as a whole.
const COMPARED: usize = 1_000;

/// Upper bound of the bytes that a log adds to each payload.
const HEAD_BYTES_MAX: usize = 64;

/// Bytes of the batches that fill the log.
const CHUNK_BYTES: usize = 1 << 20;

const SEED: u64 = 0x0072_6561_6400;

pub(super) struct Read<J> {
    journal: J,
    payloads: Payloads,
    /// How many payloads the log contains.
    count: u32,
    sequences: Box<dyn Iterator<Item = u32>>,
    wrong: u64,
}

impl<J: RandomRead> Read<J> {
    /// Fills the log with as many payloads as fit in two segments of `segment_bytes`.
    pub(super) fn new(mut journal: J, payload_bytes: usize, segment_bytes: usize) -> Result<Self, ModuleError> {
        let count = (2 * segment_bytes / (payload_bytes + HEAD_BYTES_MAX)).clamp(1, PAYLOADS_MAX);
        let batch = (CHUNK_BYTES / payload_bytes).clamp(1, count);
        let mut payloads = Payloads::new(payload_bytes, batch)?;
        let mut left = count;
        while left > 0 {
            let size = batch.min(left);
            journal.append_batch(&J::prepare(payloads.advance_batch(size)))?;
            left -= size;
        }
        // At most `PAYLOADS_MAX`.
        let count = count as u32;
        Ok(Self { journal, payloads, count, sequences: Box::new(sequences(count)), wrong: 0 })
    }
}

/// Sequence numbers below `count`, drawn at random; the same at each call.
fn sequences(count: u32) -> impl Iterator<Item = u32> {
    // The upper half of the product is uniform below `count`, up to a bias of 2^-32.
    random(SEED).map(move |number| ((u64::from(number) * u64::from(count)) >> 32) as u32)
}

/// Pseudo-random numbers of 32 bits, the same for the same seed: the upper half of xorshift64* (Marsaglia 2003, Vigna 2016).
fn random(seed: u64) -> impl Iterator<Item = u32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    })
}

impl<J: RandomRead> Session for Read<J> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let bytes = self.payloads.bytes();
        for _ in 0..times {
            let sequence = self.sequences.next().map_or(0, u64::from);
            let wrong = &mut self.wrong;
            self.journal.read(sequence, |found| {
                *wrong += u64::from(found.len() != bytes || number_of(found) != sequence);
            })?;
        }
        let checksum = self.payloads.digest().wrapping_add(self.wrong);
        Ok(Outcome { operations: times, bytes: times * bytes as u64, checksum })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let readable = self.journal.readable()?;
        let mut altered = 0_u64;
        for sequence in sequences(self.count).take(COMPARED).map(u64::from) {
            let expected = self.payloads.expected(sequence);
            self.journal.read(sequence, |found| altered += u64::from(found != expected))?;
        }
        Ok(vec![
            Check::equal("nothing-lost", &u64::from(self.count), &readable.end),
            Check::equal("requested-payload", &0, &self.wrong),
            Check::equal("content", &0, &altered),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_timed::faulty::{Fault, Faulty, failed};

    #[test]
    fn each_fault_fails_its_checks() {
        for (fault, expect) in Fault::READ {
            // Four payloads, each of which is read soon.
            assert_eq!(failed(&mut Read::new(Faulty::new(fault, 2), 64, 256).unwrap()), expect, "{fault:?}");
        }
    }

    #[test]
    fn every_sequence_below_the_count_is_drawn() {
        let mut seen = [false; 100];
        sequences(100).take(2_000).for_each(|sequence| seen[sequence as usize] = true);
        assert!(seen.iter().all(|seen| *seen));
        assert!(sequences(1).take(100).all(|sequence| sequence == 0));
    }
}
