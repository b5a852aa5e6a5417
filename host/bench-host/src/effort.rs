//! How much is measured: from the options, else from the suite, else the defaults.

use crate::cli::Measured;
use bench_engine::{Amount, Budget, PairedBudget, calibration};
use bench_registry::Suite;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Worker processes a cell.
    pub(crate) processes: u32,
    /// Of each process.
    pub(crate) budget: Budget,
    /// The effort for the rooflines.
    pub(crate) calibration: calibration::Effort,
    /// When no further process is measured. `processes` are the most that there may be, or 0 for comparisons that are measured until they
    /// are decided.
    pub(crate) within_ns: Option<u64>,
}

const CELL_NS: u64 = 1_500_000_000;
const QUICK_CELL_NS: u64 = 100_000_000;
const WARM_UP_NS: u64 = 100_000_000;
const QUICK_WARM_UP_NS: u64 = 20_000_000;

/// How much a comparison measures per process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairedEffort {
    /// For all arms together.
    pub(crate) budget: PairedBudget,
    /// For each arm that has a cost breakdown.
    pub(crate) ledger_ns: u64,
    /// Whether the resource usage of cells with engine settings is counted, too.
    pub(crate) counts_engines: bool,
}

const PAIRED_PROCESSES: u32 = 10;
const QUICK_PAIRED_PROCESSES: u32 = 3;
const PAIRED_NS: u64 = 8_000_000_000;
const QUICK_PAIRED_NS: u64 = 450_000_000;
const PAIRED_WARM_UP_NS: u64 = 20_000_000;
const LEDGER_NS: u64 = 60_000_000;
const QUICK_LEDGER_NS: u64 = 20_000_000;

/// A ladder has about five times the arms of a comparison.
const LADDER_NS: u64 = 12_000_000_000;
const QUICK_LADDER_NS: u64 = 1_500_000_000;

/// An interpreter may need a second for an operation, and each process a dozen of them, so the time of a ladder does not say how long its
/// processes take.
const LADDER_WITHIN_NS: u64 = 30_000_000_000;

/// One process of a comparison that is measured until it is decided.
const DECIDE_NS: u64 = 300_000_000;
const QUICK_DECIDE_NS: u64 = 100_000_000;
const DECIDE_BLOCKS_MAX: u64 = 150;

/// Blocks of one process. Two pairs each, so ten processes make 20,000 pairs, which find a difference of a few per mille.
const BLOCKS_MAX: u64 = 1_000;

impl Effort {
    /// The effort of a comparison, from the options.
    pub(crate) fn paired(options: &Measured) -> anyhow::Result<(Self, PairedEffort)> {
        Self::interleaved(options, [PAIRED_NS, QUICK_PAIRED_NS], ledger_ns(options))
    }

    /// The effort of ladders, from the options. Their rungs show where the time goes, so they have a cost breakdown only if that is asked
    /// for, and are held to each other rather than to the rooflines.
    pub(crate) fn ladder(options: &Measured, has_breakdown: bool) -> anyhow::Result<(Self, PairedEffort)> {
        let ledger_ns = if has_breakdown { ledger_ns(options) } else { 0 };
        let (effort, paired) = Self::interleaved(options, [LADDER_NS, QUICK_LADDER_NS], ledger_ns)?;
        let is_default = options.time.is_none() && options.processes.is_none();
        let within_ns = is_default.then_some(LADDER_WITHIN_NS);
        // With another engine setting, a rung executes the instructions of the one before.
        let paired = PairedEffort { counts_engines: false, ..paired };
        Ok((Self { within_ns, calibration: calibration::Effort::QUICK, ..effort }, paired))
    }

    /// Whether comparisons are measured until they are decided.
    pub(crate) fn is_until_decided(&self) -> bool {
        self.processes == 0
    }

    /// The effort of comparisons that are measured until they are decided, for at most `within_ns`: many short processes, because
    /// only processes are independent.
    pub(crate) fn decide(options: &Measured, within_ns: u64) -> anyhow::Result<(Self, PairedEffort)> {
        anyhow::ensure!(
            options.time.is_none() && options.processes.is_none(),
            "--decide chooses the number of processes and their time itself; limit it with --within instead of --time or --processes"
        );
        let (effort, paired) = Self::paired(options)?;
        let time_ns = if options.quick { QUICK_DECIDE_NS } else { DECIDE_NS };
        let budget = PairedBudget { time_ns, blocks_max: DECIDE_BLOCKS_MAX, ..paired.budget };
        let each = Budget { amount: Amount::Time { ns: time_ns }, ..effort.budget };
        let effort = Self { processes: 0, budget: each, within_ns: Some(within_ns), ..effort };
        Ok((effort, PairedEffort { budget, ..paired }))
    }

    /// `default_ns` is the time, and that with `--quick`, if the options name none.
    fn interleaved(options: &Measured, default_ns: [u64; 2], ledger_ns: u64) -> anyhow::Result<(Self, PairedEffort)> {
        anyhow::ensure!(
            options.iterations.is_none(),
            "a comparison needs a time, not a number of operations; give --time instead of --iterations"
        );
        anyhow::ensure!(
            options.shard.is_none(),
            "a comparison has no shards; give --shard to `load` or `run`, and compare the merged runs"
        );
        let quick = options.quick;
        let processes = options.processes.unwrap_or(if quick { QUICK_PAIRED_PROCESSES } else { PAIRED_PROCESSES });
        let time_ns = options.time.unwrap_or(default_ns[usize::from(quick)]).div_ceil(u64::from(processes));
        let warm_up_ns = if quick { PAIRED_WARM_UP_NS / 4 } else { PAIRED_WARM_UP_NS };
        let effort = Self {
            processes,
            budget: Budget { warm_up_ns, amount: Amount::Time { ns: time_ns } },
            calibration: if quick { calibration::Effort::QUICK } else { calibration::Effort::DEFAULT },
            within_ns: None,
        };
        let budget = PairedBudget { warm_up_ns, time_ns, blocks_max: BLOCKS_MAX };
        Ok((effort, PairedEffort { budget, ledger_ns, counts_engines: true }))
    }

    /// The effort from the options, else from the first suite that sets it.
    pub(crate) fn new(options: &Measured, suites: &[Suite]) -> anyhow::Result<Self> {
        let quick = options.quick;
        let of_suites = suites.iter().find_map(|suite| suite.processes);
        let processes = options.processes.or(of_suites.filter(|_| !quick)).unwrap_or(if quick { 1 } else { 3 });
        let suite_time = suites.iter().find_map(|suite| suite.time.as_deref()).filter(|_| !quick);
        let suite_time = suite_time.map(crate::cli::duration_ns).transpose().map_err(anyhow::Error::msg)?;
        let cell_ns = options.time.or(suite_time).unwrap_or(if quick { QUICK_CELL_NS } else { CELL_NS });
        let share = u64::from(processes);
        // What suits one suite is wrong for another, so each must ask for a number of operations: a suite without one is the smallest.
        let of_suites = suites.iter().map(|suite| suite.iterations).min().flatten();
        let of_suites = of_suites.filter(|_| !quick && options.time.is_none());
        let amount = match options.iterations.or(of_suites) {
            Some(operations) => Amount::Operations(operations.div_ceil(share)),
            None => Amount::Time { ns: cell_ns.div_ceil(share) },
        };
        let warm_up_ns = if quick { QUICK_WARM_UP_NS } else { WARM_UP_NS };
        let calibration = if quick { calibration::Effort::QUICK } else { calibration::Effort::DEFAULT };
        Ok(Self { processes, budget: Budget { warm_up_ns, amount }, calibration, within_ns: None })
    }

    /// The measured time of one process, if the effort is a time.
    pub(crate) fn time_ns(&self) -> Option<u64> {
        if let Amount::Time { ns } = self.budget.amount { Some(ns) } else { None }
    }

    /// The measured operations of one process, if the effort is a number of operations.
    pub(crate) fn iterations(&self) -> Option<u64> {
        if let Amount::Operations(operations) = self.budget.amount { Some(operations) } else { None }
    }
}

fn ledger_ns(options: &Measured) -> u64 {
    if options.quick { QUICK_LEDGER_NS } else { LEDGER_NS }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    #[test]
    fn operations_of_suites_count_unless_a_time_is_asked_for() {
        let suite = |line: &str| {
            let text = format!("summary = \"s\"\n{line}\n[[cells]]\nscenario = \"*\"");
            bench_registry::parse_suite("mine.toml", &text).unwrap()
        };
        let (many, few, timed) = (suite("iterations = 1500"), suite("iterations = 30"), suite("time = \"1s\""));
        let check = |options: &str, suites: &[&Suite], expect: Option<u64>| {
            let words = format!("bench-host run mine {options}");
            let parsed = Cli::try_parse_from(words.split_whitespace()).unwrap();
            let Command::Run(run) = parsed.command else { panic!("not `run`") };
            let suites: Vec<_> = suites.iter().copied().cloned().collect();
            let effort = Effort::new(&run.common.measured, &suites).unwrap();
            assert_eq!(effort.iterations(), expect, "{options}");
        };
        check("", &[&many], Some(500));
        check("--processes 1", &[&many, &few], Some(30));
        check("--iterations 9", &[&many], Some(3));
        check("", &[&many, &timed], None);
        check("--time 1s", &[&many], None);
        check("--quick", &[&many], None);
        check("", &[], None);
    }
}
