//! Compares what a log returns with what was appended to it.

use crate::payload::number_of;
use crate::{Journal, Payloads};
use bench_model::{Check, ModuleError};

/// Payloads that are read back in one verification.
const READ_BACK_MAX: u64 = 10_000;

/// Bytes that are compared in one verification. Beyond them only the order is checked.
const COMPARED_BYTES_MAX: u64 = 64 << 20;

/// Reads the newest payloads back from `journal` and checks count, order and content. `misnumbered` is how many payloads the
/// log gave another sequence number than the next one.
pub fn verify(journal: &mut impl Journal, payloads: &Payloads, misnumbered: u64) -> Result<Vec<Check>, ModuleError> {
    let readable = journal.readable()?;
    // Fewer of large payloads, so that reading them back does not take longer.
    let available = readable.end.saturating_sub(readable.start).min(payloads.count());
    let wanted = available.min(READ_BACK_MAX).min(COMPARED_BYTES_MAX / payloads.bytes() as u64);
    let mut read_back = ReadBack::of_newest(payloads.count(), wanted);
    journal.read_last(wanted, &mut |payload| read_back.take(payloads, payload))?;
    let mut checks = vec![
        Check::equal("sequences", &0, &misnumbered),
        Check::equal("nothing-lost", &payloads.count(), &readable.end),
        Check::that(
            "read-back",
            payloads.count() == 0 || wanted > 0,
            format!("{wanted} payloads of {}", payloads.count()),
        ),
    ];
    checks.extend(read_back.checks(payloads, wanted));
    Ok(checks)
}

/// Payloads that were read back in the order in which they were appended, and what was wrong with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadBack {
    /// The number that the first one has; it matters for payloads that are shorter than a number.
    first: u64,
    payloads: u64,
    last: Option<u64>,
    out_of_order: u64,
    altered: u64,
}

impl ReadBack {
    /// For the newest `wanted` of `count` payloads.
    pub fn of_newest(count: u64, wanted: u64) -> Self {
        Self { first: count.saturating_sub(wanted), payloads: 0, last: None, out_of_order: 0, altered: 0 }
    }

    /// Compares the next payload that was read back.
    pub fn take(&mut self, payloads: &Payloads, found: &[u8]) {
        let len = payloads.bytes();
        // A payload shorter than its number holds only the low bytes, so the order supplies the number, and the content is compared.
        let number = match self.last {
            None if len < 8 => self.first,
            Some(last) if len < 8 => last + 1,
            _ => number_of(found),
        };
        self.out_of_order += u64::from(self.last.is_some_and(|last| number != last.wrapping_add(1)));
        if self.payloads * (len as u64) < COMPARED_BYTES_MAX {
            self.altered += u64::from(payloads.expected(number) != found);
        }
        self.last = Some(number);
        self.payloads += 1;
    }

    /// The checks, where the last `wanted` of all payloads so far were asked for.
    pub fn checks(&self, payloads: &Payloads, wanted: u64) -> Vec<Check> {
        let newest = payloads.count().checked_sub(1).filter(|_| wanted > 0);
        vec![
            Check::equal("read-back-count", &wanted, &self.payloads),
            Check::equal("read-back-order", &0, &self.out_of_order),
            Check::equal("read-back-content", &0, &self.altered),
            Check::equal("read-back-newest", &newest, &self.last),
        ]
    }
}
