//! Bursts that fill the ring and drain it. Measures throughput; in a component a batch amortises the cost of the
//! boundary.

use crate::ends::{self, Ends};
use crate::message::{self, Receiver};
use bench_plugin::prelude::*;

/// A batch fits in the second-level cache, and in a component's memory many times.
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// In larger batches the cost of the boundary is negligible.
const BATCH_MESSAGES_MAX: usize = 256;

pub(crate) struct Stream<E> {
    ends: E,
    /// Overwritten for each batch, so that nothing is allocated while the clock runs.
    batch: Vec<Vec<u8>>,
    /// Messages that the ring holds. More are not offered, because a component would copy them to the host in vain.
    burst: u64,
    payload_bytes: usize,
    sent: u64,
    receiver: Receiver,
}

impl<E: Ends> Stream<E> {
    pub(crate) fn open(mut ends: E, payload_bytes: usize) -> Result<Self, ModuleError> {
        let message = message::new(payload_bytes);
        let burst = ends::try_out(&mut ends, &message)?;
        let batch = vec![message; (BATCH_BYTES_MAX / payload_bytes).clamp(1, BATCH_MESSAGES_MAX)];
        Ok(Self { ends, batch, burst, payload_bytes, sent: 0, receiver: Receiver::new(payload_bytes) })
    }

    /// Pushes up to `left` messages until the ring is full; returns how many.
    fn fill(&mut self, left: u64) -> u64 {
        let (mut pushed, burst) = (0, left.min(self.burst));
        loop {
            let wanted = usize::try_from(burst - pushed).unwrap_or(usize::MAX).min(self.batch.len());
            let batch = &mut self.batch[..wanted];
            batch.iter_mut().zip(self.sent..).for_each(|(message, sequence)| message::number(message, sequence));
            let taken = self.ends.push_batch(batch);
            pushed += taken as u64;
            self.sent += taken as u64;
            if taken < wanted || pushed == burst {
                return pushed;
            }
        }
    }

    /// Pops until all messages have arrived, or the ring is empty.
    fn drain(&mut self) -> Result<(), ModuleError> {
        while self.receiver.received() < self.sent {
            if self.ends.pop_batch(self.batch.len(), |message| self.receiver.take(message))? == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl<E: Ends> Session for Stream<E> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            let pushed = self.fill(left);
            if pushed == 0 {
                return Err(ModuleError::Other(format!("message {} does not fit in the drained ring", self.sent)));
            }
            self.drain()?;
            left -= pushed;
        }
        let bytes = times * self.payload_bytes as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.receiver.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(self.receiver.checks(self.sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ends::faulty::{Fault, Faulty, failed};

    fn check(fault: Fault, expect: &[&str]) {
        for messages_max in [2, 3, 1000] {
            // The fault comes after `try_out`.
            let ring = Faulty::new(messages_max, fault, messages_max + 4);
            let mut stream = Stream::open(ring, 64).unwrap();
            assert_eq!(failed(&mut stream), expect, "{fault:?} in a ring of {messages_max}");
        }
    }

    #[test]
    fn each_fault_fails_its_checks() {
        check(Fault::None, &[]);
        check(Fault::Lost, &["order", "nothing-lost"]);
        check(Fault::Altered, &["content"]);
    }

    #[test]
    fn a_ring_that_accepts_nothing_is_an_error() {
        struct Stuck;
        impl Ends for Stuck {
            fn push(&mut self, _: &[u8]) -> Result<(), bench_plugin::PushError> {
                Ok(())
            }
            fn push_batch(&mut self, _: &[Vec<u8>]) -> usize {
                0
            }
            fn pop(&mut self, _: impl FnOnce(&[u8])) -> Result<bool, ModuleError> {
                Ok(false)
            }
            fn pop_batch(&mut self, _: usize, _: impl FnMut(&[u8])) -> Result<usize, ModuleError> {
                Ok(0)
            }
        }
        let (message, receiver) = (message::new(64), Receiver::new(64));
        let mut stream = Stream { ends: Stuck, batch: vec![message], burst: 1, payload_bytes: 64, sent: 0, receiver };
        assert!(stream.iterate(0).is_ok());
        assert!(stream.iterate(1).is_err());
    }
}
