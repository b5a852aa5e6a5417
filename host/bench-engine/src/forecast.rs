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
}

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
        let means = Means::of(&self.taken);
        let mut left_ns = 0.0;
        for (cell, processes) in &self.left {
            for process in processes {
                left_ns += self.repetition_ns(Repetition { cell: *cell, process: *process }, means)?;
            }
        }
        if let Some((repetition, since_ns)) = self.running {
            left_ns += (self.repetition_ns(repetition, means)? - now_ns.saturating_sub(since_ns) as f64).max(0.0);
        }
        Some(left_ns as u64)
    }

    /// The expected duration of `repetition`: that of other repetitions of its cell, else that of other cells.
    fn repetition_ns(&self, repetition: Repetition, means: Means) -> Option<f64> {
        let expected = &self.expected;
        let planned = |first: bool| {
            let first_ns = if first { expected.first_ns } else { 0 };
            Some((expected.measured_ns? + expected.around_ns + first_ns) as f64)
        };
        if repetition.process == 0 {
            return means.first_ns.or_else(|| planned(true));
        }
        let taken = self.taken.get(&repetition.cell);
        let own = taken.and_then(|taken| mean(&taken.later_ns));
        // The first repetition takes longer by about the same time in all cells.
        let extra_ns = means.extra_ns.unwrap_or(expected.first_ns as f64);
        let of_first = || Some((taken?.first_ns? - extra_ns).max(expected.measured_ns.unwrap_or_default() as f64));
        own.or_else(of_first).or(means.later_ns).or_else(|| planned(false)).or(means.first_ns)
    }
}

/// The mean duration of repetitions, over all cells.
#[derive(Clone, Copy, Debug, Default)]
struct Means {
    first_ns: Option<f64>,
    later_ns: Option<f64>,
    /// The extra time of the first repetition, compared with the others of its cell.
    extra_ns: Option<f64>,
}

impl Means {
    fn of(taken: &BTreeMap<u32, Taken>) -> Self {
        let first: Vec<f64> = taken.values().filter_map(|taken| taken.first_ns).collect();
        let later: Vec<f64> = taken.values().flat_map(|taken| taken.later_ns.iter().copied()).collect();
        let extra = |taken: &Taken| Some(taken.first_ns? - mean(&taken.later_ns)?);
        let extra: Vec<f64> = taken.values().filter_map(extra).collect();
        Self { first_ns: mean(&first), later_ns: mean(&later), extra_ns: mean(&extra) }
    }
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
    const EXPECTED: Expected = Expected { measured_ns: Some(600 * MS), around_ns: 50 * MS, first_ns: 100 * MS };

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
        assert_eq!((forecast.left_ns(clock.now_ns()), forecast.repetitions_left()), (Some(0), 0));
        found
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
        #[test]
        fn forecast_is_exact_if_units_take_as_long_as_planned(cells in 1u32..9, processes in 1u32..5) {
            let takes = |repetition: Repetition| (650 + if repetition.process == 0 { 100 } else { 0 }) * MS;
            for (forecast, truth) in replay(&rounds(cells, processes), EXPECTED, takes) {
                prop_assert!(forecast.unwrap().abs_diff(truth) <= u64::from(cells * processes));
            }
        }
    }
}
