//! Sessions made from a closure, for scenarios without state. A scenario that can compare its result with a known one should
//! implement `Session` itself.

use bench_model::{Check, ModuleError, Outcome, Session};
use std::hint::black_box;

/// A session that calls `operation` once per operation; the return value is the checksum.
pub fn each(operation: impl FnMut() -> u64 + 'static) -> Box<dyn Session> {
    each_of(0, operation)
}

/// Like [`each`], for an operation on `bytes` bytes of payload.
pub fn each_of(bytes: u64, operation: impl FnMut() -> u64 + 'static) -> Box<dyn Session> {
    Box::new(Each { operation, bytes, first: None, differing: 0 })
}

struct Each<F> {
    operation: F,
    bytes: u64,
    first: Option<u64>,
    /// The number of batches whose checksum differs from the first one.
    differing: u64,
}

impl<F: FnMut() -> u64> Session for Each<F> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut checksum = self.first.unwrap_or_default();
        for _ in 0..times {
            checksum = black_box((self.operation)());
        }
        if times > 0 {
            self.differing += u64::from(*self.first.get_or_insert(checksum) != checksum);
        }
        Ok(Outcome { operations: times, bytes: times * self.bytes, checksum })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![
            Check::that("has-result", self.first.is_some(), "an operation was executed"),
            Check::equal("same-result-in-every-batch", &0, &self.differing),
        ])
    }
}
