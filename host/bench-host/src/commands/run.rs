//! `run`: suites of the registry, and scenarios by name or glob, out of the modules of the project.

use super::load::{plan_and_execute, selection};
use crate::cli::{Common, RunArgs};
use crate::effort::Effort;
use crate::execute::interrupt;
use crate::modules::Loader;
use crate::{Exit, paths};
use anyhow::Context;
use bench_engine::Selection;
use bench_registry::Suite;

pub(crate) fn run(arguments: RunArgs) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let common = &arguments.common;
    let (selections, suites) = selections(&arguments.what, common)?;
    let loader = Loader::new(&common.grants, common.limits)?;
    let modules = loader.load(&paths::modules(&arguments.modules)?, true, interrupt);
    let modules = modules.only_needed(&selections);
    let effort = Effort::new(common, &suites)?;
    plan_and_execute(&loader, &modules, &selections, effort, common, interrupt)
}

/// What suites, and scenarios by name or glob, ask for; and the suites.
pub(super) fn selections(what: &[String], common: &Common) -> anyhow::Result<(Vec<Selection>, Vec<Suite>)> {
    let mut suites = Vec::new();
    let mut selections = Vec::new();
    for what in what {
        match suite(what)? {
            Some(suite) => {
                selections.extend(suite_selections(&suite, common)?);
                suites.push(suite);
            }
            None => selections.push(selection(what, common)),
        }
    }
    Ok((selections, suites))
}

/// The suite that `what` names, in the registry or as a file; nothing where it names scenarios.
fn suite(what: &str) -> anyhow::Result<Option<Suite>> {
    if what.ends_with(".toml") {
        let text = std::fs::read_to_string(what).with_context(|| format!("cannot read the suite {what}"))?;
        return Ok(Some(bench_registry::parse_suite(what, &text)?));
    }
    Ok(if bench_registry::suite_names().any(|name| name == what) { Some(bench_registry::suite(what)?) } else { None })
}

/// What a suite asks for; a parameter given on the command line takes the place of the suite's.
fn suite_selections(suite: &Suite, common: &Common) -> anyhow::Result<Vec<Selection>> {
    let arms = |arms: &Vec<String>| arms.iter().map(|arm| arm.parse().map_err(anyhow::Error::msg)).collect();
    let selection = |cells: &bench_registry::Cells| {
        let own: Option<Vec<_>> = cells.arms.as_ref().map(arms).transpose()?;
        let arms = match (own, &common.arm) {
            (Some(own), Some(asked)) => Some(own.into_iter().filter(|arm| asked.contains(arm)).collect()),
            (own, asked) => own.or_else(|| asked.clone()),
        };
        let axes = cells.axes().into_iter().chain(common.parameters.clone()).collect();
        anyhow::Ok(Selection { pattern: cells.scenario.clone(), arms, axes })
    };
    suite.cells.iter().map(selection).collect()
}
