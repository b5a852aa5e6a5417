//! The times at which requests are due. Pure: the time is an argument.

use bench_engine::OpenLoop;
use bench_model::{Check, ModuleError};

/// When requests are meant to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ArrivalRate {
    /// Each when its connection is free, which says nothing of what waits meanwhile.
    Closed,
    /// One each period, in nanoseconds, whether the ones before are answered or not.
    Open {
        /// Nanoseconds.
        period_ns: f64,
    },
}

impl ArrivalRate {
    /// Out of the argument `rate`, where 0 is a closed loop.
    pub(super) fn of_rate(rate: i64) -> Result<Self, ModuleError> {
        match rate {
            0 => Ok(Self::Closed),
            1.. => Ok(Self::of_requests_a_second(rate as f64)),
            _ => Err(ModuleError::InvalidArgument(format!("`rate` is {rate}; give requests a second, or 0"))),
        }
    }

    /// An open loop.
    pub(super) fn of_requests_a_second(rate: f64) -> Self {
        Self::Open { period_ns: 1e9 / rate }
    }

    /// Requests a second, where there is a rate.
    pub(super) fn rate(self) -> Option<f64> {
        match self {
            Self::Closed => None,
            Self::Open { period_ns } => Some(1e9 / period_ns),
        }
    }

    /// When request `number`, counted from 0, is meant to be sent, in nanoseconds since the begin; `None` for whenever it can be.
    pub(super) fn due_ns(self, number: u64) -> Option<u64> {
        match self {
            Self::Closed => None,
            Self::Open { period_ns } => Some(((number + 1) as f64 * period_ns) as u64),
        }
    }

    /// How many requests from number `next` on were due before `end_ns`.
    pub(super) fn due_before(self, end_ns: u64, next: u64) -> u64 {
        match self {
            Self::Closed => 0,
            Self::Open { period_ns } => ((end_ns as f64 / period_ns) as u64).saturating_sub(next),
        }
    }

    /// Whether requests with these response times, the last of which was sent after `sending_ns`, were answered at the rate that was asked for,
    /// when `shed` others were not sent; `None` where no rate was asked for.
    pub(super) fn check(self, response_ns: &[u64], shed: u64, sending_ns: u64) -> Option<Check> {
        let asked = self.rate()?;
        let open_loop = OpenLoop { asked, response_ns, missing: shed, sending_ns };
        Some(open_loop.check(format_args!("{} requests and {shed} that were not sent", response_ns.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_evenly() {
        let pace = ArrivalRate::of_rate(1_000).unwrap();
        assert_eq!([0, 1, 9].map(|number| pace.due_ns(number)), [Some(1_000_000), Some(2_000_000), Some(10_000_000)]);
        assert_eq!([5_500_000, 1].map(|end_ns| pace.due_before(end_ns, 2)), [3, 0]);
        assert_eq!(ArrivalRate::of_rate(0).unwrap().due_ns(7), None);
        assert!(ArrivalRate::of_rate(-1).is_err());
    }

    #[test]
    fn a_rate_that_was_not_kept_is_void() {
        let pace = ArrivalRate::of_rate(1_000).unwrap();
        for (answered, shed, passed) in
            [(1_000, 0, true), (991, 0, true), (989, 0, false), (1_000, 5, true), (1_000, 20, false), (0, 0, false)]
        {
            let check = pace.check(&vec![1_000; answered], shed, 1_000_000_000).unwrap();
            assert_eq!(check.passed, passed, "{}", check.detail);
        }
        // Sent in time by as many connections, each of which waits longer than the one before.
        let waits: Vec<u64> = (0..1_000).map(|number| number * 100_000).collect();
        assert!(!pace.check(&waits, 0, 1_000_000_000).unwrap().passed);
        assert_eq!(ArrivalRate::Closed.check(&[], 0, 1), None);
    }
}
