//! `check --sensitivity`: whether `verify` sees a corrupted result, and whether a comparison sees a little more work.

use super::Outcome;
use crate::modules::Loader;
use crate::resolve::Resolved;
use crate::worker::{Reply, Request};
use bench_drivers::Corruption;
use bench_drivers::workload::{BURDEN_PERMILLE, BURDENED_SESSIONS};
use bench_engine::worker::{WorkerError, draw_layout};
use bench_engine::{Cell, Interrupt};
use bench_stats::{Band, Interval, LEVEL, RatioEstimate, paired_ratios};

/// A rule, whether it holds, and what was found.
type Finding = (&'static str, Outcome, String);

const CORRUPTED: &str = "verify sees a corrupted result";
const BURDENED: &str = "a comparison sees 2 % more work";

/// Processes in which a scenario is compared with itself, and the measured time of each.
const PROCESSES: u32 = 5;
const PROCESS_NS: u64 = 150_000_000;

/// Nothing here depends on which numbers are drawn.
const SEED: u64 = 1;

/// The times of both sides in one process.
type Times = [Vec<f64>; 2];

/// Tests both rules on a cell; nothing if interrupted.
pub(super) fn findings(loader: &Loader, resolved: &Resolved, cell: &Cell, interrupt: &Interrupt) -> Vec<Finding> {
    let corrupted = corrupted(loader, resolved, cell, interrupt);
    let burdened = burdened(loader, resolved, cell, interrupt);
    let rules = [(CORRUPTED, corrupted), (BURDENED, burdened)];
    rules.into_iter().filter_map(|(rule, found)| found.map(|(outcome, detail)| (rule, outcome, detail))).collect()
}

fn corrupted(loader: &Loader, resolved: &Resolved, cell: &Cell, interrupt: &Interrupt) -> Option<(Outcome, String)> {
    let request = Request::Corrupt {
        module: resolved.module.clone(),
        scenario: cell.scenario.name.clone(),
        arguments: resolved.arguments.clone(),
    };
    let end = loader.workers.call(&request, loader.deadline_for(&resolved.module, cell, 0), interrupt);
    Some(match end.result {
        Ok(Reply::Corrupted(Ok(found))) => judge_corruption(found.as_ref()),
        Ok(Reply::Corrupted(Err(reason)) | Reply::Refused(reason)) => (Outcome::Skipped, reason),
        Ok(_) => (Outcome::Broken, "unexpected reply of the worker".to_owned()),
        Err(WorkerError::Interrupted) => return None,
        // A byte of a pointer or of a length may do anything.
        Err(error) => (Outcome::Skipped, format!("with a byte of its memory corrupted: {error}")),
    })
}

/// What came of the corrupted bytes; `None` if the host cannot access the memory.
fn judge_corruption(found: Option<&Corruption>) -> (Outcome, String) {
    let Some(found) = found else {
        let reason = "the host cannot access the memory of native code, nor of a component without sessions; test the component of the same source";
        return (Outcome::Skipped, reason.to_owned());
    };
    let Corruption { written_bytes, corrupted, seen, crashed, calls_host } = *found;
    let counts = format!("{seen} of {corrupted} corrupted bytes seen, of {written_bytes} that an operation writes");
    match (seen, corrupted - crashed.min(corrupted)) {
        (1.., _) => (Outcome::Held, counts),
        (0, _) if calls_host => (Outcome::Skipped, format!("{counts}; its result may be where the host keeps it")),
        (0, 0) if corrupted > 0 => (Outcome::Skipped, format!("{counts}; all were of pointers or lengths")),
        (0, _) => {
            let remedy =
                "keep the result of an operation, and compare it in `verify` with one that was found in another way";
            (Outcome::Broken, format!("{counts}; {remedy}"))
        }
    }
}

fn burdened(loader: &Loader, resolved: &Resolved, cell: &Cell, interrupt: &Interrupt) -> Option<(Outcome, String)> {
    let mut processes = Vec::with_capacity(PROCESSES as usize);
    for process in 0..PROCESSES {
        let request = Request::Burdened {
            module: resolved.module.clone(),
            scenario: cell.scenario.name.clone(),
            arguments: resolved.arguments.clone(),
            time_ns: PROCESS_NS,
            seed: SEED + u64::from(process),
        };
        let layout = draw_layout(SEED, 0, process);
        let deadline = loader.deadline_for(&resolved.module, cell, 0);
        match loader.workers.call_in(Some(&layout), &request, deadline, interrupt).result {
            Ok(Reply::Burdened(Ok(times))) => processes.push(times),
            Ok(Reply::Burdened(Err(reason)) | Reply::Refused(reason)) => return Some((Outcome::Skipped, reason)),
            Ok(_) => return Some((Outcome::Broken, "unexpected reply of the worker".to_owned())),
            Err(WorkerError::Interrupted) => return None,
            Err(error) => return Some((Outcome::Broken, error.to_string())),
        }
    }
    Some(judge_burden(&processes))
}

fn judge_burden(processes: &[Times]) -> (Outcome, String) {
    let Some((estimate, band)) = estimate(processes) else {
        return (Outcome::Skipped, "the clock is too coarse to compare its samples".to_owned());
    };
    let Interval { low, estimate: ratio, high } = estimate.interval(LEVEL);
    let (floor_low, floor_high) = (band.low(), band.high());
    let shown = format!("{ratio:.4}× ({low:.4}–{high:.4}), equal work {floor_low:.4}–{floor_high:.4}");
    // As `doctor --prove` does: without the margin of a verdict, which would call so small a difference equivalent.
    if estimate.p_different() <= 1.0 - LEVEL && ratio > 1.0 && !band.contains(ratio) {
        return (Outcome::Held, shown);
    }
    let share = BURDEN_PERMILLE as f64 / 1_000.0;
    if high < 1.0 + share / 2.0 {
        let remedy = "time does not follow the operations; execute each of them, on its own input";
        return (Outcome::Broken, format!("{shown}; {remedy}"));
    }
    (
        Outcome::Skipped,
        format!("{shown}: not decided; repeat it on a quieter machine, or with more work an operation (-p)"),
    )
}

/// The ratio of the sides, and how far from 1 equal work comes out.
fn estimate(processes: &[Times]) -> Option<(RatioEstimate, Band)> {
    let pairs = |[plain, more]: &Times| plain.iter().copied().zip(more.iter().copied()).collect();
    let ratios = paired_ratios(&processes.iter().map(pairs).collect::<Vec<_>>(), SEED)?;
    let with_itself = |side: usize| {
        let blocks =
            |times: &Times| times[side].chunks_exact(BURDENED_SESSIONS).map(|block| (block[0], block[1])).collect();
        Some(paired_ratios(&processes.iter().map(blocks).collect::<Vec<_>>(), SEED)?.medians)
    };
    let itself: Vec<_> = [0, 1].into_iter().filter_map(with_itself).collect();
    Some((ratios.medians, Band::of(&itself)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Processes in which more work takes `ratio` times as long, but for a `wobble` that differs between processes.
    fn processes(ratio: f64, wobble: f64) -> Vec<Times> {
        let time = |side: usize, process: usize, sample: usize| {
            let of_process = wobble * ((process * 7 % 5) as f64 / 2.0 - 1.0);
            let of_sample = 0.0005 * (((process * 7 + side * 5 + sample * 3) % 11) as f64 / 5.0 - 1.0);
            100.0 * (1.0 + of_sample) * if side == 0 { 1.0 } else { ratio * (1.0 + of_process) }
        };
        let side = |process, side| (0..40).map(|sample| time(side, process, sample)).collect();
        (0..PROCESSES as usize).map(|process| [side(process, 0), side(process, 1)]).collect()
    }

    #[test]
    fn burden_is_seen_missing_or_not_decided() {
        let check = |ratio: f64, wobble: f64, expect: Outcome, part: &str| {
            let (outcome, detail) = judge_burden(&processes(ratio, wobble));
            assert_eq!(outcome, expect, "{detail}");
            assert!(detail.contains(part), "{detail}");
        };
        check(1.02, 0.0005, Outcome::Held, "1.02");
        check(1.0, 0.0005, Outcome::Broken, "time does not follow the operations");
        check(0.98, 0.0005, Outcome::Broken, "time does not follow the operations");
        check(1.02, 0.3, Outcome::Skipped, "not decided");
    }

    #[test]
    fn verify_that_sees_no_corruption_gets_a_next_step() {
        let check = |found: Option<Corruption>, expect: Outcome, part: &str| {
            let (outcome, detail) = judge_corruption(found.as_ref());
            assert_eq!(outcome, expect, "{detail}");
            assert!(detail.contains(part), "{detail}");
        };
        let found = Corruption { written_bytes: 90, corrupted: 9, ..Corruption::default() };
        check(Some(Corruption { seen: 2, ..found }), Outcome::Held, "2 of 9 corrupted bytes seen");
        check(Some(found), Outcome::Broken, "compare it in `verify`");
        check(Some(Corruption { crashed: 9, ..found }), Outcome::Skipped, "pointers or lengths");
        check(Some(Corruption { calls_host: true, ..found }), Outcome::Skipped, "where the host keeps it");
        check(Some(Corruption::default()), Outcome::Broken, "keep the result of an operation");
        check(None, Outcome::Skipped, "native code");
    }
}
