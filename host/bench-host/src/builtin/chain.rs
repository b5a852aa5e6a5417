//! Chains of dependent steps of known lengths, measured interleaved: a comparison whose truth is known, to test comparisons.

use bench_engine::{
    Candidate, MeasureError, MonotonicClock, PairedBudget, first, measure_interleaved, overhead, placement,
    warm_up_candidate,
};
use bench_model::{Check, Direction, ModuleError, Outcome, Session, Unit};
use bench_sink::Series;
use std::hint::black_box;

/// Steps of an operation of the baseline; extra steps are given in thousandths. Together they take a few microseconds.
const STEPS: u64 = 1_000;

/// Sessions of each chain, as in every comparison.
pub(crate) const SESSIONS: usize = 2;

/// A chain of multiplications, each of which needs the result of the one before.
struct Chain {
    steps: u64,
    result: u64,
}

impl Chain {
    fn new(steps: u64) -> Self {
        Self { steps, result: run(steps) }
    }
}

fn run(steps: u64) -> u64 {
    // The constants are those of Knuth's generator MMIX.
    let step = |x: u64| x.wrapping_mul(6_364_136_223_846_793_005) ^ 1_442_695_040_888_963_407;
    (0..black_box(steps)).fold(black_box(1), |x, _| step(x))
}

impl Session for Chain {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.result = run(self.steps);
        }
        Ok(Outcome { operations: times, bytes: 0, checksum: self.result })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![Check::equal("repeated", &run(self.steps), &self.result)])
    }
}

/// Nanoseconds per operation of chains that are longer than the baseline by these thousandths, in one process: a vector per chain, whose
/// values with the same index were measured in the same block; the sessions of a chain alternate.
pub(crate) fn measure(extra: &[u64], time_ns: u64, seed: u64) -> Result<Vec<Vec<f64>>, String> {
    // Where the worker cannot be bound, the figures only vary more.
    if let Some(cpu) = placement::fastest_cpus().last() {
        placement::bind(*cpu);
    }
    let clock = MonotonicClock::new();
    let mut chains: Vec<[Chain; SESSIONS]> =
        extra.iter().map(|extra| [(); SESSIONS].map(|()| Chain::new(STEPS + STEPS / 1_000 * extra))).collect();
    let samples = (chains.len() * SESSIONS) as u64;
    let budget = PairedBudget { warm_up_ns: time_ns / 10 / samples, time_ns, blocks_max: BLOCKS };
    let failed = |error: MeasureError| error.to_string();
    let baseline = chains.first_mut().ok_or("there is no chain to measure")?;
    let cost = overhead(&mut baseline[0], &clock).map_err(failed)?;
    let sample_ns = budget.sample_ns(samples as usize, [&cost]);
    let mut candidates = Vec::with_capacity(chains.len());
    for chain in &mut chains {
        let checksum = first(&mut chain[0]).map_err(failed)?;
        let mut sessions: Vec<&mut dyn Session> = chain.iter_mut().map(|one| one as _).collect();
        let warm = warm_up_candidate(&mut sessions, &clock, &budget, sample_ns, checksum).map_err(failed)?;
        candidates.push(Candidate { sessions, warm, own_ns: Vec::new() });
    }
    let timed = || Series::new("chain", Unit::Nanoseconds, Direction::LowerIsBetter);
    let mut series: Vec<Series> = candidates.iter().map(|_| timed()).collect();
    measure_interleaved(&mut candidates, &clock, &budget, seed, &mut series).map_err(|(_, error)| error.to_string())?;
    let times = |series: &Series| {
        let raw = series.raw().unwrap_or_default();
        raw.iter().map(|sample| *sample as f64 / series.batch as f64).collect()
    };
    Ok(series.iter().map(times).collect())
}

/// Blocks of one process at most.
const BLOCKS: u64 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_has_as_many_samples() {
        let times = measure(&[0, 0, 500], 5_000_000, 1).unwrap();
        assert_eq!(times.len(), 3);
        assert!(times[0].len() >= 2 * SESSIONS && times[0].len().is_multiple_of(SESSIONS), "{}", times[0].len());
        assert!(times.iter().all(|one| one.len() == times[0].len() && one.iter().all(|time| *time > 0.0)));
    }
}
