//! Comparisons that are measured until they are decided, in simulated worlds whose truth is known. The seed is fixed, so results do not
//! change from run to run. 4,000 trials know an error rate of 5 % to a third of a per cent.

use bench_stats::{Band, Claim, DELTA, Look, LookLevels, RatioEstimate, Verdict, judge_look};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

const TRIALS: u32 = 4_000;

/// The number of processes at each look, as `compare --decide` has them.
const LOOKS: [usize; 6] = [5, 8, 12, 18, 27, 41];

/// The standard deviation of the log ratio of a process.
const SPREAD: f64 = 0.02;

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

/// The claim of these processes. Its noise floor is 0, so that only the test protects from false claims.
fn claim(processes: &[f64]) -> Claim {
    let count = processes.len() as f64;
    let log = processes.iter().sum::<f64>() / count;
    let variance = processes.iter().map(|one| (one - log).powi(2)).sum::<f64>() / (count - 1.0);
    let standard_error = (variance / count).sqrt();
    let estimate = RatioEstimate { log, standard_error, degrees_of_freedom: count - 1.0, within_share: 0.0 };
    Claim {
        estimate,
        band: Some(Band::from_log(0.0)),
        pairs: processes.len() as u64,
        processes: processes.len() as u32,
    }
}

/// The levels at each look of a table of `rows` rows, if looks up to `until` spend all time.
fn levels(rows: usize, until: usize) -> Vec<LookLevels> {
    let look = |processes: &usize| Look { spent: *processes as f64 / until as f64, information: *processes as f64 };
    let looks: Vec<_> = LOOKS.iter().map(look).collect();
    (1..=looks.len()).map(|count| LookLevels::at_last(&looks[..count], rows)).collect()
}

/// The verdict of a row whose log ratio is `effect`, and the processes that it took.
fn decide(effect: f64, levels: &[LookLevels], random: &mut Random) -> (Verdict, usize) {
    let mut processes: Vec<f64> = Vec::new();
    let mut verdict = Verdict::Withheld;
    for (count, levels) in LOOKS.iter().zip(levels) {
        while processes.len() < *count {
            processes.push(effect + SPREAD * random.normal());
        }
        verdict = judge_look(&claim(&processes), DELTA, levels);
        if matches!(verdict, Verdict::Different | Verdict::Equivalent) {
            break;
        }
    }
    (verdict, processes.len())
}

/// The share of tables of `effects` in which a row gets the verdict `counted`.
fn share(effects: &[f64], counted: Verdict, trials: u32) -> f64 {
    let levels = levels(effects.len(), LOOKS[5]);
    let mut random = Random(ChaCha8Rng::seed_from_u64(5));
    let has_it = |random: &mut Random| {
        // Every row is simulated, so that the trials have the same random numbers.
        let verdicts: Vec<_> = effects.iter().map(|effect| decide(*effect, &levels, random).0).collect();
        verdicts.contains(&counted)
    };
    let count = (0..trials).filter(|_| has_it(&mut random)).count();
    count as f64 / f64::from(trials)
}

/// The error rate of a table, and two standard errors of the share of as many trials.
fn bound() -> f64 {
    0.05 + 2.0 * (0.05 * 0.95 / f64::from(TRIALS)).sqrt()
}

fn check_error(effects: &[f64], false_claim: Verdict) {
    let found = share(effects, false_claim, TRIALS);
    eprintln!("{effects:?}: {false_claim:?} in {found}");
    assert!(found <= bound(), "{effects:?}: falsely {false_claim:?} in {found}");
}

#[test]
fn equal_rows_are_called_different_in_at_most_five_per_cent_of_tables() {
    check_error(&[0.0], Verdict::Different);
    check_error(&[0.0; 8], Verdict::Different);
}

#[test]
fn rows_at_the_margin_are_called_equivalent_in_at_most_five_per_cent_of_tables() {
    let margin = DELTA.ln_1p();
    check_error(&[margin], Verdict::Equivalent);
    check_error(&[margin, -margin, margin, -margin], Verdict::Equivalent);
}

/// Without looking rarely and at lower levels, the error would be far larger: this also checks that the trials notice.
#[test]
fn testing_every_look_at_the_full_level_would_fail() {
    let full = LookLevels::at_last(&[Look { spent: 1.0, information: 1.0 }], 1);
    let mut random = Random(ChaCha8Rng::seed_from_u64(6));
    let false_claims =
        (0..TRIALS).filter(|_| decide(0.0, &[full; 6], &mut random).0 == Verdict::Different).count() as f64;
    assert!(false_claims / f64::from(TRIALS) > 0.07, "{false_claims}");
}

#[test]
fn large_differences_are_decided_early_and_small_ones_at_last() {
    let levels = levels(8, LOOKS[5]);
    let mut random = Random(ChaCha8Rng::seed_from_u64(7));
    let mut mean_processes = |effect: f64| {
        let ended: Vec<_> = (0..400).map(|_| decide(effect, &levels, &mut random)).collect();
        let right = ended.iter().filter(|(verdict, _)| *verdict == Verdict::Different).count();
        (right, ended.iter().map(|(_, processes)| *processes).sum::<usize>() as f64 / 400.0)
    };
    let (right, processes) = mean_processes(1.0f64.ln_1p());
    assert!(right == 400 && processes < 5.1, "{right} in {processes} processes");
    let (right, processes) = mean_processes(0.03f64.ln_1p());
    assert!(right > 360 && (10.0..35.0).contains(&processes), "{right} in {processes} processes");
}
