//! Executes each scenario of a module once without measuring it, in a worker of its own, so that a hang or crash does not affect the
//! other scenarios.

use crate::modules::{Loaded, Loader, Modules};
use crate::resolve::Resolved;
use crate::worker::{Reply, Request};
use bench_engine::worker::WorkerError;
use bench_engine::{Interrupt, Plan, Selection};

/// The result of executing one scenario.
#[derive(Debug)]
pub(crate) struct ConformanceRun {
    /// The name of the scenario.
    pub(crate) scenario: String,
    /// The checks: rule, whether it holds, expected and found; or the reason why the environment cannot run it.
    pub(crate) checks: Result<Vec<(String, bool, String)>, String>,
    /// The functions of the host that the scenario called.
    pub(crate) used: Vec<String>,
}

/// Executes every scenario of `loaded` with the values in `parameters`, else the first default of each parameter. Ends early on an
/// interrupt.
pub(crate) fn conformance_runs(
    loader: &Loader,
    modules: &Modules,
    loaded: &Loaded,
    parameters: &[(String, Vec<String>)],
    interrupt: &Interrupt,
) -> anyhow::Result<Vec<ConformanceRun>> {
    let all = Selection { pattern: "*".to_owned(), arms: None, axes: parameters.to_vec() };
    let plan = Plan::build(vec![loaded.offer.clone()], &[all], 1, 0)?;
    let mut trials: Vec<ConformanceRun> = Vec::new();
    for cell in &plan.cells {
        let scenario = cell.scenario.name.clone();
        if trials.iter().any(|trial| trial.scenario == scenario) {
            continue;
        }
        let Resolved { module, arguments, companion, scratch: _scratch } = match loader.resolve(modules, loaded, cell) {
            Ok(resolved) => resolved,
            Err(reason) => {
                trials.push(ConformanceRun { scenario, checks: Err(reason), used: Vec::new() });
                continue;
            }
        };
        let request = Request::Check { module, companion, scenario: scenario.clone(), arguments };
        let survives = |detail: String| Ok(vec![(format!("{scenario}: survives"), false, detail)]);
        let (checks, used) = match loader.workers.call(&request, loader.deadline(), interrupt).result {
            Ok(Reply::Checked { checks, used }) => (checks, used),
            Ok(Reply::Refused(reason)) => (survives(reason), Vec::new()),
            Ok(_) => anyhow::bail!("unexpected reply of the worker"),
            Err(WorkerError::Interrupted) => return Ok(trials),
            Err(error) => (survives(error.to_string()), Vec::new()),
        };
        trials.push(ConformanceRun { scenario, checks, used });
    }
    Ok(trials)
}
