//! `list`: shows what modules describe, import and are granted, or the cells of a run.

use crate::cli::{Format, ListArgs};
use crate::execute::{interrupt, print_view};
use crate::modules::{Loaded, Loader, Modules};
use crate::trial::trials;
use crate::worker::Kind;
use crate::{Exit, output, paths};
use bench_engine::Interrupt;
use bench_model::{Scenario, Unit};
use bench_report::{RunView, escape};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(crate) fn run(arguments: &ListArgs) -> anyhow::Result<Exit> {
    if let Some(directory) = &arguments.run {
        let view = RunView::read(directory)?;
        print_view(&view, arguments.format)?;
        return Ok(Exit::Done);
    }
    let files = if arguments.files.is_empty() { paths::modules(&[])? } else { arguments.files.clone() };
    let loader = Loader::new(&arguments.grants, arguments.limits)?;
    let interrupt = interrupt()?;
    let modules = loader.load(&files, arguments.files.is_empty(), interrupt);
    let with_suites = arguments.files.is_empty();
    let used = if arguments.used { Some(used(&loader, &modules, interrupt)?) } else { None };
    match arguments.format {
        Format::Json => output::print(&serde_json::to_string_pretty(&document(&modules, used.as_ref(), with_suites))?)?,
        _ => output::print(&text(&modules, used.as_ref(), with_suites))?,
    }
    modules.refused.iter().for_each(|refused| output::line(&format!("bench-host: {}", refused.reason)));
    Ok(if modules.refused.is_empty() { Exit::Done } else { Exit::Finding })
}

/// The functions that each module called while its scenarios were executed once, by file. The calls of a scenario that crashed
/// are unknown; `check` shows the reason.
type Used = BTreeMap<PathBuf, Vec<String>>;

fn used(loader: &Loader, modules: &Modules, interrupt: &Interrupt) -> anyhow::Result<Used> {
    let mut used = Used::new();
    for loaded in modules.loaded.iter().filter(|loaded| loaded.spec.kind == Kind::Component) {
        let trials = trials(loader, modules, loaded, &[], interrupt)?;
        used.insert(loaded.offer.file.clone(), trials.into_iter().flat_map(|trial| trial.used).collect());
    }
    Ok(used)
}

/// Whether the module called a function of the interface `import`, where that is known. Calls are reported under the name of the
/// interface without package and version.
fn is_used(used: Option<&Used>, loaded: &Loaded, import: &str) -> Option<bool> {
    let functions = used?.get(&loaded.offer.file)?;
    let interface = import.rsplit('/').next()?.split('@').next()?;
    Some(functions.iter().any(|function| function.split('#').next() == Some(interface)))
}

fn document(modules: &Modules, used: Option<&Used>, with_suites: bool) -> Value {
    let module = |loaded: &Loaded| {
        let import = |name: &String| json!({"name": name, "granted": granted(loaded, name), "used": is_used(used, loaded, name)});
        let imports: Vec<_> = loaded.imports.iter().map(import).collect();
        json!({
            "file": loaded.offer.file.display().to_string(),
            "sha256": loaded.offer.sha256,
            "arm": loaded.offer.arm.to_string(),
            "descriptor": loaded.offer.descriptor,
            "imports": imports,
            "granted": loaded.spec.grants.describe(),
        })
    };
    let mut document = json!({
        "modules": modules.loaded.iter().map(module).collect::<Vec<_>>(),
        "refused": modules.refused.iter().map(|refused| {
            json!({"file": refused.file.display().to_string(), "reason": refused.reason})
        }).collect::<Vec<_>>(),
    });
    if with_suites {
        let suites = bench_registry::suite_names()
            .filter_map(|name| Some(json!({"name": name, "summary": bench_registry::suite(name).ok()?.summary})));
        document["suites"] = suites.collect();
    }
    document
}

fn text(modules: &Modules, used: Option<&Used>, with_suites: bool) -> String {
    let mut text = String::new();
    let mut shown: Vec<&str> = Vec::new();
    for loaded in &modules.loaded {
        let descriptor = &loaded.offer.descriptor;
        if shown.contains(&descriptor.name.as_str()) {
            continue;
        }
        shown.push(&descriptor.name);
        let arms: Vec<_> =
            modules.loaded.iter().filter(|other| other.offer.descriptor.name == descriptor.name).collect();
        text.push_str(&format!(
            "{} {}  {}\n",
            descriptor.name,
            escape(&descriptor.version),
            escape(&descriptor.summary)
        ));
        for arm in &arms {
            text.push_str(&format!("  {:7} {}\n", arm.offer.arm, arm.offer.file.display()));
        }
        descriptor.scenarios.iter().for_each(|scenario| push_scenario(&mut text, &descriptor.name, scenario));
        arms.iter().filter(|arm| arm.spec.kind == Kind::Component).for_each(|arm| push_imports(&mut text, arm, used));
        text.push('\n');
    }
    if with_suites {
        text.push_str("suites\n");
        for name in bench_registry::suite_names() {
            let summary = bench_registry::suite(name).map(|suite| suite.summary).unwrap_or_default();
            text.push_str(&format!("  {name:10} {summary}\n"));
        }
    }
    text
}

fn push_scenario(text: &mut String, module: &str, scenario: &Scenario) {
    text.push_str(&format!("  {module}/{}  {}\n", scenario.name, escape(&scenario.summary)));
    for parameter in &scenario.parameters {
        let defaults: Vec<_> = parameter.defaults.iter().map(ToString::to_string).collect();
        let (name, defaults, unit) = (&parameter.name, defaults.join(","), unit(&parameter.unit));
        let line = format!("    -p {name}={defaults}{unit}  [{}]  {}", parameter.domain, parameter.summary);
        text.push_str(&escape(&line));
        text.push('\n');
    }
    for metric in &scenario.metrics {
        let labels = if metric.labels.is_empty() { String::new() } else { format!("{{{}}}", metric.labels.join(",")) };
        let line = format!("    records {}{labels}{}  {}", metric.name, unit(&metric.unit), metric.summary);
        text.push_str(&escape(&line));
        text.push('\n');
    }
    for requirement in &scenario.requirements {
        let kind = if requirement.optional { "can use" } else { "needs" };
        text.push_str(&escape(&format!("    {kind} {}  {}", requirement.capability, requirement.purpose)));
        text.push('\n');
    }
}

fn unit(unit: &Unit) -> String {
    match unit.as_str() {
        "" => String::new(),
        name => format!(" {name}"),
    }
}

fn push_imports(text: &mut String, loaded: &Loaded, used: Option<&Used>) {
    text.push_str("  imports\n");
    let width = loaded.imports.iter().map(String::len).max().unwrap_or_default();
    for import in &loaded.imports {
        let used = match is_used(used, loaded, import) {
            Some(true) => ", used",
            Some(false) => ", not used",
            None => "",
        };
        text.push_str(&format!("    {import:width$}  {}{used}\n", granted(loaded, import)));
    }
    let grants = loaded.spec.grants.describe();
    text.push_str(&format!("  granted {}\n", if grants.is_empty() { "nothing".to_owned() } else { grants.join(", ") }));
}

/// The part of an imported interface that a component is granted.
fn granted(loaded: &Loaded, import: &str) -> &'static str {
    let grants = &loaded.spec.grants;
    let mut required = loaded.offer.descriptor.scenarios.iter().flat_map(|scenario| &scenario.requirements);
    let reads = required.clone().any(|requirement| requirement.read_parameter().is_some());
    let fills = required.any(|requirement| requirement.scratch_parameter().is_some());
    match import {
        _ if import.starts_with("bench-host:") => "offered",
        _ if import.starts_with("wasi:filesystem/") && !grants.directories.is_empty() => "granted",
        _ if import.starts_with("wasi:filesystem/") && reads && fills => {
            "the paths of its parameters, read-only, and scratch folders"
        }
        _ if import.starts_with("wasi:filesystem/") && reads => "the paths of its parameters, read-only",
        _ if import.starts_with("wasi:filesystem/") && fills => "scratch folders",
        _ if import.starts_with("wasi:sockets/") && !grants.connections.is_empty() => "granted",
        _ if import.starts_with("wasi:cli/environment") && !grants.environment.is_empty() => "granted",
        _ if import.starts_with("wasi:cli/std")
            || import.starts_with("wasi:io/")
            || import.starts_with("wasi:cli/exit") =>
        {
            "bounded"
        }
        _ if import.starts_with("wasi:clocks/") || import.starts_with("wasi:random/") => "offered",
        _ => "denied",
    }
}
