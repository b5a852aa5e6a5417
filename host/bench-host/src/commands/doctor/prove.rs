//! `doctor --prove`: compares code with equal code and with code that is slower by known shares, many times, and counts how often a difference is found.

use crate::builtin::chain::SESSIONS;
use crate::modules::Loader;
use crate::worker::{Reply, Request};
use anyhow::Context;
use bench_engine::Interrupt;
use bench_engine::worker::{WorkerError, draw_layout};
use bench_report::{Body, Column, Datum, Measure, Section, Table};
use bench_stats::{Band, Distribution, Interval, LEVEL, Ratios, paired_ratios, share_interval};
use serde::Serialize;
use std::time::{Duration, Instant};

/// By how many thousandths the chains are longer than the baseline, the first of which is not.
const EXTRA: [u64; 6] = [0, 2, 5, 10, 20, 50];

/// Processes of one trial, as many as a comparison has by default.
const PROCESSES: u32 = 10;

/// Measured time of one process.
const PROCESS_NS: u64 = 60_000_000;

/// A difference counts as found if it is in this share of the trials.
const FOUND_SHARE: f64 = 0.8;

/// Comparisons that take longer than a trial, in seconds.
const LONGER: [u64; 2] = [60, 600];

/// As many of these tell what 8 of 10 find. With fewer, it is extrapolated.
const LONGER_MIN: usize = 10;

/// What the trials found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Proof {
    /// Comparisons of the baseline with each chain.
    pub(super) trials: u64,
    /// Processes of each trial.
    processes: u32,
    /// Mean duration of a trial.
    trial_ns: u64,
    /// One entry per length.
    differences: Vec<Difference>,
    /// The smallest tested difference that at least 8 of 10 trials found, in thousandths.
    smallest_found_permille: Option<u64>,
    /// What comparisons of a minute find, and of ten minutes.
    longer: Vec<Longer>,
}

/// What comparisons find that take longer than a trial. They are made of the processes of several trials in a row, of which the medians
/// of the sessions count.
#[derive(Clone, Debug, Serialize)]
struct Longer {
    /// Their duration.
    seconds: u64,
    /// How many there are; none, if there are too few to tell what 8 of 10 find.
    comparisons: u64,
    /// The smallest tested difference that 8 of 10 of them found, in thousandths.
    smallest_found_permille: Option<u64>,
    /// The smallest difference that 8 of 10 would find, a share: extrapolated from the standard error of equal code, whose square is
    /// inversely proportional to time.
    extrapolated: Option<f64>,
}

/// How often the chain of one length was found different from the baseline.
#[derive(Clone, Debug, Serialize)]
struct Difference {
    /// The true difference.
    permille: u64,
    /// Trials in which a test at 5 % rejects the ratio 1, and the noise floor does not cover the estimate.
    different: u64,
    /// Their share, with its 95 % interval.
    share: Option<[f64; 3]>,
}

impl Proof {
    /// Whether equal code was called different more often than chance explains.
    pub(super) fn is_refuted(&self) -> bool {
        self.differences.first().and_then(|equal| equal.share).is_some_and(|[low, ..]| low > 1.0 - LEVEL)
    }
}

/// One trial: the ratios of each chain to the baseline, and whether they were found different from 1.
type Trial = Vec<(Ratios, bool)>;

/// Runs trials until `time` is spent; at least one. `None` if interrupted.
pub(super) fn prove(
    loader: &Loader,
    time: Duration,
    seed: u64,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Proof>> {
    let begun = Instant::now();
    let (mut trials, mut medians) = (Vec::<Trial>::new(), Vec::new());
    while trials.is_empty() || begun.elapsed() < time {
        let mut processes = Vec::with_capacity(PROCESSES as usize);
        for process in 0..PROCESSES {
            let number = trials.len() as u32;
            let Some(times) = measure(loader, seed, number, process, interrupt)? else { return Ok(None) };
            processes.push(times);
        }
        trials.push(judged(&processes, seed)?);
        medians.extend(processes.iter().map(|times| session_medians(times)));
    }
    Ok(Some(proof(&trials, &medians, begun.elapsed(), seed)?))
}

/// The times of the baseline and of every chain in one process; `None` if interrupted.
fn measure(
    loader: &Loader,
    seed: u64,
    trial: u32,
    process: u32,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Vec<Vec<f64>>>> {
    let extra = std::iter::once(0).chain(EXTRA).collect();
    let of_process = seed.wrapping_add((u64::from(trial) << 32) | u64::from(process));
    let request = Request::Chains { extra, time_ns: PROCESS_NS, seed: of_process };
    let layout = draw_layout(seed, trial, process);
    match loader.workers.call_in(Some(&layout), &request, loader.deadline(), interrupt).result {
        Ok(Reply::Chains(times)) => Ok(Some(times)),
        Ok(Reply::Refused(reason)) => Err(anyhow::anyhow!("{reason}").context("cannot measure the chains")),
        Ok(_) => anyhow::bail!("unexpected reply of the worker"),
        Err(WorkerError::Interrupted) => Ok(None),
        Err(error) => Err(error).context("cannot measure the chains"),
    }
}

/// Compares each chain with the baseline, which is the first; `processes` have the times of each.
fn judged(processes: &[Vec<Vec<f64>>], seed: u64) -> anyhow::Result<Trial> {
    let pairs = |one: usize, other: usize| {
        let of_process = |times: &Vec<Vec<f64>>| times[one].iter().copied().zip(times[other].iter().copied()).collect();
        paired_ratios(&processes.iter().map(of_process).collect::<Vec<_>>(), seed)
    };
    let with_itself = |chain: usize| {
        let blocks =
            |times: &Vec<Vec<f64>>| times[chain].chunks_exact(SESSIONS).map(|block| (block[0], block[1])).collect();
        Some(paired_ratios(&processes.iter().map(blocks).collect::<Vec<_>>(), seed)?.medians)
    };
    let chains = 1..=EXTRA.len();
    let trial = chains.map(|chain| {
        let ratios = pairs(0, chain)?;
        let itself: Vec<_> = [0, chain].into_iter().filter_map(with_itself).collect();
        let band = Band::of(&itself)?;
        // As for a verdict, but without the margin: a difference below it would be called equivalent, however well it is known.
        let is_found = ratios.medians.p_different() <= 1.0 - LEVEL && !band.contains(ratios.medians.ratio());
        Some((ratios, is_found))
    });
    trial.collect::<Option<Trial>>().context("the clock is too coarse to compare the chains")
}

/// The medians of the sessions of each chain in one process, so that a comparison of hundreds of processes is judged in milliseconds.
fn session_medians(times: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let median = |chain: &[f64], session: usize| {
        Distribution::of_samples(chain.iter().skip(session).step_by(SESSIONS).copied()).quantile(0.5)
    };
    times.iter().map(|chain| (0..SESSIONS).filter_map(|session| median(chain, session)).collect()).collect()
}

/// What `trials` found, whose processes have these medians.
fn proof(trials: &[Trial], medians: &[Vec<Vec<f64>>], took: Duration, seed: u64) -> anyhow::Result<Proof> {
    let count = trials.len() as u64;
    let differences: Vec<Difference> = EXTRA
        .iter()
        .enumerate()
        .map(|(at, permille)| {
            let different = trials.iter().filter(|trial| trial[at].1).count() as u64;
            let share = share_interval(different, count, LEVEL);
            let share = share.map(|Interval { low, estimate, high }| [low, estimate, high]);
            Difference { permille: *permille, different, share }
        })
        .collect();
    let trial_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / count.max(1);
    let longer = LONGER.into_iter().map(|seconds| longer(seconds, trials, medians, trial_ns, seed));
    Ok(Proof {
        trials: count,
        processes: PROCESSES,
        trial_ns,
        smallest_found_permille: smallest_found(trials),
        longer: longer.collect::<anyhow::Result<_>>()?,
        differences,
    })
}

/// The smallest tested difference that 8 of 10 trials found, in thousandths.
fn smallest_found(trials: &[Trial]) -> Option<u64> {
    let found = |at: usize| trials.iter().filter(|trial| trial[at].1).count() as f64;
    let is_found = |(at, permille): &(usize, &u64)| **permille > 0 && found(*at) >= FOUND_SHARE * trials.len() as f64;
    EXTRA.iter().enumerate().find(is_found).map(|(_, permille)| *permille)
}

fn longer(
    seconds: u64,
    trials: &[Trial],
    medians: &[Vec<Vec<f64>>],
    trial_ns: u64,
    seed: u64,
) -> anyhow::Result<Longer> {
    let together = (seconds * 1_000_000_000 / trial_ns.max(1)).max(1) as usize;
    let comparisons = medians.chunks_exact(together.saturating_mul(PROCESSES as usize));
    let is_enough = comparisons.len() >= LONGER_MIN;
    let judged = comparisons.filter(|_| is_enough).map(|processes| judged(processes, seed));
    let judged = judged.collect::<anyhow::Result<Vec<Trial>>>()?;
    Ok(Longer {
        seconds,
        comparisons: judged.len() as u64,
        smallest_found_permille: if judged.is_empty() { None } else { smallest_found(&judged) },
        extrapolated: extrapolated(trials, trial_ns, seconds),
    })
}

/// A test at 5 % finds a difference of 2.8 standard errors in 8 of 10: 1.96 for the level and 0.84 for the share.
const ERRORS_OF_FOUND: f64 = 2.80;

fn extrapolated(trials: &[Trial], trial_ns: u64, seconds: u64) -> Option<f64> {
    let variances: Vec<f64> = trials.iter().map(|trial| trial[0].0.medians.standard_error.powi(2)).collect();
    let variance = variances.iter().sum::<f64>() / variances.len() as f64;
    let after = ERRORS_OF_FOUND * (variance * trial_ns as f64 / (seconds as f64 * 1e9)).sqrt();
    variance.is_finite().then_some(after)
}

/// The proof as a table with its conditions.
pub(super) fn section(proof: &Proof) -> Section {
    let columns = vec![
        Column::figures("true difference").key("difference"),
        Column::figures("found in").key("different"),
        Column::figures("of trials").key("trials"),
        Column::figures("share"),
        Column::figures("95 % interval").key("interval"),
    ];
    let row = |one: &Difference| {
        let share = |share: f64| Datum::number(share, Measure::Share);
        let [low, middle, high] = one.share.unwrap_or_default();
        vec![
            share(one.permille as f64 / 1_000.0),
            Datum::number(one.different as f64, Measure::Plain),
            Datum::number(proof.trials as f64, Measure::Plain),
            share(middle),
            Datum::Range { low, high, measure: Measure::Share },
        ]
    };
    let table = Table::plain(columns, proof.differences.iter().map(row).collect());
    Section::new("proof", "comparisons of known truth", Body::Table(table)).in_data().with_remarks(remarks(proof))
}

/// What comparisons of one duration find: measured, or else extrapolated, and how to measure it.
fn describe(Longer { seconds, comparisons, smallest_found_permille, extrapolated }: &Longer) -> Option<String> {
    let minutes = seconds / 60;
    if *comparisons > 0 {
        let found = smallest_found_permille.map_or_else(
            || "no tested difference was found in 8 of 10".to_owned(),
            |permille| format!("smallest tested difference found in 8 of 10: {} %", permille as f64 / 10.0),
        );
        return Some(format!(
            "in {minutes} min: {found}; measured in {comparisons} comparisons, each of the processes of several trials"
        ));
    }
    extrapolated.map(|share| {
        format!(
            "in {minutes} min: {:.2} %, extrapolated from the standard error of equal code; --prove {}m measures it",
            share * 100.0,
            minutes * LONGER_MIN as u64
        )
    })
}

fn remarks(proof: &Proof) -> Vec<String> {
    let effort = format!(
        "each trial: {} processes × {} ms for 7 chains interleaved, {:.1} s in all",
        proof.processes,
        PROCESS_NS / 1_000_000,
        proof.trial_ns as f64 / 1e9
    );
    let false_alarms = match proof.is_refuted() {
        true => {
            "equal code is called different too often: do not trust small differences on this machine; see above what disturbs it"
        }
        false => "false alarms (difference 0) are no more frequent than the 5 % that a verdict allows",
    };
    let found = proof.smallest_found_permille.map_or_else(
        || "no tested difference was found in 8 of 10 trials".to_owned(),
        |permille| format!("smallest tested difference found in 8 of 10 trials: {} %", permille as f64 / 10.0),
    );
    let longer = proof.longer.iter().filter_map(describe);
    [effort, false_alarms.to_owned(), found].into_iter().chain(longer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten processes whose chains take exactly as long as they should, but for a wobble that differs between processes.
    fn processes(wobble: f64) -> Vec<Vec<Vec<f64>>> {
        let time = |chain: usize, process: usize, sample: usize| {
            let extra = if chain == 0 { 0 } else { EXTRA[chain - 1] };
            let noise = wobble * (((process * 7 + chain * 5 + sample * 3) % 11) as f64 / 5.0 - 1.0);
            (1_000.0 + extra as f64) * (1.0 + noise)
        };
        let process = |process| {
            (0..=EXTRA.len()).map(|chain| (0..20).map(|sample| time(chain, process, sample)).collect()).collect()
        };
        (0..PROCESSES as usize).map(process).collect()
    }

    fn trial(wobble: f64) -> Trial {
        judged(&processes(wobble), 1).unwrap()
    }

    /// What so many trials prove, each of which took so long.
    fn proof_of(wobble: f64, trials: usize, seconds: u64) -> Proof {
        let medians: Vec<_> = processes(wobble).iter().map(|times| session_medians(times)).collect();
        let medians: Vec<_> = std::iter::repeat_n(medians, trials).flatten().collect();
        let took = Duration::from_secs(seconds * trials as u64);
        proof(&vec![trial(wobble); trials], &medians, took, 1).unwrap()
    }

    #[test]
    fn verdicts_are_counted_by_the_true_difference() {
        let proof = proof_of(0.0001, 2, 2);
        let found: Vec<_> = proof.differences.iter().map(|one| (one.permille, one.different)).collect();
        assert_eq!(found, [(0, 0), (2, 2), (5, 2), (10, 2), (20, 2), (50, 2)]);
        assert_eq!((proof.trials, proof.trial_ns, proof.smallest_found_permille), (2, 2_000_000_000, Some(2)));
        let [minute, ten] = &proof.longer[..] else { panic!("{proof:?}") };
        let [one, other] = [minute, ten].map(|longer| longer.extrapolated.unwrap());
        assert!((one / other - 10f64.sqrt()).abs() < 1e-9, "{one} and {other}");
        assert_eq!([minute, ten].map(|longer| longer.comparisons), [0, 0], "there is no time for ten of them");
        assert!(!proof.is_refuted());
        let said = remarks(&proof).join("\n");
        for part in ["in 1 min: ", "%, extrapolated", "--prove 10m measures it", "--prove 100m measures it"] {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
    }

    #[test]
    fn processes_of_several_trials_are_one_longer_comparison() {
        // Three trials of twenty seconds each make a minute.
        let proof = proof_of(0.0001, 30, 20);
        let counts: Vec<_> = proof.longer.iter().map(|longer| (longer.seconds, longer.comparisons)).collect();
        assert_eq!(counts, [(60, 10), (600, 0)]);
        assert_eq!(proof.longer[0].smallest_found_permille, Some(2));
        let said = remarks(&proof).join("\n");
        let part = "in 1 min: smallest tested difference found in 8 of 10: 0.2 %; measured in 10";
        assert!(said.contains(part), "{said}");
        let nothing = Longer { seconds: 600, comparisons: 12, smallest_found_permille: None, extrapolated: None };
        let said = describe(&nothing).unwrap();
        assert!(said.starts_with("in 10 min: no tested difference was found in 8 of 10; measured in 12"), "{said}");
    }

    #[test]
    fn median_of_each_session_is_taken() {
        assert_eq!(session_medians(&[vec![1.0, 10.0, 3.0, 30.0, 2.0, 20.0]]), [[2.0, 20.0]]);
    }

    #[test]
    fn too_many_false_alarms_refute_comparisons() {
        let share = share_interval(9, 20, LEVEL).map(|share| [share.low, share.estimate, share.high]);
        let difference = Difference { permille: 0, different: 9, share };
        let proof = Proof { differences: vec![difference], ..proof_of(0.0001, 1, 1) };
        assert!(proof.is_refuted());
        assert!(remarks(&proof).iter().any(|line| line.contains("too often")));
    }
}
