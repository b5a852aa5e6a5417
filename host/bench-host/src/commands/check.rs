//! `check`: the conformance test that a plug-in's author runs.

use crate::cli::CheckArgs;
use crate::execute::interrupt;
use crate::modules::{Loaded, Loader, resolve_paths};
use crate::worker::{Reply, Request};
use crate::{Exit, output};
use bench_engine::{Cell, Plan, Selection};
use bench_report::escape;
use bench_wire::ArgumentsJson;
use std::slice;

pub(crate) fn run(arguments: &CheckArgs) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let loader = Loader::new(&arguments.grants, arguments.limits)?;
    let modules = loader.load(slice::from_ref(&arguments.module), false, interrupt);
    let mut failed = modules.refused.len();
    for refused in &modules.refused {
        output::print(&line(false, "loads", &refused.reason))?;
    }
    for loaded in &modules.loaded {
        let mut text = format!("{} ({})\n", loaded.offer.file.display(), loaded.offer.arm);
        text.push_str(&line(
            true,
            "loads",
            &format!("{} {}", loaded.offer.descriptor.name, loaded.offer.descriptor.version),
        ));
        let request = request(loaded, &arguments.parameters)?;
        match loader.workers.call(&request, loader.deadline(), interrupt).result {
            Ok(Reply::Checked { checks, used }) => {
                failed += checks.iter().filter(|(_, passed, _)| !passed).count();
                checks.iter().for_each(|(name, passed, detail)| text.push_str(&line(*passed, name, detail)));
                let used = if used.is_empty() { "nothing".to_owned() } else { used.join(", ") };
                text.push_str(&format!("imported: {}\nused:     {used}\n", loaded.imports.join(", ")));
            }
            Ok(Reply::Refused(reason)) => {
                failed += 1;
                text.push_str(&line(false, "loads", &reason));
            }
            Ok(_) => anyhow::bail!("the worker answered something else"),
            Err(error) => {
                failed += 1;
                text.push_str(&line(false, "keeps going", &error.to_string()));
            }
        }
        output::print(&text)?;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Finding })
}

/// Every scenario of the module, with the first of each parameter's defaults or what the options say, and what that needs
/// to be granted.
pub(super) fn request(loaded: &Loaded, parameters: &[(String, Vec<String>)]) -> anyhow::Result<Request> {
    let all = Selection { pattern: "*".to_owned(), arms: None, axes: parameters.to_vec() };
    let plan = Plan::build(vec![loaded.offer.clone()], &[all], 1, 0)?;
    let mut module = loaded.spec.clone();
    let mut scenarios: Vec<(String, ArgumentsJson)> = Vec::new();
    for cell in &plan.cells {
        let Cell { scenario, .. } = cell;
        if scenarios.iter().any(|(name, _)| *name == scenario.name) {
            continue;
        }
        let (spec, arguments) = resolve_paths(loaded, cell).map_err(anyhow::Error::msg)?;
        for directory in spec.grants.directories {
            if !module.grants.directories.contains(&directory) {
                module.grants.directories.push(directory);
            }
        }
        scenarios.push((scenario.name.clone(), ArgumentsJson(arguments)));
    }
    Ok(Request::Check { module, scenarios })
}

fn line(passed: bool, name: &str, detail: &str) -> String {
    let (mark, colon) = (if passed { "ok    " } else { "FAILED" }, if detail.is_empty() { "" } else { ": " });
    format!("  {mark}  {}{colon}{}\n", escape(name), escape(detail))
}
