//! Statistics over samples. Pure functions on slices: no clock, no file, no randomness but a seed that is an argument, and
//! no knowledge of where the samples came from.

#![forbid(unsafe_code)]

mod distribution;
mod summary;

pub use distribution::Distribution;
pub use summary::{Summary, quantile_is_supported};

/// How far `now` lies from `before`, as a share of `before`: 0.1 is ten per cent more. `None` where `before` is 0.
pub fn drift(before: f64, now: f64) -> Option<f64> {
    (before != 0.0).then(|| (now - before) / before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_a_signed_share_of_what_was_before() {
        assert_eq!(drift(100.0, 110.0), Some(0.1));
        assert_eq!(drift(100.0, 50.0), Some(-0.5));
        assert_eq!(drift(0.0, 1.0), None);
    }
}
