//! `run`: runs suites, or scenarios by name or glob, of the modules of the project.

use super::former_names;
use super::load::{merge_parameters, plan_and_execute, selection};
use crate::cli::{Common, RunArgs};
use crate::effort::Effort;
use crate::execute::interrupt;
use crate::modules::{Loader, Modules};
use crate::resume::PreviousRun;
use crate::stored::Trust;
use crate::{Exit, baselines, output, paths};
use anyhow::Context;
use bench_engine::{Interrupt, Selection};
use bench_registry::Suite;
use bench_sink::regular;

pub(crate) fn run(mut arguments: RunArgs, mut earlier: Option<PreviousRun>) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let prepared = prepare(&mut arguments, earlier.as_mut(), interrupt)?;
    let Prepared { loader, modules, selections, effort } = &prepared;
    let common = &arguments.common;
    let (exit, directory) = plan_and_execute(loader, modules, selections, *effort, common, earlier, interrupt)?;
    let Some(directory) = directory else { return Ok(exit) };
    #[cfg(feature = "profile")]
    let profiled = match arguments.profile && !interrupt.is_raised() {
        true => super::profile::profile_run(loader, modules, selections, (common, &directory), interrupt)?,
        false => Exit::Done,
    };
    #[cfg(not(feature = "profile"))]
    let profiled = Exit::Done;
    if let Some(name) = arguments.save_baseline.as_deref().filter(|_| exit == Exit::Done) {
        baselines::save(&directory, name)?;
    }
    Ok(if exit == Exit::Done { profiled } else { exit })
}

/// What a command line selects.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) loader: Loader,
    pub(crate) modules: Modules,
    pub(crate) selections: Vec<Selection>,
    pub(crate) effort: Effort,
}

/// Applies the options of `arguments`, and loads the modules that they select, with what the user trusts.
pub(crate) fn prepare(
    arguments: &mut RunArgs,
    earlier: Option<&mut PreviousRun>,
    interrupt: &Interrupt,
) -> anyhow::Result<Prepared> {
    let mut prepared = prepare_trusting(Trust::read()?, arguments, earlier, interrupt)?;
    prepared.modules.ask_for_grants();
    Ok(prepared)
}

/// The same with what `trust` says and nothing else of the user's policy. The user is asked nothing.
pub(crate) fn prepare_trusting(
    trust: Trust,
    arguments: &mut RunArgs,
    earlier: Option<&mut PreviousRun>,
    interrupt: &Interrupt,
) -> anyhow::Result<Prepared> {
    let measured = &arguments.common.measured;
    let mut loader = Loader::trusting(trust, &measured.grants, measured.limits)?;
    merge_parameters(&mut arguments.common, &mut loader, earlier)?;
    let common = &arguments.common;
    let what: Vec<_> = arguments.what.iter().cloned().chain(of_categories(&arguments.category)?).collect();
    let (wishes, mut suites) = requested_selections(&what, common)?;
    if suites.len() < what.len() {
        // Scenarios by name are measured for a time.
        suites.iter_mut().for_each(|suite| suite.iterations = None);
    }
    let modules = loader.load(&paths::modules(&arguments.modules)?, true, interrupt);
    let selections = fulfilled(wishes, &modules)?;
    let modules = modules.only_needed(&selections);
    let effort = Effort::new(&common.measured, &suites)?;
    Ok(Prepared { loader, modules, selections, effort })
}

/// The patterns of the scenarios in the given categories.
fn of_categories(names: &[String]) -> anyhow::Result<Vec<String>> {
    let categories = bench_registry::categories()?;
    let mut patterns = Vec::new();
    for name in names {
        let category = categories.named(name).with_context(|| {
            let known: Vec<_> = categories.category.iter().map(|category| category.name.as_str()).collect();
            format!("unknown category `{name}`; the categories are: {}", known.join(", "))
        })?;
        patterns.extend(category.scenarios.iter().cloned());
    }
    Ok(patterns)
}

/// A selection, and the suite in which it is optional, if there is one.
#[derive(Debug)]
pub(super) struct RequestedSelection {
    selection: Selection,
    optional_in: Option<String>,
}

/// The selections of suites, and of scenarios by name or glob; and the suites.
pub(super) fn requested_selections(
    what: &[String],
    common: &Common,
) -> anyhow::Result<(Vec<RequestedSelection>, Vec<Suite>)> {
    let mut suites = Vec::new();
    let mut wishes = Vec::new();
    for what in what {
        match suite(what)? {
            Some(suite) => {
                wishes.extend(suite_selections(what, &suite, common)?);
                suites.push(suite);
            }
            None => wishes.push(RequestedSelection { selection: selection(what, common), optional_in: None }),
        }
    }
    Ok((wishes, suites))
}

/// The selections of `wishes`, with scenarios that were selected by a former name. A selection that a suite marks as optional
/// is left out with a message where no module has it.
pub(super) fn fulfilled(wishes: Vec<RequestedSelection>, modules: &Modules) -> anyhow::Result<Vec<Selection>> {
    let renamed = bench_registry::renamed_scenarios()?;
    let descriptors: Vec<_> = modules.loaded.iter().map(|loaded| &loaded.offer.descriptor).collect();
    let mut selections = Vec::new();
    let mut is_any_left_out = false;
    for RequestedSelection { selection, optional_in } in wishes {
        let by_former_name = former_names::select(&selection, &descriptors, &renamed);
        // A malformed pattern is left for the plan to report.
        let is_named = descriptors.iter().any(|descriptor| selection.names(descriptor).unwrap_or(true));
        let is_renamed = !is_named && !by_former_name.is_empty();
        selections.extend(by_former_name);
        match optional_in {
            _ if is_renamed => {}
            Some(suite) if !is_named => {
                is_any_left_out = true;
                output::line(&left_out(&suite, &selection.pattern, modules));
            }
            _ => selections.push(selection),
        }
    }
    anyhow::ensure!(!is_any_left_out || !selections.is_empty(), "nothing is left to measure; build the modules first");
    Ok(selections)
}

fn left_out(suite: &str, pattern: &str, modules: &Modules) -> String {
    let module = pattern.split('/').next().unwrap_or(pattern);
    let refused = modules.refused.iter().find(|refused| refused.file.file_stem().is_some_and(|stem| stem == module));
    match refused {
        Some(refused) => format!("bench-host: suite {suite}: left out {pattern}: {}", refused.reason),
        None => format!(
            "bench-host: suite {suite}: left out {pattern}: no module here has it; build it with `cargo xtask probes`, \
             with `--heavy` if it takes minutes to compile, or `cargo xtask plugins`"
        ),
    }
}

/// The suite that `what` names, in the registry or as a file; `None` if it names scenarios.
fn suite(what: &str) -> anyhow::Result<Option<Suite>> {
    if what.ends_with(".toml") {
        let text = regular::read_text(what.as_ref(), bench_registry::FILE_BYTES_MAX)
            .with_context(|| format!("cannot read the suite {what}"))?;
        return Ok(Some(bench_registry::parse_suite(what, &text)?));
    }
    let own_name = bench_registry::own_name(what);
    Ok(if bench_registry::suite_names().any(|name| name == own_name) {
        Some(bench_registry::suite(what)?)
    } else {
        None
    })
}

/// The selections of the suite `name`. A parameter given on the command line replaces the suite's.
fn suite_selections(name: &str, suite: &Suite, common: &Common) -> anyhow::Result<Vec<RequestedSelection>> {
    let arms = |arms: &Vec<String>| arms.iter().map(|arm| arm.parse().map_err(anyhow::Error::msg)).collect();
    let wish = |cells: &bench_registry::Cells| {
        let own: Option<Vec<_>> = cells.arms.as_ref().map(arms).transpose()?;
        let arms = match (own, &common.measured.arm) {
            (Some(own), Some(asked)) => Some(own.into_iter().filter(|arm| asked.contains(arm)).collect()),
            (own, asked) => own.or_else(|| asked.clone()),
        };
        let axes = cells.axes().into_iter().chain(common.measured.parameters.clone()).collect();
        let selection = Selection { pattern: cells.scenario.clone(), arms, axes };
        anyhow::Ok(RequestedSelection { selection, optional_in: cells.optional.then(|| name.to_owned()) })
    };
    suite.cells.iter().map(wish).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suite_is_found_by_each_of_its_names() {
        let check = |what: &str, expect: bool| assert_eq!(suite(what).unwrap().is_some(), expect, "{what}");
        check("operators-mixed", true);
        check("mixed", true);
        check("kernels/*", false);
    }
}
