//! `load`: runs every scenario of the given files.

use crate::cli::{Common, CpuList, LoadArgs, Measured, merge_axes};
use crate::effort::Effort;
use crate::execute::{Job, execute, interrupt, seed_of};
use crate::modules::{Loader, Modules};
use crate::resume::PreviousRun;
use crate::{Exit, output};
use bench_engine::placement;
use bench_engine::{CELLS_MAX, Interrupt, Plan, Selection};
use std::path::PathBuf;

pub(crate) fn run(mut arguments: LoadArgs, mut earlier: Option<PreviousRun>) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let mut loader = Loader::new(&arguments.common.measured.grants, arguments.common.measured.limits)?;
    merge_parameters(&mut arguments.common, &mut loader, earlier.as_mut())?;
    let common = &arguments.common;
    let mut modules = loader.load(&arguments.files, false, interrupt);
    modules.ask_for_grants();
    let effort = Effort::new(&common.measured, &[])?;
    let (exit, _) = plan_and_execute(&loader, &modules, &[selection("*", common)], effort, common, earlier, interrupt)?;
    Ok(exit)
}

/// Turns the families' options into parameters, and moves passwords to the loader, so that they are shown nowhere else.
pub(crate) fn merge_parameters(
    common: &mut Common,
    loader: &mut Loader,
    earlier: Option<&mut PreviousRun>,
) -> anyhow::Result<()> {
    take_parameters(common)?;
    loader.secrets.clone_from(&common.measured.secrets);
    loader.parameters.clone_from(&common.measured.parameters);
    loader.native.clone_from(&common.measured.native);
    // The recorded command line of a resumed run has no passwords.
    if let Some(earlier) = earlier {
        loader.secrets.move_passwords(&mut earlier.parameters)?;
        loader.secrets.has_all_of(&common.measured.parameters)?;
    }
    Ok(())
}

/// Applies the options that are the same for all commands: restricts this process and its workers to processors, turns the families'
/// options into parameters, each once, and moves the passwords out of them.
pub(crate) fn take_parameters(common: &mut Common) -> anyhow::Result<()> {
    let measured = &mut common.measured;
    if let Some(CpuList(cpus)) = &measured.cpu {
        placement::restrict(cpus).map_err(|reason| anyhow::anyhow!("--cpu: {reason}"))?;
    }
    measured.parameters.append(&mut measured.families.parameters);
    merge_axes(&mut measured.parameters);
    measured.secrets.move_passwords(&mut measured.parameters)
}

/// A selection by `pattern`, with the filter, arms and parameters of the options.
pub(crate) fn selection(pattern: &str, common: &Common) -> Selection {
    Selection {
        pattern: pattern.to_owned(),
        arms: common.measured.arm.clone(),
        axes: common.measured.parameters.clone(),
    }
}

/// Plans the cells that `selections` match in `modules`, executes them, and returns the exit status.
pub(crate) fn plan_and_execute(
    loader: &Loader,
    modules: &Modules,
    selections: &[Selection],
    effort: Effort,
    common: &Common,
    earlier: Option<PreviousRun>,
    interrupt: &Interrupt,
) -> anyhow::Result<(Exit, Option<PathBuf>)> {
    anyhow::ensure!(!interrupt.is_raised(), "interrupted before anything was measured");
    let format = common.shown.show.format.name();
    anyhow::ensure!(
        !(common.shown.bench_json && matches!(format, "json" | "csv")),
        "--bench-json prints lines of its own, so what is printed would not be a {format} document; leave out one of --bench-json and \
         --format {format}"
    );
    let (plan, seed) = plan(modules, selections, &effort, common)?;
    let job = Job { loader, modules, plan: &plan, effort, seed, common };
    execute(&job, earlier, interrupt)
}

/// The number of cells that a plan may have.
pub(crate) fn cells_max(measured: &Measured) -> usize {
    measured.cells_max.map_or(CELLS_MAX, |cells_max| cells_max as usize)
}

/// The plan of the cells that `selections` match in `modules`, and its seed.
pub(crate) fn plan(
    modules: &Modules,
    selections: &[Selection],
    effort: &Effort,
    common: &Common,
) -> anyhow::Result<(Plan, u64)> {
    if modules.loaded.is_empty() {
        modules.refused.iter().for_each(|refused| output::line(&format!("bench-host: {}", refused.reason)));
        anyhow::bail!("no module could be loaded, so there is nothing to measure");
    }
    let cells_max = cells_max(&common.measured);
    let build = |seed| {
        let plan = Plan::build_within(modules.offers(), selections, effort.processes, seed, cells_max)?;
        match &common.measured.filter {
            Some(filter) => plan.filtered(filter),
            None => Ok(plan),
        }
    };
    let seed = match (common.measured.seed, common.measured.shard) {
        (Some(seed), _) => seed,
        (None, Some(_)) => seed_of(&build(0)?),
        (None, None) => jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64,
    };
    Ok((build(seed)?, seed))
}
