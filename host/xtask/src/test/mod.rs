//! Everything a change must pass, one step after another, cheap ones first.
//! It must not know what a step finds, only whether it passed.

mod plan;
mod summary;

use std::time::Instant;

use anyhow::{Result, anyhow};

use self::plan::{Step, Work};
use self::summary::{Line, Verdict};
use crate::command_line::{Extent, Profile, Twins};
use crate::output::say;
use crate::package;
use crate::project::{PLUGINS_MANIFEST, Project};
use crate::{go, plugins, probes, setup, tidy, tool};

/// Runs the plan up to the first failure, then prints what passed and how long it took.
pub(crate) fn run(project: &Project, extent: Extent) -> Result<()> {
    let excluded = |manifest| -> Result<Vec<String>> {
        let heavy = package::members(project, manifest)?.into_iter().filter(|package| !package.is_default);
        Ok(if extent == Extent::All { Vec::new() } else { heavy.map(|package| package.name).collect() })
    };
    let steps = plan::steps(extent, &excluded(None)?, &excluded(Some(PLUGINS_MANIFEST))?, &go::modules(project)?);
    let mut lines: Vec<Line> = steps.iter().map(|step| Line { title: step.title, verdict: Verdict::NotRun }).collect();
    let mut outcome = Ok(());
    for (index, step) in steps.iter().enumerate() {
        say(format_args!("\n== {}/{} {}: {}", index + 1, steps.len(), step.title, step.shown()));
        let start = Instant::now();
        let result = perform(project, step);
        let took = start.elapsed();
        say(format_args!(
            "== {} {} in {:.1} s",
            step.title,
            if result.is_ok() { "passed" } else { "failed" },
            took.as_secs_f64()
        ));
        lines[index].verdict = if result.is_ok() { Verdict::Passed(took) } else { Verdict::Failed(took) };
        if let Err(error) = result {
            outcome = Err(anyhow!("{}: {error:#}; to repeat this step alone, run: {}", step.title, step.shown()));
            break;
        }
    }
    say(format_args!("\n{}", summary::table(&lines)));
    outcome
}

fn perform(project: &Project, step: &Step) -> Result<()> {
    match &step.work {
        Work::Setup(extent) => setup::run(project, *extent),
        Work::Tidy => tidy::run(project),
        Work::Plugins => plugins::run(project, Profile::Release, Twins::Portable),
        Work::Probes => probes::run(project, Profile::Dev),
        Work::Go(_) => go::test(project),
        Work::Cargo { manifest, arguments, variable } => {
            let mut command = project.cargo(*manifest);
            tool::run(command.args(arguments).envs(*variable))
        }
    }
}
