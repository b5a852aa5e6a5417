//! Compares the arms of scenarios, or engine settings of one arm. Each worker process measures all of them, interleaved.

use super::{conclude, options};
use crate::cli::CompareArgs;
use crate::commands::run::{fulfilled, requested_selections};
use crate::cost::Cost;
use crate::effort::{Effort, PairedEffort};
use crate::execute::{Job, account, begin, explain_by_output, interrupt, keep_output, record, say_cost, without_reply};
use crate::modules::{Loaded, Loader, Modules};
use crate::progress::Progress;
use crate::resolve::Resolved;
use crate::worker::{CompareRequest, EntrantSpec, Kind, Reply, Request};
use crate::{Exit, output, paths};
use bench_engine::worker::WorkerError;
use bench_engine::{
    ComparisonGroup, Interrupt, LoadedModule, PairedExecutor, PairedReport, Plan, PlanError, Repetition, Report,
    RunEnd, Selection, run_paired,
};
use bench_model::Arm;
use bench_report::Comparison;
use bench_sink::environment::Reading;
use bench_sink::runfile::{RunFile, Status};
use bench_wasm::EngineOption;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The arms that are compared by default; the last one only where it is built.
const ARMS: [Arm; 3] = [Arm::Wasm, Arm::Native, Arm::NativeCpu];

pub(crate) fn run(arguments: &CompareArgs) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let common = &arguments.common;
    let (effort, paired) = Effort::paired(&common.measured)?;
    let loader = Loader::new(&common.measured.grants, common.measured.limits)?;
    let sides = Sides::new(arguments)?;
    let (wishes, _) = requested_selections(&arguments.what, common)?;
    let files = with_native_cpu_arms(paths::modules(&arguments.modules)?);
    let modules = loader.load(&files, true, interrupt);
    let selections = fulfilled(wishes, &modules)?.into_iter().map(|selection| sides.narrowed(selection));
    let selections: Vec<_> = selections.collect();
    let modules = modules.only_needed(&selections);
    anyhow::ensure!(!interrupt.is_raised(), "interrupted before anything was measured");
    let modules = sides.variants(modules);
    let seed = common.measured.seed.unwrap_or_else(|| jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64);
    let mut plan = sides.plan(&modules, &selections, effort.processes, seed)?;
    if let Some(filter) = &common.measured.filter {
        plan = plan.filtered(filter)?;
    }
    let plan = sides.whole(plan, &modules)?;
    let matchups = plan.matchups(|offer| sides.is_baseline(offer));
    let arms = matchups.iter().map(|matchup| matchup.cells.len()).max().unwrap_or_default();
    let repetitions: Vec<Repetition> = (0..effort.processes)
        .flat_map(|process| matchups.iter().map(move |matchup| Repetition { cell: matchup.cells[0], process }))
        .collect();
    let cost = Cost::of_comparisons(matchups.len(), arms, &effort, &paired);
    say_cost(&cost.line(&repetitions), common);
    if common.shown.dry_run {
        return print_matchups(&plan, &matchups);
    }
    let job = Job { loader: &loader, modules: &modules, plan: &plan, effort, seed, common };
    let (directory, ended) = record(&job, begin(&job)?, interrupt, |writer, directory| {
        let mut progress =
            Progress::new(&repetitions, |repetition| cells_with(&matchups, repetition.cell), &cost, common.shown.quiet);
        let mut bench = PairedWorkerExecutor { job: &job, paired, interrupt, directory };
        let rounds = (effort.processes, seed);
        Ok(run_paired(&plan, &matchups, rounds, &mut bench, writer, &mut progress, interrupt)?)
    })?;
    let comparison = Comparison::of_pairs(RunFile::read(&directory)?, &options(arguments, seed))?;
    let exit = conclude(&comparison, arguments, &[&directory])?;
    Ok(if ended == RunEnd::Complete { exit } else { Exit::NotMeasured })
}

/// The cells that are measured interleaved with `first`.
fn cells_with(matchups: &[ComparisonGroup], first: u32) -> Vec<u32> {
    matchups.iter().find(|matchup| matchup.cells[0] == first).map(|matchup| matchup.cells.clone()).unwrap_or_default()
}

/// The arms or engine settings to compare.
struct Sides {
    arms: Vec<Arm>,
    /// Whether the user named the arms, so that none may be missing.
    are_named: bool,
    /// Engine settings to compare with the default ones; arms are compared if this is empty.
    switches: Vec<EngineOption>,
}

impl Sides {
    fn new(arguments: &CompareArgs) -> anyhow::Result<Self> {
        let mut switches = Vec::new();
        for name in &arguments.engine {
            match name.as_str() {
                "all" => switches.extend(EngineOption::ALL),
                // This is the default setting.
                "pool" => {}
                name => switches.push(name.parse().map_err(anyhow::Error::msg)?),
            }
        }
        switches.dedup();
        let named = arguments.common.measured.arm.clone();
        if !arguments.engine.is_empty() {
            anyhow::ensure!(
                !switches.is_empty(),
                "--engine pool is the default setting; name another one to compare with it"
            );
            let wasm_alone = named.as_ref().is_none_or(|arms| arms == &[Arm::Wasm]);
            anyhow::ensure!(wasm_alone, "--engine compares settings of the arm wasm; remove --arm");
            return Ok(Self { arms: vec![Arm::Wasm], are_named: true, switches });
        }
        if let Some(arms) = &named {
            anyhow::ensure!(arms.len() >= 2, "a comparison needs at least two arms, such as --arm wasm,native");
        }
        Ok(Self { are_named: named.is_some(), arms: named.unwrap_or_else(|| ARMS.to_vec()), switches })
    }

    /// The selection in the arms that are compared.
    fn narrowed(&self, selection: Selection) -> Selection {
        let arms = match &selection.arms {
            Some(arms) => self.arms.iter().filter(|arm| arms.contains(arm)).copied().collect(),
            None => self.arms.clone(),
        };
        Selection { arms: Some(arms), ..selection }
    }

    /// The baseline: native where it takes part, else the arm named last.
    fn is_baseline(&self, offer: &LoadedModule) -> bool {
        let native = self.arms.contains(&Arm::Native).then_some(Arm::Native);
        Some(offer.arm) == native.or_else(|| self.arms.last().copied()) && offer.variant.is_none()
    }

    /// Adds each component once more per engine setting that is compared.
    fn variants(&self, mut modules: Modules) -> Modules {
        let components = modules.loaded.iter().filter(|loaded| loaded.spec.kind == Kind::Component);
        let variant = |loaded: &Loaded, switch: &EngineOption| {
            let mut loaded = loaded.clone();
            loaded.spec.engine = Some(switch.to_string());
            loaded.offer.variant = Some(switch.to_string());
            loaded
        };
        let variants: Vec<_> =
            components.flat_map(|loaded| self.switches.iter().map(move |switch| variant(loaded, switch))).collect();
        modules.loaded.extend(variants);
        modules
    }

    fn plan(&self, modules: &Modules, selections: &[Selection], processes: u32, seed: u64) -> anyhow::Result<Plan> {
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
        Plan::build(modules.offers(), selections, processes, seed).map_err(nor_a_run)
    }

    /// Removes the scenarios that lack an arm from the plan, with a message for each; an error if none is left.
    fn whole(&self, plan: Plan, modules: &Modules) -> anyhow::Result<Plan> {
        let mut lacks: Vec<String> = Vec::new();
        let mut keep = vec![true; plan.cells.len()];
        for matchup in plan.matchups(|offer| self.is_baseline(offer)) {
            let Some(lack) = self.lack(&plan, modules, &matchup) else { continue };
            matchup.cells.iter().for_each(|cell| keep[*cell as usize] = false);
            // All combinations of arguments lack the same arm.
            if !lacks.contains(&lack) {
                lacks.push(lack);
            }
        }
        anyhow::ensure!(keep.contains(&true), "{}", lacks.join("; "));
        lacks.iter().for_each(|lack| output::line(&format!("bench-host: left out: {lack}")));
        Ok(plan.only(&keep))
    }

    /// The first arm that is needed and missing, and why.
    fn lack(&self, plan: &Plan, modules: &Modules, matchup: &ComparisonGroup) -> Option<String> {
        let offers = || matchup.cells.iter().map(|cell| plan.offer(plan.cell(*cell)));
        let is_needed = |arm: &&Arm| self.are_named || **arm != Arm::NativeCpu;
        let missing = self.arms.iter().filter(is_needed).find(|arm| offers().all(|offer| offer.arm != **arm))?;
        let name = plan.full_name(plan.cell(matchup.cells[0]));
        let there = offers().next()?;
        let file = arm_file(&there.file, there.arm, *missing);
        let refused = modules.refused.iter().find(|refused| file.as_ref() == Some(&refused.file));
        let why = match (refused, file) {
            (Some(refused), _) => refused.reason.clone(),
            (None, Some(file)) => format!("{} does not exist; build it with `cargo xtask plugins`", file.display()),
            (None, None) => format!("{} has no such counterpart", there.file.display()),
        };
        Some(format!("{name} has no arm {missing}: {why}"))
    }
}

/// The path at which the `wanted` arm of the module at `file` is expected, if its kind has such an arm.
fn arm_file(file: &Path, arm: Arm, wanted: Arm) -> Option<PathBuf> {
    let component = match arm {
        Arm::Wasm => file.to_owned(),
        Arm::Native => file.with_extension("wasm"),
        Arm::NativeCpu => file.parent()?.parent()?.join(file.file_name()?).with_extension("wasm"),
        Arm::Process => return None,
    };
    match wanted {
        Arm::Wasm => Some(component),
        Arm::Native => Some(component.with_extension(std::env::consts::DLL_EXTENSION)),
        Arm::NativeCpu => Some(paths::native_cpu_arm(&component)),
        Arm::Process => None,
    }
}

/// Inserts after each component its probe for this processor, where it is built.
fn with_native_cpu_arms(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let probes = files.iter().filter(|file| paths::is_component(file)).map(|file| paths::native_cpu_arm(file));
    let probes: Vec<_> = probes.filter(|probe| probe.is_file()).collect();
    files.into_iter().chain(probes).collect()
}

fn label(plan: &Plan, cell: u32) -> String {
    let offer = plan.offer(plan.cell(cell));
    offer.variant.as_ref().map_or_else(|| offer.arm.to_string(), |variant| format!("{}+{variant}", offer.arm))
}

fn print_matchups(plan: &Plan, matchups: &[ComparisonGroup]) -> anyhow::Result<Exit> {
    let line = |matchup: &ComparisonGroup| {
        let cell = plan.cell(matchup.cells[0]);
        let labels: Vec<_> = matchup.cells.iter().map(|cell| label(plan, *cell)).collect();
        let line = format!("{}  {}  {}", plan.full_name(cell), labels.join(" "), cell.arguments);
        format!("{}\n", bench_report::escape(&line))
    };
    output::print(&matchups.iter().map(line).collect::<String>())?;
    Ok(Exit::Done)
}

/// Executes comparison groups in worker processes.
struct PairedWorkerExecutor<'a> {
    job: &'a Job<'a>,
    paired: PairedEffort,
    interrupt: &'a Interrupt,
    directory: &'a Path,
}

impl PairedExecutor for PairedWorkerExecutor<'_> {
    fn execute(&mut self, plan: &Plan, matchup: &ComparisonGroup, process: u32, seed: u64) -> Option<PairedReport> {
        let repetition = |cell: &u32| Repetition { cell: *cell, process };
        let nothing = |status, reason: &str| {
            let reports = matchup.cells.iter().map(|cell| Report::without_figures(repetition(cell), status, reason));
            Some(PairedReport { reports: reports.collect(), sessions: 0, ledgers: Vec::new() })
        };
        let resolved = matchup.cells.iter().map(|cell| {
            let cell = plan.cell(*cell);
            self.job.loader.resolve(self.job.modules, &self.job.modules.loaded[cell.offer], cell)
        });
        let resolved = match resolved.collect::<Result<Vec<_>, _>>() {
            Ok(resolved) => resolved,
            Err(reason) => return nothing(Status::Skipped, &reason),
        };
        let request = self.request(plan, matchup, process, seed, &resolved);
        // Warming up each session and observing each arm takes time in addition to measuring.
        let sessions = 2 * matchup.cells.len() as u64;
        let budget = self.paired.budget;
        let beyond = sessions * (budget.warm_up_ns + self.paired.ledger_ns);
        let deadline = self.job.loader.deadline() + Duration::from_nanos(budget.time_ns + beyond);
        let before = Reading::now();
        let end = self.job.loader.workers.call(&request, deadline, self.interrupt);
        drop(resolved);
        let name = format!("cell-{:04}-process-{process}", matchup.cells[0]);
        keep_output(self.directory, &name, &end.stdout, &end.stderr);
        let mut paired = match end.result {
            Ok(Reply::Compared(paired)) => *paired,
            Ok(Reply::Refused(reason)) => return nothing(Status::Failed, &reason),
            Ok(_) => return nothing(Status::Failed, "unexpected reply of the worker"),
            Err(WorkerError::Interrupted) => return None,
            Err(error) => {
                let reports = matchup.cells.iter().map(|cell| without_reply(repetition(cell), &error, &before));
                return Some(PairedReport { reports: reports.collect(), sessions: 0, ledgers: Vec::new() });
            }
        };
        paired.reports.iter_mut().for_each(|report| explain_by_output(report, &end.stderr));
        if process == 0 && paired.reports.iter().all(|report| report.outcome.status == Status::Ok) {
            for (cell, report) in matchup.cells.iter().zip(&mut paired.reports) {
                report.account = account(self.job, plan, repetition(cell), self.interrupt);
            }
        }
        Some(paired)
    }
}

impl PairedWorkerExecutor<'_> {
    fn request(
        &self,
        plan: &Plan,
        matchup: &ComparisonGroup,
        process: u32,
        seed: u64,
        resolved: &[Resolved],
    ) -> Request {
        let entrants = matchup.cells.iter().zip(resolved).map(|(cell, resolved)| EntrantSpec {
            module: resolved.module.clone(),
            label: label(plan, *cell),
            cell: *cell,
            arguments: resolved.arguments.clone(),
        });
        let budget = self.paired.budget;
        Request::Compare(Box::new(CompareRequest {
            entrants: entrants.collect(),
            scenario: plan.cell(matchup.cells[0]).scenario.name.clone(),
            process,
            seed,
            warm_up_ns: budget.warm_up_ns,
            time_ns: budget.time_ns,
            blocks_max: budget.blocks_max,
            ledger_ns: self.paired.ledger_ns,
        }))
    }
}
