//! One message at a time: pushed, popped, checked. Measures the ring's latency without another thread.

use crate::ends::{self, Ends};
use crate::message::{self, Receiver};
use bench_plugin::prelude::*;

pub(crate) struct Roundtrip<E> {
    ends: E,
    message: Vec<u8>,
    sent: u64,
    receiver: Receiver,
}

impl<E: Ends> Roundtrip<E> {
    pub(crate) fn open(mut ends: E, payload_bytes: usize) -> Result<Self, ModuleError> {
        let message = message::new(payload_bytes);
        ends::try_out(&mut ends, &message)?;
        Ok(Self { ends, message, sent: 0, receiver: Receiver::new(payload_bytes) })
    }
}

impl<E: Ends> Session for Roundtrip<E> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            message::number(&mut self.message, self.sent);
            if let Err(error) = self.ends.push(&self.message) {
                return Err(ModuleError::Other(format!(
                    "message {} does not fit in the empty ring: {error:?}",
                    self.sent
                )));
            }
            self.sent += 1;
            // A lost message is missing from the receiver's count.
            self.ends.pop(|message| self.receiver.take(message))?;
        }
        let bytes = times * self.message.len() as u64;
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
        assert_eq!(failed(&mut Roundtrip::open(Faulty::new(4, fault, 8), 64).unwrap()), expect, "{fault:?}");
    }

    #[test]
    fn each_fault_fails_its_checks() {
        check(Fault::None, &[]);
        check(Fault::Lost, &["order", "nothing-lost"]);
        check(Fault::Altered, &["content"]);
        check(Fault::Repeated, &["order"]);
    }
}
