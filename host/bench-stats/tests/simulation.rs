//! Intervals and verdicts in simulated worlds whose truth is known. The seeds are fixed, so results do not change from run to run.
//! 2,000 trials know a coverage of 95 % to half a per cent, so 93…97 is four standard errors on either side.
//!
//! Coverage is tested with about 150 pairs per process instead of the 2,000 of a real comparison. Few processes make an interval
//! difficult, and there are ten, as by default; more pairs only bring the statistics of a process nearer to the normal
//! distribution. Results for the ratio 1 hold for every ratio, because the estimates are equivariant under scaling, which the
//! unit tests check.

use bench_stats::{
    Band, Claim, DELTA, LEVEL, RatioEstimate, Ratios, Verdict, judge, paired_ratios, slope, unpaired_ratios,
};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

const TRIALS: u32 = 2_000;

/// How samples are generated. All spreads are standard deviations of the log.
#[derive(Clone, Copy)]
struct World {
    name: &'static str,
    /// Of processes, common to both arms.
    level: f64,
    /// Of an arm in a process.
    arm: f64,
    /// Of a sample.
    noise: f64,
    /// The correlation of neighbours.
    rho: f64,
    /// How much slower both arms are at the end of a process than at its beginning.
    drift: f64,
    /// The share of samples that take 1.6 times as long.
    slow: f64,
    /// How much the number of pairs differs: of ten processes, the last has this many times the pairs of the first.
    uneven: f64,
}

const LOG_NORMAL: World =
    World { name: "log-normal", level: 0.05, arm: 0.005, noise: 0.1, rho: 0.0, drift: 0.0, slow: 0.0, uneven: 1.0 };
const BIMODAL: World = World { name: "bimodal", noise: 0.05, slow: 0.3, ..LOG_NORMAL };
const DRIFTING: World = World { name: "drifting", rho: 0.8, drift: 0.2, ..LOG_NORMAL };
/// Processes differ more than the samples of one process, as on a quiet machine.
const APART: World = World { name: "apart", noise: 0.01, ..LOG_NORMAL };
const UNEVEN: World = World { name: "uneven", noise: 0.05, uneven: 5.0, ..LOG_NORMAL };

struct Random(ChaCha8Rng);

impl Random {
    fn uniform(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / 2f64.powi(32)
    }

    /// Box and Muller 1958.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Three series of one process: the baseline, the candidate, and the baseline again.
type Process = [Vec<f64>; 3];

impl World {
    fn measure(&self, pairs: usize, effect: f64, random: &mut Random) -> Vec<Process> {
        let growth = |process: usize| self.uneven.powf(process as f64 / 9.0) / self.uneven.sqrt();
        (0..10).map(|process| self.process((pairs as f64 * growth(process)) as usize, effect, random)).collect()
    }

    fn process(&self, pairs: usize, effect: f64, random: &mut Random) -> Process {
        let level = self.level * random.normal();
        let baseline = level + self.arm * random.normal();
        let candidate = level + self.arm * random.normal() + effect;
        // The second baseline is the same code in the same process, so it has the same centre. That makes the noise floor as
        // narrow as possible, which is the hard case.
        [baseline, candidate, baseline].map(|centre| self.series(pairs, centre, random))
    }

    fn series(&self, pairs: usize, centre: f64, random: &mut Random) -> Vec<f64> {
        let mut state = random.normal();
        (0..pairs)
            .map(|at| {
                let drift = (1.0 + self.drift * at as f64 / pairs as f64).ln();
                let mode = if self.slow > 0.0 && random.uniform() < self.slow { 1.6f64.ln() } else { 0.0 };
                let value = (centre + drift + mode + self.noise * state).exp();
                state = self.rho * state + (1.0 - self.rho * self.rho).sqrt() * random.normal();
                value
            })
            .collect()
    }
}

/// The ratios of a trial, and those of the baseline to itself.
fn compare(processes: &[Process], seed: u64) -> (Ratios, Ratios) {
    let against = |other: usize| {
        let pairs = |process: &Process| process[0].iter().copied().zip(process[other].iter().copied()).collect();
        paired_ratios(&processes.iter().map(pairs).collect::<Vec<_>>(), seed).unwrap()
    };
    (against(1), against(2))
}

fn verdict(ratios: &Ratios, itself: &Ratios, statistic: Statistic) -> Verdict {
    let band = Band::of(&[statistic(itself)]);
    judge(&[Claim { estimate: statistic(ratios), band, pairs: ratios.pairs, processes: ratios.processes }], DELTA)[0]
}

type Statistic = fn(&Ratios) -> RatioEstimate;

const STATISTICS: [(&str, Statistic); 2] = [("medians", |it| it.medians), ("means", |it| it.means)];

/// Counts the trials in which a condition held.
#[derive(Clone, Copy, Default)]
struct Tally(u32);

impl Tally {
    fn add(&mut self, so: bool) {
        self.0 += u32::from(so);
    }

    fn share(self, trials: u32) -> f64 {
        f64::from(self.0) / f64::from(trials)
    }
}

/// The results of the trials of one world with one statistic.
#[derive(Clone, Copy, Default)]
struct Coverage {
    covered: Tally,
    /// By 1.96 standard errors, as if there were infinitely many processes.
    covered_by_normal: Tally,
    /// By 1.96 standard errors within processes, as if pairs were independent of their process.
    covered_by_pairs: Tally,
    different: Tally,
}

impl Coverage {
    fn add(&mut self, estimate: RatioEstimate, verdict: Verdict) {
        let RatioEstimate { log, standard_error, within_share, .. } = estimate;
        let interval = estimate.interval(LEVEL);
        self.covered.add(interval.low <= 1.0 && 1.0 <= interval.high);
        self.covered_by_normal.add(log.abs() <= 1.96 * standard_error);
        self.covered_by_pairs.add(log.abs() <= 1.96 * standard_error * within_share.sqrt());
        self.different.add(verdict == Verdict::Different);
    }
}

/// Runs trials without a difference, by medians and by means.
fn cover(world: World) -> [Coverage; 2] {
    let mut random = Random(ChaCha8Rng::seed_from_u64(1));
    let mut coverage = [Coverage::default(); 2];
    for trial in 0..TRIALS {
        let (ratios, itself) = compare(&world.measure(150, 0.0, &mut random), u64::from(trial));
        for (coverage, (_, statistic)) in coverage.iter_mut().zip(STATISTICS) {
            coverage.add(statistic(&ratios), verdict(&ratios, &itself, statistic));
        }
    }
    coverage
}

/// Checks that 95 % intervals cover 1 in 93…97 % of the trials without a difference, and that at most 5 % are called different.
fn check(world: World) -> [Coverage; 2] {
    let coverage = cover(world);
    for (coverage, (name, _)) in coverage.iter().zip(STATISTICS) {
        let Coverage { covered, covered_by_normal, covered_by_pairs, different } = coverage;
        let [covered, by_normal, by_pairs, different] =
            [covered, covered_by_normal, covered_by_pairs, different].map(|tally| tally.share(TRIALS));
        eprintln!(
            "{} {name}: covers {covered}, normal {by_normal}, pairs alone {by_pairs}, different {different}",
            world.name
        );
        assert!((0.93..=0.97).contains(&covered), "{} {name}: 95 % intervals cover in {covered}", world.name);
        assert!(1.0 - covered <= 0.07, "{} {name}: intervals exclude 1 in {}", world.name, 1.0 - covered);
        assert!(different <= 0.05, "{} {name}: falsely different in {different}", world.name);
    }
    coverage
}

#[test]
fn coverage_of_log_normal_samples() {
    check(LOG_NORMAL);
}

#[test]
fn coverage_of_bimodal_samples() {
    check(BIMODAL);
}

#[test]
fn coverage_of_samples_that_drift_and_follow_each_other() {
    check(DRIFTING);
}

#[test]
fn coverage_of_processes_of_uneven_size() {
    check(UNEVEN);
}

/// Also checks that the trials detect wrong intervals: neither a normal quantile nor the variance of pairs alone would pass.
#[test]
fn coverage_of_processes_that_lie_apart() {
    for coverage in check(APART) {
        assert!(coverage.covered_by_normal.share(TRIALS) < 0.93);
        assert!(coverage.covered_by_pairs.share(TRIALS) < 0.6);
    }
}

/// Two runs, whose processes have independent levels.
#[test]
fn coverage_of_runs_that_are_not_paired() {
    let mut random = Random(ChaCha8Rng::seed_from_u64(2));
    let mut covered = [Tally::default(); 2];
    for trial in 0..TRIALS {
        let [first, second] = [(); 2].map(|()| {
            let run = DRIFTING.measure(150, 0.0, &mut random);
            run.into_iter().map(|[values, ..]| values).collect::<Vec<_>>()
        });
        let ratios = unpaired_ratios(&first, &second, u64::from(trial)).unwrap();
        for (covered, (_, statistic)) in covered.iter_mut().zip(STATISTICS) {
            let interval = statistic(&ratios).interval(LEVEL);
            covered.add(interval.low <= 1.0 && 1.0 <= interval.high);
        }
    }
    for (covered, (name, _)) in covered.iter().zip(STATISTICS) {
        let covered = covered.share(TRIALS);
        eprintln!("unpaired {name}: covers {covered}");
        assert!((0.93..=0.97).contains(&covered), "unpaired {name}: 95 % intervals cover in {covered}");
    }
}

/// Few points, as in real sweeps, with noise of equal variance about a line.
#[test]
fn coverage_of_slopes() {
    let mut random = Random(ChaCha8Rng::seed_from_u64(4));
    for points in [3, 5] {
        let mut covered = Tally::default();
        for _ in 0..TRIALS {
            let line: Vec<_> =
                (0..points).map(|at| (f64::from(at * at), 40.0 + 7.0 * f64::from(at * at) + random.normal())).collect();
            let interval = slope(&line).and_then(|slope| slope.interval(LEVEL)).unwrap();
            covered.add(interval.low <= 7.0 && 7.0 <= interval.high);
        }
        let covered = covered.share(TRIALS);
        assert!((0.93..=0.97).contains(&covered), "{points} points: 95 % intervals cover in {covered}");
    }
}

/// Checks that at the default effort a candidate that is 3 % slower is found different, and an equal one equivalent.
fn check_power(world: World) {
    power(world, 0.03f64.ln_1p(), Verdict::Different, 200);
    power(world, 0.0, Verdict::Equivalent, 40);
}

fn power(world: World, effect: f64, expect: Verdict, trials: u32) {
    let mut random = Random(ChaCha8Rng::seed_from_u64(3));
    let mut found = [Tally::default(); 2];
    for trial in 0..trials {
        let (ratios, itself) = compare(&world.measure(2_000, effect, &mut random), u64::from(trial));
        for (found, (_, statistic)) in found.iter_mut().zip(STATISTICS) {
            found.add(verdict(&ratios, &itself, statistic) == expect);
        }
    }
    for (found, (name, _)) in found.iter().zip(STATISTICS) {
        let found = found.share(trials);
        eprintln!("{} {name}: {expect:?} in {found}", world.name);
        assert!(found >= 0.9, "{} {name}: {expect:?} in {found}", world.name);
    }
}

#[test]
fn power_over_log_normal_samples() {
    check_power(LOG_NORMAL);
}

#[test]
fn power_over_bimodal_samples() {
    check_power(BIMODAL);
}

#[test]
fn power_over_samples_that_drift_and_follow_each_other() {
    check_power(DRIFTING);
}
