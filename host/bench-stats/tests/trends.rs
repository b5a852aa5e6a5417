//! Steps, drifts and outliers in simulated histories whose truth is known. The seeds are fixed, so results do not change from run to run.

use bench_stats::{Trend, trend};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

const TRIALS: u32 = 500;

/// Runs of a history.
const RUNS: usize = 40;

struct Random(ChaCha8Rng);

impl Random {
    fn uniform(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / 2f64.powi(32)
    }

    /// Box and Muller 1958.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Laplace: tails much heavier than those of the normal distribution, with the same standard deviation.
    fn heavy(&mut self) -> f64 {
        let sign = if self.uniform() < 0.5 { -1.0 } else { 1.0 };
        sign * -self.uniform().ln() / 2f64.sqrt()
    }
}

/// How the logarithms of a history are generated.
struct World {
    /// The standard deviation of a run.
    noise: f64,
    is_heavy: bool,
    /// The share of runs that take 1.3 times as long.
    outliers: f64,
    level: fn(usize) -> f64,
}

const QUIET: World = World { noise: 0.01, is_heavy: false, outliers: 0.0, level: |_| 0.0 };

/// The share of trials in which `holds`.
fn share(world: &World, holds: impl Fn(&Trend) -> bool) -> f64 {
    let mut random = Random(ChaCha8Rng::seed_from_u64(7));
    let mut held = 0;
    for _ in 0..TRIALS {
        let values: Vec<f64> = (0..RUNS)
            .map(|run| {
                let noise = if world.is_heavy { random.heavy() } else { random.normal() };
                let outlier = if random.uniform() < world.outliers { 1.3f64.ln() } else { 0.0 };
                1e6 * ((world.level)(run) + world.noise * noise + outlier).exp()
            })
            .collect();
        held += u32::from(holds(&trend(&values)));
    }
    f64::from(held) / f64::from(TRIALS)
}

#[track_caller]
fn check(what: &str, world: &World, bounds: std::ops::RangeInclusive<f64>, holds: impl Fn(&Trend) -> bool) {
    let share = share(world, holds);
    eprintln!("{what}: {share}");
    assert!(bounds.contains(&share), "{what}: {share}, expected {bounds:?}");
}

/// Whether the steps are at these places, each one run off at most.
fn is_at(found: &Trend, places: &[usize]) -> bool {
    found.steps.len() == places.len()
        && found.steps.iter().zip(places).all(|(step, place)| step.at.abs_diff(*place) <= 1)
}

#[test]
fn history_without_a_change_has_no_step() {
    check("none, normal", &QUIET, 0.0..=0.05, |found| !found.steps.is_empty() || found.drift.is_some());
    let heavy = World { is_heavy: true, ..QUIET };
    check("none, heavy tails", &heavy, 0.0..=0.05, |found| !found.steps.is_empty() || found.drift.is_some());
}

#[test]
fn steps_are_found_where_they_are() {
    let up = World { level: |run| if run >= 25 { 0.05 } else { 0.0 }, ..QUIET };
    check("step of 5 % in noise of 1 %", &up, 0.88..=1.0, |found| is_at(found, &[25]));
    let small = World { level: |run| if run >= 25 { 0.03 } else { 0.0 }, ..QUIET };
    check("step of 3 % in noise of 1 %", &small, 0.8..=1.0, |found| is_at(found, &[25]));
    let late = World { level: |run| if run >= 35 { 0.06 } else { 0.0 }, ..QUIET };
    check("step in the last five runs", &late, 0.9..=1.0, |found| is_at(found, &[35]));
    let back = World { level: |run| if (15..28).contains(&run) { 0.06 } else { 0.0 }, ..QUIET };
    check("step up and back", &back, 0.9..=1.0, |found| is_at(found, &[15, 28]));
}

#[test]
fn outliers_are_no_steps() {
    let spiky = World { outliers: 0.08, ..QUIET };
    check("outliers alone", &spiky, 0.0..=0.05, |found| !found.steps.is_empty());
    let step = World { level: |run| if run >= 20 { 0.06 } else { 0.0 }, ..spiky };
    check("step among outliers", &step, 0.8..=1.0, |found| is_at(found, &[20]));
}

#[test]
fn drifts_are_no_steps() {
    let slow = World { level: |run| 0.004 * run as f64, ..QUIET };
    check("drift of 16 %", &slow, 0.9..=1.0, |found| found.drift.is_some() && found.steps.is_empty());
    let step = World { level: |run| if run >= 20 { 0.05 } else { 0.0 }, ..QUIET };
    check("step taken for a drift", &step, 0.0..=0.05, |found| found.drift.is_some());
}
