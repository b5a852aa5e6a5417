//! Measures a comparison: plans the cells, measures each group of them interleaved, and shows the run.

use super::decide::UntilDecided;
use super::executor::PairedWorkerExecutor;
use super::timed::TimedRounds;
use super::{conclude, options};
use crate::cli::{CompareArgs, Measured};
use crate::commands::load::cells_max;
use crate::cost::Cost;
use crate::effort::{Effort, PairedEffort};
use crate::execute::{Job, begin, record, say_cost};
use crate::modules::{Loader, Modules};
use crate::progress::Progress;
use crate::{Exit, output};
use bench_engine::{
    ComparisonGroup, Interrupt, LoadedModule, Plan, PlanError, Repetition, RunEnd, Schedule, Selection, run_paired,
};
use bench_report::ComparisonReport;
use bench_sink::runfile::{Record, RunFile};
use std::time::Instant;

/// Decides which cells are compared with each other.
pub(super) trait Candidates {
    /// Whether the cells of a module are the baseline of their groups.
    fn is_baseline(&self, offer: &LoadedModule) -> bool;

    /// The reason why a group cannot be compared, if it lacks a cell.
    fn lack(&self, plan: &Plan, modules: &Modules, group: &ComparisonGroup) -> Option<String>;

    /// Further records that describe the comparison, written before its cells.
    fn records(&self, _plan: &Plan, _groups: &[ComparisonGroup]) -> Vec<Record> {
        Vec::new()
    }
}

/// The modules of a comparison, and what of them is compared.
pub(super) struct Lineup<'a> {
    /// Each module once per arm and variant.
    pub(super) modules: Modules,
    /// The scenarios.
    pub(super) selections: Vec<Selection>,
    /// What is compared with what.
    pub(super) candidates: &'a dyn Candidates,
}

/// Measures `lineup`, or shows its plan for `--dry-run`.
pub(super) fn measure(
    arguments: &CompareArgs,
    loader: &Loader,
    lineup: &Lineup<'_>,
    (effort, paired): (Effort, PairedEffort),
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let common = &arguments.common;
    let seed = common.measured.seed.unwrap_or_else(|| jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64);
    let plan = lineup.plan(&common.measured, effort.processes, seed)?;
    let groups = plan.comparison_groups(|offer| lineup.candidates.is_baseline(offer));
    let arms = groups.iter().map(|group| group.cells.len()).max().unwrap_or_default();
    let repetitions: Vec<Repetition> = (0..effort.processes.max(1))
        .flat_map(|process| groups.iter().map(move |group| Repetition { cell: group.cells[0], process }))
        .collect();
    let job = Job { loader, modules: &lineup.modules, plan: &plan, effort, seed, common };
    let until_decided_ns = effort.within_ns.filter(|_| effort.is_until_decided());
    let cost = Cost::of_comparisons(groups.len(), arms, &effort, &paired);
    let (cost, line) = cost.announced(until_decided_ns, || job.took_before(), &repetitions);
    say_cost(&line, common);
    if common.shown.dry_run {
        return print_groups(&plan, &groups);
    }
    let (writer, begun) = (begin(&job)?, Instant::now());
    let (directory, ended) = record(&job, writer, interrupt, |writer, directory| {
        // Until now, the rooflines were measured.
        let expected = cost.expected_after(begun.elapsed());
        writer.append(&lineup.candidates.records(&plan, &groups))?;
        // How many rounds there are until all is decided is not known, so a bar could not be right.
        let is_quiet = common.shown.quiet || effort.is_until_decided();
        let mut progress =
            Progress::new(&repetitions, |repetition| cells_with(&groups, repetition.cell), expected, is_quiet);
        let mut bench = PairedWorkerExecutor { job: &job, paired, interrupt, directory };
        let mut rounds = TimedRounds::new(&effort, groups.len());
        let mut until_decided = until_decided_ns.map(|within_ns| {
            let is_quiet = common.shown.quiet;
            UntilDecided::new(&plan, &groups, within_ns, directory, options(arguments, seed), is_quiet)
        });
        let schedule: &mut dyn Schedule = match &mut until_decided {
            Some(schedule) => schedule,
            None => &mut rounds,
        };
        Ok(run_paired(&plan, &groups, (schedule, seed), &mut bench, writer, &mut progress, interrupt)?)
    })?;
    let comparison = ComparisonReport::of_pairs(RunFile::read(&directory)?, &options(arguments, seed))?;
    let exit = conclude(&comparison, arguments, &[&directory])?;
    Ok(if ended == RunEnd::Complete { exit } else { Exit::NotMeasured })
}

impl Lineup<'_> {
    /// The plan of all groups that lack no cell.
    fn plan(&self, measured: &Measured, processes: u32, seed: u64) -> anyhow::Result<Plan> {
        let modules = &self.modules;
        if modules.loaded.is_empty() {
            modules.refused.iter().for_each(|refused| output::line(&format!("bench-host: {}", refused.reason)));
            anyhow::bail!(
                "no module could be loaded, so there is nothing to compare; `cargo xtask plugins` builds them"
            );
        }
        let nor_a_run = |error: PlanError| match error {
            PlanError::NoScenario { .. } => anyhow::anyhow!("{error}; no run directory has that name either"),
            error => error.into(),
        };
        let plan = Plan::build_within(modules.offers(), &self.selections, processes, seed, cells_max(measured));
        let plan = plan.map_err(nor_a_run)?;
        let plan = match &measured.filter {
            Some(filter) => plan.filtered(filter)?,
            None => plan,
        };
        self.whole(plan)
    }

    /// Removes the groups that lack a cell from the plan, with a message for each scenario; an error if none is left.
    fn whole(&self, plan: Plan) -> anyhow::Result<Plan> {
        let mut lacks: Vec<String> = Vec::new();
        let mut keep = vec![true; plan.cells.len()];
        for group in plan.comparison_groups(|offer| self.candidates.is_baseline(offer)) {
            let Some(lack) = self.candidates.lack(&plan, &self.modules, &group) else { continue };
            group.cells.iter().for_each(|cell| keep[*cell as usize] = false);
            // All combinations of arguments lack the same cell.
            if !lacks.contains(&lack) {
                lacks.push(lack);
            }
        }
        anyhow::ensure!(keep.contains(&true), "{}", lacks.join("; "));
        lacks.iter().for_each(|lack| output::line(&format!("bench-host: left out: {lack}")));
        Ok(plan.only(&keep))
    }
}

/// The cells that are measured interleaved with `first`.
fn cells_with(groups: &[ComparisonGroup], first: u32) -> Vec<u32> {
    groups.iter().find(|group| group.cells[0] == first).map(|group| group.cells.clone()).unwrap_or_default()
}

/// The name of a cell within its group: `native`, `wasm+fuel`.
pub(super) fn label(plan: &Plan, cell: u32) -> String {
    let offer = plan.offer(plan.cell(cell));
    offer.variant.as_ref().map_or_else(|| offer.arm.to_string(), |variant| format!("{}+{variant}", offer.arm))
}

fn print_groups(plan: &Plan, groups: &[ComparisonGroup]) -> anyhow::Result<Exit> {
    let line = |group: &ComparisonGroup| {
        let cell = plan.cell(group.cells[0]);
        let labels: Vec<_> = group.cells.iter().map(|cell| label(plan, *cell)).collect();
        let line = format!("{}  {}  {}", plan.full_name(cell), labels.join(" "), cell.arguments);
        format!("{}\n", bench_report::escape(&line))
    };
    output::print(&groups.iter().map(line).collect::<String>())?;
    Ok(Exit::Done)
}
