//! `check`: the conformance tests that authors of plug-ins run.

use crate::cli::CheckArgs;
use crate::conformance_run::{ConformanceRun, conformance_runs};
use crate::execute::interrupt;
use crate::modules::Loader;
use crate::{Exit, output};
use bench_report::escape;
use std::collections::BTreeSet;
use std::slice;

pub(crate) fn run(arguments: &CheckArgs) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let mut loader = Loader::new(&arguments.grants, arguments.limits)?;
    loader.parameters.clone_from(&arguments.parameters);
    let modules = loader.load(slice::from_ref(&arguments.module), false, interrupt);
    let mut failed = modules.refused.len();
    for refused in &modules.refused {
        output::print(&line("FAILED", "loads", &refused.reason))?;
    }
    for loaded in &modules.loaded {
        let (descriptor, arm) = (&loaded.offer.descriptor, loaded.offer.arm);
        let mut text = format!("{} ({arm})\n", loaded.offer.file.display());
        text.push_str(&line("ok", "loads", &format!("{} {}", descriptor.name, descriptor.version)));
        let trials = conformance_runs(&loader, &modules, loaded, &arguments.parameters, interrupt)?;
        for trial in &trials {
            failed += push_conformance_run(&mut text, trial);
        }
        let used: BTreeSet<_> = trials.iter().flat_map(|trial| trial.used.iter().map(String::as_str)).collect();
        let used: Vec<_> = used.into_iter().collect();
        text.push_str(&format!("  imported  {}\n", listed(&loaded.imports.join(", "))));
        text.push_str(&format!("  used      {}\n", listed(&used.join(", "))));
        output::print(&text)?;
    }
    Ok(match (failed, interrupt.is_raised()) {
        (1.., _) => Exit::Finding,
        (0, true) => Exit::NotMeasured,
        (0, false) => Exit::Done,
    })
}

/// Appends a line for each check; returns how many failed.
fn push_conformance_run(text: &mut String, trial: &ConformanceRun) -> usize {
    match &trial.checks {
        Ok(checks) => {
            for (name, passed, detail) in checks {
                text.push_str(&line(if *passed { "ok" } else { "FAILED" }, name, detail));
            }
            checks.iter().filter(|(_, passed, _)| !passed).count()
        }
        Err(reason) => {
            text.push_str(&line("skipped", &trial.scenario, reason));
            0
        }
    }
}

fn listed(names: &str) -> &str {
    if names.is_empty() { "nothing" } else { names }
}

fn line(mark: &str, name: &str, detail: &str) -> String {
    let colon = if detail.is_empty() { "" } else { ": " };
    format!("  {mark:7} {}{colon}{}\n", escape(name), escape(detail))
}
