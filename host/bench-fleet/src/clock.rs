//! How far the clock of an agent's machine is ahead. It is recorded and reported; no figure and no order depends on it.

use bench_sink::runfile::ClockRecord;
use std::time::{SystemTime, UNIX_EPOCH};

/// How often the clocks are compared each time: the fastest answer tells most.
pub(crate) const CLOCK_SAMPLES: usize = 8;

/// The clock of this machine: nanoseconds since 1970, or before it if negative.
pub fn wall_ns() -> i64 {
    let of = |duration: std::time::Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => of(since),
        Err(before) => of(before.duration()).saturating_neg(),
    }
}

/// The times of one message to an agent and of its answer: the first and the last by the clock of the coordinator, those between by the
/// agent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) sent_ns: i64,
    pub(crate) received_ns: i64,
    pub(crate) answered_ns: i64,
    pub(crate) returned_ns: i64,
}

impl Exchange {
    /// The offset, if both ways took equally long; the error is what it is off by if one way took no time.
    pub(crate) fn offset(self) -> ClockRecord {
        let there = i128::from(self.received_ns) - i128::from(self.sent_ns);
        let back = i128::from(self.answered_ns) - i128::from(self.returned_ns);
        let error = (there - back).unsigned_abs().div_ceil(2);
        ClockRecord {
            offset_ns: i64::try_from((there + back) / 2).unwrap_or(i64::MAX),
            error_ns: u64::try_from(error).unwrap_or(u64::MAX),
        }
    }
}

/// The more exact of two offsets.
pub(crate) fn better(known: Option<ClockRecord>, other: ClockRecord) -> ClockRecord {
    known.filter(|known| known.error_ns <= other.error_ns).unwrap_or(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn offset_is_right_within_its_error(
            sent_ns in 0i64..1 << 60,
            offset_ns in -300_000_000_000i64..300_000_000_000,
            there_ns in 0i64..1_000_000,
            work_ns in 0i64..1_000_000,
            back_ns in 0i64..1_000_000,
        ) {
            let received_ns = sent_ns + there_ns + offset_ns;
            let answered_ns = received_ns + work_ns;
            let returned_ns = sent_ns + there_ns + work_ns + back_ns;
            let found = Exchange { sent_ns, received_ns, answered_ns, returned_ns }.offset();
            prop_assert!(found.offset_ns.abs_diff(offset_ns) <= found.error_ns, "{:?}", found);
            prop_assert_eq!(found.error_ns, (there_ns + back_ns).unsigned_abs().div_ceil(2));
        }
    }

    #[test]
    fn most_exact_offset_counts() {
        let of = |offset_ns, error_ns| ClockRecord { offset_ns, error_ns };
        assert_eq!(better(None, of(1, 9)), of(1, 9));
        assert_eq!(better(Some(of(1, 9)), of(2, 8)), of(2, 8));
        assert_eq!(better(Some(of(1, 9)), of(2, 10)), of(1, 9));
    }
}
