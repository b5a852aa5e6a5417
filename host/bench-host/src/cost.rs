//! Estimates before a run how much it measures and how long it takes.

mod earlier;

use crate::effort::{Effort, PairedEffort};
use bench_engine::{Expected, Forecast, Repetition};
use std::time::Duration;

pub(crate) use earlier::earlier;

/// Time to start a worker, load a module whose code is cached, and verify twice.
const AROUND_NS: u64 = 100_000_000;

/// Time to count the resource usage of one cell in a worker of its own.
const ACCOUNT_NS: u64 = 100_000_000;

/// Time to measure the rooflines once: with little effort, and with more.
const CALIBRATION_NS: [u64; 2] = [1_000_000_000, 4_000_000_000];

/// The estimate for a run.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    /// What is measured: `12 cells`, `3 comparisons`.
    what: String,
    processes: u32,
    /// Of one repetition; `None` if the effort is a number of operations.
    measured_ns: Option<u64>,
    iterations: Option<u64>,
    expected: Expected,
    /// Whether it took as long before.
    is_known: bool,
}

impl Cost {
    /// The estimate for so many cells, measured one after the other.
    pub(crate) fn of_cells(cells: usize, effort: &Effort) -> Self {
        let warm_up_ns = effort.budget.warm_up_ns;
        Self {
            what: counted(cells, "cell"),
            processes: effort.processes,
            measured_ns: effort.time_ns(),
            iterations: effort.iterations(),
            expected: Expected {
                measured_ns: effort.time_ns().map(|time_ns| time_ns + warm_up_ns),
                around_ns: AROUND_NS,
                first_ns: ACCOUNT_NS,
                after_ns: calibration_ns(effort),
            },
            is_known: false,
        }
    }

    /// The estimate for so many comparisons, the largest of which has so many arms.
    pub(crate) fn of_comparisons(comparisons: usize, arms: usize, effort: &Effort, paired: &PairedEffort) -> Self {
        let sessions = 2 * arms as u64;
        let budget = paired.budget;
        let measured_ns = budget.time_ns + sessions * budget.warm_up_ns + arms as u64 * paired.ledger_ns;
        Self {
            what: counted(comparisons, "comparison"),
            processes: effort.processes,
            measured_ns: Some(budget.time_ns),
            iterations: None,
            expected: Expected {
                measured_ns: Some(measured_ns),
                around_ns: arms as u64 * AROUND_NS,
                first_ns: arms as u64 * ACCOUNT_NS,
                after_ns: calibration_ns(effort),
            },
            is_known: false,
        }
    }

    /// The estimate if the whole run, which is `repetitions`, took so long before.
    pub(crate) fn known(mut self, took: Option<Duration>, repetitions: &[Repetition]) -> Self {
        let (Some(took), false) = (took, repetitions.is_empty()) else { return self };
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let expected = &mut self.expected;
        let firsts = repetitions.iter().filter(|repetition| repetition.process == 0).count() as u64;
        let each_ns =
            took_ns.saturating_sub(2 * expected.after_ns + firsts * expected.first_ns) / repetitions.len() as u64;
        let measured_ns = expected.measured_ns.unwrap_or_default().min(each_ns);
        (expected.measured_ns, expected.around_ns) = (Some(measured_ns), each_ns - measured_ns);
        self.is_known = true;
        self
    }

    /// The estimate of `repetitions`, and the line that says it. Comparisons that are measured until they are decided take the time that they
    /// were given, whatever they `took` before, so that is not looked up.
    pub(crate) fn announced(
        self,
        until_decided_ns: Option<u64>,
        took: impl FnOnce() -> Option<Duration>,
        repetitions: &[Repetition],
    ) -> (Self, String) {
        match until_decided_ns {
            Some(within_ns) => {
                let within = duration(Duration::from_nanos(within_ns + 2 * self.expected.after_ns));
                let line = format!("{} until decided: at most about {within}", self.what);
                (self, line)
            }
            None => {
                let cost = self.known(took(), repetitions);
                let line = cost.line(repetitions);
                (cost, line)
            }
        }
    }

    /// The expected durations, when measuring the rooflines has taken this long: after the run it takes as long again.
    pub(crate) fn expected_after(&self, calibration: Duration) -> Expected {
        Expected { after_ns: u64::try_from(calibration.as_nanos()).unwrap_or(u64::MAX), ..self.expected }
    }

    /// One line: what is measured in `repetitions`, and about how long that takes.
    pub(crate) fn line(&self, repetitions: &[Repetition]) -> String {
        let each = match (self.measured_ns, self.iterations) {
            (Some(ns), _) => format!("{} s", trimmed(ns as f64 / 1e9)),
            (None, Some(iterations)) => counted(iterations as usize, "operation"),
            (None, None) => "nothing".to_owned(),
        };
        let left_ns = Forecast::new(repetitions.iter().copied(), self.expected).left_ns(0);
        let about = left_ns.map_or_else(
            || "the duration depends on the operations".to_owned(),
            |ns| {
                let before = if self.is_known { ", as before" } else { "" };
                format!("about {}{before}", duration(Duration::from_nanos(ns + self.expected.after_ns)))
            },
        );
        format!("{} × {} × {each}: {about}", self.what, counted(self.processes as usize, "process"))
    }
}

/// Of the rooflines, before or after a run.
fn calibration_ns(effort: &Effort) -> u64 {
    let is_quick = effort.calibration == bench_engine::calibration::Effort::QUICK;
    CALIBRATION_NS[usize::from(!is_quick)]
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if noun.ends_with('s') { "es" } else { "s" };
    format!("{count} {noun}{}", if count == 1 { "" } else { plural })
}

/// At most two decimals, without trailing zeros.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `45 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = (duration.as_secs_f64().round() as u64).max(1);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_engine::{Amount, Budget, PairedBudget, calibration};

    fn effort(amount: Amount, calibration: calibration::Effort) -> Effort {
        Effort { processes: 3, budget: Budget { warm_up_ns: 100_000_000, amount }, calibration, within_ns: None }
    }

    fn repetitions(cells: u32) -> Vec<Repetition> {
        (0..3).flat_map(|process| (0..cells).map(move |cell| Repetition { cell, process })).collect()
    }

    #[test]
    fn estimate_counts_cells_processes_and_seconds() {
        let time = effort(Amount::Time { ns: 500_000_000 }, calibration::Effort::QUICK);
        let cost = Cost::of_cells(8, &time);
        // 24 times 0.7 s, the accounts of 8 cells, and the limits twice.
        assert_eq!(cost.line(&repetitions(8)), "8 cells × 3 processes × 0.5 s: about 20 s");
        assert_eq!(cost.line(&repetitions(8)[16..]), "8 cells × 3 processes × 0.5 s: about 8 s", "what is left of it");
        let operations = effort(Amount::Operations(1), calibration::Effort::QUICK);
        let expect = "1 cell × 3 processes × 1 operation: the duration depends on the operations";
        assert_eq!(Cost::of_cells(1, &operations).line(&repetitions(1)), expect);
        let budget = PairedBudget { warm_up_ns: 10_000_000, time_ns: 800_000_000, blocks_max: 9 };
        let paired = PairedEffort { budget, ledger_ns: 30_000_000, counts_engines: true };
        let cost = Cost::of_comparisons(2, 2, &time, &paired);
        assert_eq!(cost.line(&repetitions(2)), "2 comparisons × 3 processes × 0.8 s: about 9 s");
    }

    #[test]
    fn estimate_is_what_the_same_run_took_before() {
        let check = |amount: Amount, took: Duration, expect: &str| {
            let cost = Cost::of_cells(8, &effort(amount, calibration::Effort::QUICK));
            let line = cost.known(Some(took), &repetitions(8)).line(&repetitions(8));
            assert_eq!(line.split_once(": ").unwrap().1, expect);
        };
        let time = Amount::Time { ns: 500_000_000 };
        check(time, Duration::from_secs(95), "about 1 min 35 s, as before");
        check(Amount::Operations(1), Duration::from_secs(95), "about 1 min 35 s, as before");
        // Shorter than what is planned, as where all cells were skipped.
        check(time, Duration::from_secs(5), "about 5 s, as before");
    }

    #[test]
    fn estimate_until_all_is_decided_does_not_ask_what_it_took_before() {
        let effort = effort(Amount::Time { ns: 500_000_000 }, calibration::Effort::QUICK);
        let budget = PairedBudget { warm_up_ns: 0, time_ns: 500_000_000, blocks_max: 9 };
        let paired = PairedEffort { budget, ledger_ns: 0, counts_engines: true };
        let cost = || Cost::of_comparisons(2, 2, &effort, &paired);
        let within = Some(120_000_000_000);
        let (_, line) = cost().announced(within, || panic!("it was looked up"), &repetitions(2));
        assert_eq!(line, "2 comparisons until decided: at most about 2 min 2 s");
        let (_, line) = cost().announced(None, || Some(Duration::from_secs(95)), &repetitions(2));
        assert_eq!(line, "2 comparisons × 3 processes × 0.5 s: about 1 min 35 s, as before");
    }

    #[test]
    fn duration_has_at_most_two_units() {
        let check = |ms: u64, expect: &str| assert_eq!(duration(Duration::from_millis(ms)), expect);
        check(0, "1 s");
        check(45_400, "45 s");
        check(59_600, "1 min 0 s");
        check(200_000, "3 min 20 s");
        check(7_500_000, "2 h 5 min");
    }
}
