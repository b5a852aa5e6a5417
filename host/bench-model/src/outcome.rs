//! The outcome of a batch of operations, and checks of its result.

/// Raw counts of one batch of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The number of executed operations.
    pub operations: u64,
    /// The number of processed payload bytes; 0 if operations have none.
    pub bytes: u64,
    /// The digest of one operation's result, which must be equal for equal arguments in every batch, process and arm.
    pub checksum: u64,
}

/// A check by a module whether its result is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The name, unique in the scenario.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// The expected and the found value.
    pub detail: String,
}

/// The reserved name of the check that an open loop achieved the requested rate. If only checks of this kind fail, the repetition is
/// void instead of failed.
pub const ACHIEVED_RATE: &str = "achieved-rate";

/// The name of the check that a rate was found at which the latency is below a bound. It is reserved like [`ACHIEVED_RATE`].
pub const LATENCY_BOUND: &str = "p99-bound";

/// The name of the check that the machine did not stand still in an open loop. It is reserved like [`ACHIEVED_RATE`].
pub const STANDSTILL: &str = "standstill";

/// An open loop is void if at least this share of its operations was held up by the machine: more than the 99th percentile leaves out.
const HELD_UP_MAX: f64 = 0.01;

/// An open loop that achieves less than this share of the requested rate is void.
const ACHIEVED_RATE_MIN: f64 = 0.99;

impl Check {
    /// The check that an open loop achieved the requested rate, both in operations per second. `over` says what was counted
    /// (`1000 requests`).
    pub fn achieved_rate(asked: f64, achieved: f64, over: impl std::fmt::Display) -> Self {
        let detail = format!(
            "asked for {asked:.0}/s, achieved {achieved:.0}/s over {over}, wanted at least {:.0} %; ask for less",
            100.0 * ACHIEVED_RATE_MIN
        );
        Self::that(ACHIEVED_RATE, achieved >= ACHIEVED_RATE_MIN * asked, detail)
    }

    /// The check that fewer than 1 % of the operations of an open loop were held up because the machine stood still while the thread had
    /// nothing to do but to wait for the next one: those that were due then, and those that waited behind them.
    pub fn was_running(held_up: u64, operations: u64) -> Self {
        let share = held_up as f64 / (operations as f64).max(1.0);
        let detail = format!(
            "the machine stood still when {held_up} of {operations} operations were due or waited behind such ({:.2} %), wanted less than {:.0} %",
            100.0 * share,
            100.0 * HELD_UP_MAX
        );
        Self::that(STANDSTILL, share < HELD_UP_MAX, detail)
    }

    /// Whether a failure of this check means that the machine was too slow, not that a result is wrong.
    pub fn is_of_machine(&self) -> bool {
        [ACHIEVED_RATE, LATENCY_BOUND, STANDSTILL].contains(&self.name.as_str())
    }

    /// A check that `found` equals `expected`; the detail shows both.
    pub fn equal<T: PartialEq + std::fmt::Debug + ?Sized>(name: impl Into<String>, expected: &T, found: &T) -> Self {
        Self { name: name.into(), passed: expected == found, detail: format!("expected {expected:?}, found {found:?}") }
    }

    /// A check of a condition, which `detail` describes.
    pub fn that(name: impl Into<String>, passed: bool, detail: impl Into<String>) -> Self {
        Self { name: name.into(), passed, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_achieved_at_99_per_cent() {
        for (achieved, passed) in [(1_000.0, true), (990.0, true), (989.0, false), (0.0, false)] {
            let check = Check::achieved_rate(1_000.0, achieved, "500 operations");
            assert_eq!((check.passed, check.is_of_machine()), (passed, true), "{}", check.detail);
        }
        assert!(!Check::that("right", false, "").is_of_machine());
    }

    #[test]
    fn machine_was_running_if_it_held_up_less_than_one_per_cent() {
        for (held_up, passed) in [(0, true), (9, true), (10, false), (1_000, false)] {
            let check = Check::was_running(held_up, 1_000);
            assert_eq!((check.passed, check.is_of_machine()), (passed, true), "{}", check.detail);
        }
        assert!(Check::was_running(0, 0).passed);
    }
}
