//! `test`: runs all steps that a change must pass, fast ones first.

mod dependencies;
mod examples;
mod miri;
mod plan;
mod runner;
mod skipped;
mod summary;

use std::fs;
use std::time::Instant;

use anyhow::{Result, anyhow};

use self::plan::{Selected, Step, Work};
pub(crate) use self::runner::{PASSED, run as run_executable};
use self::summary::{Line, Verdict};
use crate::command_line::{Extent, PluginRequest, Profile};
use crate::output::say;
use crate::package::{self, Package};
use crate::project::{PLUGINS_MANIFEST, Project};
use crate::{field, go, plugins, probes, setup, tidy, tool, unchanged};

/// The outcome of a step that did not fail.
enum Outcome {
    Passed,
    /// It passed before with the same inputs, and was not repeated.
    Unchanged,
    /// It cannot run on this machine: the reason, and what to do.
    Skipped(String),
}

/// Runs the plan until the first failure, then prints the outcomes and durations. What has passed with the same inputs is repeated only if
/// `is_repeated`.
pub(crate) fn run(project: &Project, extent: Extent, is_repeated: bool) -> Result<()> {
    if is_repeated {
        unchanged::forget(&unchanged::folder(project))?;
    }
    let members = |manifest| -> Result<(Vec<Package>, Vec<String>)> {
        let (kept, heavy): (Vec<_>, Vec<_>) = package::members(project, manifest)?
            .into_iter()
            .partition(|package| package.is_default || extent == Extent::All);
        Ok((kept, heavy.into_iter().map(|package| package.name).collect()))
    };
    let ((packages, heavy), (_, heavy_plugins)) = (members(None)?, members(Some(PLUGINS_MANIFEST))?);
    let (with_examples, go_modules) = (examples::packages(&packages)?, go::modules(project)?);
    let heavy_probes = match extent {
        Extent::All => probes::heavy_workspaces(project)?,
        Extent::Required => Vec::new(),
    };
    let selected = Selected {
        heavy: &heavy,
        heavy_plugins: &heavy_plugins,
        heavy_probes: &heavy_probes,
        with_examples: &with_examples,
        go_modules: &go_modules,
    };
    let steps = plan::steps(extent, &selected);
    let _ = fs::remove_file(skipped::file(project));
    let mut lines: Vec<Line> = steps.iter().map(|step| Line { title: step.title, verdict: Verdict::NotRun }).collect();
    let mut outcome = Ok(());
    for (index, step) in steps.iter().enumerate() {
        say(format_args!("\n== {}/{} {}: {}", index + 1, steps.len(), step.title, step.shown()));
        let start = Instant::now();
        let result = perform(project, step);
        let took = start.elapsed();
        let (word, verdict) = match &result {
            Ok(Outcome::Passed) => ("passed", Verdict::Passed(took)),
            Ok(Outcome::Unchanged) => {
                say("unchanged since it passed; `cargo xtask test --again` repeats it");
                ("unchanged", Verdict::Unchanged(took))
            }
            Ok(Outcome::Skipped(why)) => {
                say(format_args!("skipped: {why}"));
                ("skipped", Verdict::Skipped(took))
            }
            Err(_) => ("failed", Verdict::Failed(took)),
        };
        say(format_args!("== {} {word} in {:.1} s", step.title, took.as_secs_f64()));
        lines[index].verdict = verdict;
        if let Err(error) = result {
            outcome = Err(anyhow!("{}: {error:#}; to repeat this step alone, run: {}", step.title, step.shown()));
            break;
        }
    }
    if let Some(table) = skipped::table(&skipped::file(project)) {
        say(format_args!("\n{table}"));
    }
    say(format_args!("\n{}", summary::table(&lines)));
    outcome
}

fn perform(project: &Project, step: &Step) -> Result<Outcome> {
    let done = match &step.work {
        Work::Dependencies => return dependencies::run(project),
        Work::Miri => return miri::run(project),
        Work::Setup(extent) => setup::run(project, *extent),
        Work::Tidy => tidy::run(project),
        Work::Plugins => plugins::run(project, &PluginRequest::all(Profile::Release)),
        Work::Variants => {
            let names = vec![plan::WITH_VARIANTS.to_owned()];
            plugins::run(project, &PluginRequest { names, has_variants: true, ..PluginRequest::all(Profile::Release) })
        }
        Work::Probes => probes::run(project, Profile::Dev),
        Work::HeavyProbes(names) => probes::test_heavy(project, names),
        Work::Field => field::run(project),
        Work::Go(_) => return Ok(go::test(project)?.map_or(Outcome::Passed, Outcome::Skipped)),
        Work::HostTests { arguments, variables } => {
            let program = runner::Copied::new(&project.target().join("xtask"))?;
            tool::run(runner::cargo(project, &program)?.args(arguments).envs(variables.iter().copied()))
        }
        Work::Cargo { manifest, arguments, variable } => {
            let mut command = project.cargo(*manifest);
            tool::run(command.args(arguments).envs(*variable))
        }
    };
    done.map(|()| Outcome::Passed)
}
