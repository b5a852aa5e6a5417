//! Forecasts the remaining time of a run, from the plan and from the durations of finished repetitions. Reads no clock: the time is an
//! argument.

use crate::Repetition;
use std::collections::BTreeMap;

/// The expected duration of a repetition, before one was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Time to warm up and to measure; `None` if the effort is a number of operations.
    pub measured_ns: Option<u64>,
    /// Time to start a worker, to load a module, and to verify.
    pub around_ns: u64,
    /// Time to count the resource usage of a cell, after its first repetition.
    pub first_ns: u64,
    /// Time from the last repetition to the end of the run, in which the rooflines are measured again.
    pub after_ns: u64,
}

/// How many measured cells the plan counts as. If it counted less, the first cells, which may be unusual, would decide the forecast of the
/// whole run.
const PLAN_WEIGHT: f64 = 4.0;

/// The forecast of a run's remaining time.
#[derive(Clone, Debug)]
pub struct Forecast {
    expected: Expected,
    /// The repetitions that are left, by cell.
    left: BTreeMap<u32, Vec<u32>>,
    /// The repetition that is being executed, and its start.
    running: Option<(Repetition, u64)>,
    /// The durations of repetitions, by cell: of the first one, and of the others.
    taken: BTreeMap<u32, Taken>,
}

#[derive(Clone, Debug, Default)]
struct Taken {
    first_ns: Option<f64>,
    later_ns: Vec<f64>,
}

impl Forecast {
    /// A forecast for `repetitions`, in any order.
    pub fn new(repetitions: impl IntoIterator<Item = Repetition>, expected: Expected) -> Self {
        let mut left: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for repetition in repetitions {
            left.entry(repetition.cell).or_default().push(repetition.process);
        }
        Self { expected, left, running: None, taken: BTreeMap::new() }
    }

    /// The number of repetitions that are left, including the one that is being executed.
    pub fn repetitions_left(&self) -> usize {
        self.left.values().map(Vec::len).sum::<usize>() + usize::from(self.running.is_some())
    }

    /// Notes that `repetition` begins.
    pub fn start(&mut self, repetition: Repetition, now_ns: u64) {
        if let Some(processes) = self.left.get_mut(&repetition.cell) {
            processes.retain(|process| *process != repetition.process);
        }
        self.running = Some((repetition, now_ns));
    }

    /// Notes that the current repetition has ended; its cell is executed again only if `is_tried_again`.
    pub fn finish(&mut self, now_ns: u64, is_tried_again: bool) {
        let Some((repetition, since_ns)) = self.running.take() else { return };
        let took_ns = now_ns.saturating_sub(since_ns) as f64;
        if !is_tried_again {
            // The duration of a repetition that ended early says nothing about others.
            self.left.remove(&repetition.cell);
            return;
        }
        let taken = self.taken.entry(repetition.cell).or_default();
        match repetition.process {
            0 => taken.first_ns = Some(took_ns),
            _ => taken.later_ns.push(took_ns),
        }
    }

    /// The remaining time; `None` if no duration of a repetition is known.
    pub fn left_ns(&self, now_ns: u64) -> Option<u64> {
        let typical = self.typical();
        let mut left_ns = self.expected.after_ns as f64;
        for (cell, processes) in &self.left {
            for process in processes {
                left_ns += self.repetition_ns(Repetition { cell: *cell, process: *process }, typical)?;
            }
        }
        if let Some((repetition, since_ns)) = self.running {
            left_ns += (self.repetition_ns(repetition, typical)? - now_ns.saturating_sub(since_ns) as f64).max(0.0);
        }
        Some(left_ns as u64)
    }

    /// The durations to expect of cells that were not measured yet.
    fn typical(&self) -> Typical {
        let expected = &self.expected;
        let extra: Vec<f64> = self.taken.values().filter_map(Taken::extra_ns).collect();
        let extra_ns = blend(Some(expected.first_ns as f64), &extra).unwrap_or_default().max(0.0);
        let later: Vec<f64> = self.taken.values().filter_map(|taken| self.later_ns(taken, extra_ns)).collect();
        let planned_ns = expected.measured_ns.map(|measured_ns| (measured_ns + expected.around_ns) as f64);
        Typical { later_ns: blend(planned_ns, &later), extra_ns }
    }

    /// The expected duration of `repetition`: that of other repetitions of its cell, else that of other cells.
    fn repetition_ns(&self, repetition: Repetition, typical: Typical) -> Option<f64> {
        let own_ns = self.taken.get(&repetition.cell).and_then(|taken| self.later_ns(taken, typical.extra_ns));
        let extra_ns = if repetition.process == 0 { typical.extra_ns } else { 0.0 };
        Some(own_ns.or(typical.later_ns)? + extra_ns)
    }

    /// The duration of a cell's repetitions after the first one, if it is known: the first one takes longer by about the same time in
    /// all cells.
    fn later_ns(&self, taken: &Taken, extra_ns: f64) -> Option<f64> {
        let measured_ns = self.expected.measured_ns.unwrap_or_default() as f64;
        mean(&taken.later_ns).or_else(|| Some((taken.first_ns? - extra_ns).max(measured_ns)))
    }
}

impl Taken {
    /// The extra time of the first repetition, compared with the others of its cell.
    fn extra_ns(&self) -> Option<f64> {
        Some(self.first_ns? - mean(&self.later_ns)?)
    }
}

/// What the plan and the repetitions so far say about all cells.
#[derive(Clone, Copy, Debug)]
struct Typical {
    /// The duration of a repetition that is not the first of its cell, if it is known.
    later_ns: Option<f64>,
    /// The extra time of the first repetition.
    extra_ns: f64,
}

/// The mean of `values` and, with its weight, the planned one; `None` if there is neither.
fn blend(planned: Option<f64>, values: &[f64]) -> Option<f64> {
    let weight = if planned.is_some() { PLAN_WEIGHT } else { 0.0 };
    let all = weight + values.len() as f64;
    (all > 0.0).then(|| (weight * planned.unwrap_or_default() + values.iter().sum::<f64>()) / all)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;
    use crate::clock::FakeClock;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;
    const EXPECTED: Expected =
        Expected { measured_ns: Some(600 * MS), around_ns: 50 * MS, first_ns: 100 * MS, after_ns: 0 };

    /// How long the cells of `run demo --quick` took on a virtual machine with two processors, in milliseconds, in the order of the run;
    /// and what was expected.
    const DEMO_MS: &[u64] = &[324, 343, 203, 137, 158, 218, 651, 123, 243, 397, 122, 123, 130, 720, 185, 353, 215, 221];
    const DEMO: Expected =
        Expected { measured_ns: Some(120 * MS), around_ns: 100 * MS, first_ns: 100 * MS, after_ns: 1_000 * MS };

    /// The same of transfers between tables, in two arms that differ tenfold, with a number of operations instead of a time.
    const TRANSFERS_MS: &[u64] = &[1187, 102, 1019, 838, 84, 115, 375, 501, 735, 96, 120, 492, 122, 71];
    const TRANSFERS: Expected = Expected { measured_ns: None, ..DEMO };

    fn rounds(cells: u32, processes: u32) -> Vec<Repetition> {
        (0..processes).flat_map(|process| (0..cells).map(move |cell| Repetition { cell, process })).collect()
    }

    /// Executes `repetitions` on a fake clock; returns the forecast before each, and the true remaining time.
    fn replay(
        repetitions: &[Repetition],
        expected: Expected,
        takes_ns: impl Fn(Repetition) -> u64,
    ) -> Vec<(Option<u64>, u64)> {
        let clock = FakeClock::default();
        let mut forecast = Forecast::new(repetitions.iter().copied(), expected);
        let mut found = Vec::new();
        for (index, repetition) in repetitions.iter().enumerate() {
            let truth = repetitions[index..].iter().map(|repetition| takes_ns(*repetition)).sum();
            found.push((forecast.left_ns(clock.now_ns()), truth));
            forecast.start(*repetition, clock.now_ns());
            clock.advance(takes_ns(*repetition));
            forecast.finish(clock.now_ns(), true);
        }
        assert_eq!((forecast.left_ns(clock.now_ns()), forecast.repetitions_left()), (Some(expected.after_ns), 0));
        found
    }

    /// Checks that from the forecast with this index on, the end of the run is right within 20 % of the run's duration.
    fn check_end(found: &[(Option<u64>, u64)], from: usize, after_ns: u64) {
        let whole = (found[0].1 + after_ns) as f64;
        for (index, (forecast, truth)) in found.iter().enumerate().skip(from) {
            let off = forecast.map(|forecast| forecast.abs_diff(truth + after_ns) as f64 / whole);
            assert!(off.is_some_and(|off| off <= 0.2), "forecast {index} of {}: {forecast:?}, {truth}", found.len());
        }
    }

    #[test]
    fn end_of_recorded_runs_is_right_within_a_fifth() {
        let check = |lengths: &[u64], expected: Expected, from: usize| {
            let takes = |repetition: Repetition| lengths[repetition.cell as usize] * MS;
            let found = replay(&rounds(lengths.len() as u32, 1), expected, takes);
            check_end(&found, from, expected.after_ns);
        };
        check(DEMO_MS, DEMO, 0);
        // Nothing is known of them before they run, and their durations differ tenfold, so ten of fourteen must have run.
        check(TRANSFERS_MS, TRANSFERS, 10);
    }

    #[test]
    fn one_unusual_cell_does_not_decide_the_forecast() {
        let mut forecast = Forecast::new(rounds(20, 1), EXPECTED);
        forecast.start(Repetition { cell: 7, process: 0 }, 0);
        forecast.finish(7_600 * MS, true);
        // One cell of 7.5 s and four of 0.65 s have a mean of 2.02 s.
        assert_eq!(forecast.left_ns(7_600 * MS), Some(19 * 2_120 * MS));
    }

    #[test]
    fn rooflines_after_the_run_are_part_of_it() {
        let forecast = Forecast::new(rounds(1, 1), Expected { after_ns: 900 * MS, ..EXPECTED });
        assert_eq!(forecast.left_ns(0), Some((650 + 100 + 900) * MS));
    }

    #[test]
    fn resumed_run_is_forecast_without_first_repetitions() {
        let mut forecast = Forecast::new([1, 2].map(|process| Repetition { cell: 0, process }), EXPECTED);
        forecast.start(Repetition { cell: 0, process: 1 }, 0);
        forecast.finish(2_000 * MS, true);
        assert_eq!(forecast.left_ns(2_000 * MS), Some(2_000 * MS));
    }

    #[test]
    fn first_forecast_is_the_plan() {
        let forecast = Forecast::new(rounds(2, 3), EXPECTED);
        assert_eq!(forecast.left_ns(0), Some((6 * 650 + 2 * 100) * MS));
        let unknown = Forecast::new(rounds(2, 3), Expected { measured_ns: None, ..EXPECTED });
        assert_eq!((unknown.left_ns(0), unknown.repetitions_left()), (None, 6));
    }

    #[test]
    fn forecast_uses_earlier_durations_of_the_cell() {
        // Cells that take from 0.7 to 2 s: the forecast is poor at first, and good once each cell was measured.
        let takes = |repetition: Repetition| {
            (700 + 100 * u64::from(repetition.cell) + if repetition.process == 0 { 300 } else { 0 }) * MS
        };
        let found = replay(&rounds(13, 3), EXPECTED, takes);
        for (forecast, truth) in &found[13..] {
            let off = forecast.unwrap().abs_diff(*truth) as f64 / *truth as f64;
            assert!(off < 0.2, "{forecast:?} {truth}");
        }
    }

    #[test]
    fn running_unit_counts_in_part_and_abandoned_cells_do_not() {
        let mut forecast = Forecast::new(rounds(2, 2), EXPECTED);
        forecast.start(Repetition { cell: 0, process: 0 }, 0);
        assert_eq!(forecast.left_ns(250 * MS), Some((500 + 750 + 2 * 650) * MS));
        assert_eq!(forecast.left_ns(9_000 * MS), Some((750 + 2 * 650) * MS), "an overdue repetition has no time left");
        forecast.finish(10 * MS, false);
        assert_eq!((forecast.left_ns(10 * MS), forecast.repetitions_left()), (Some((750 + 650) * MS), 2));
        forecast.finish(20 * MS, true);
        assert_eq!(forecast.repetitions_left(), 2, "no repetition was running");
    }

    #[test]
    fn effort_in_operations_is_forecast_after_the_first_unit() {
        let expected = Expected { measured_ns: None, ..EXPECTED };
        let found = replay(&rounds(3, 2), expected, |_| 2_000 * MS);
        assert_eq!(found[0].0, None);
        for (forecast, truth) in &found[1..] {
            let off = forecast.unwrap().abs_diff(*truth) as f64 / *truth as f64;
            assert!(off <= 0.2, "{forecast:?} {truth}");
        }
    }

    proptest! {
        /// The cells of the recorded runs in any order, in several processes that scatter by 10 %, and with a plan that is off by up to 30 %
        /// about the first repetitions.
        #[test]
        fn end_is_right_within_a_fifth_once_each_cell_was_measured(
            is_demo in any::<bool>(),
            processes in 2u32..=3,
            keys in prop::collection::vec(any::<u32>(), DEMO_MS.len() * 3),
            percent in prop::collection::vec(90u64..=110, DEMO_MS.len() * 3),
            extra_ms in 70u64..=130,
        ) {
            let (lengths, expected) = if is_demo { (DEMO_MS, DEMO) } else { (TRANSFERS_MS, TRANSFERS) };
            let cells = lengths.len() as u32;
            let index = |repetition: Repetition| (repetition.process * cells + repetition.cell) as usize;
            let mut repetitions = rounds(cells, processes);
            repetitions.sort_by_key(|repetition| (repetition.process, keys[index(*repetition)]));
            let takes = |repetition: Repetition| {
                let extra_ns = if repetition.process == 0 { extra_ms * MS } else { 0 };
                lengths[repetition.cell as usize] * percent[index(repetition)] * MS / 100 + extra_ns
            };
            check_end(&replay(&repetitions, expected, takes), lengths.len(), expected.after_ns);
        }

        #[test]
        fn forecast_is_exact_if_units_take_as_long_as_planned(cells in 1u32..9, processes in 1u32..5) {
            let takes = |repetition: Repetition| (650 + if repetition.process == 0 { 100 } else { 0 }) * MS;
            for (forecast, truth) in replay(&rounds(cells, processes), EXPECTED, takes) {
                prop_assert!(forecast.unwrap().abs_diff(truth) <= u64::from(cells * processes));
            }
        }
    }
}
