//! `list`: shows what modules describe, import and are granted, or the cells of a run.

use crate::cli::ListArgs;
use crate::conformance;
use crate::execute::{interrupt, print_view};
use crate::file_digests::FileDigests;
use crate::modules::{Loaded, Loader, Modules};
use crate::worker::Kind;
use crate::{Exit, output, paths};
use bench_engine::Interrupt;
use bench_model::{HostInterface, Scenario, Unit};
use bench_report::{Body, Column, Datum, Document, Node, RunView, Section, Tree};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(crate) fn run(arguments: &ListArgs) -> anyhow::Result<Exit> {
    if let Some(directory) = &arguments.run {
        let view = RunView::read(directory)?;
        print_view(&view, &arguments.show)?;
        return Ok(Exit::Done);
    }
    let files = if arguments.files.is_empty() { paths::modules(&[])? } else { arguments.files.clone() };
    let mut loader = Loader::new(&arguments.grants, arguments.limits)?;
    // With `--used` the modules are run.
    if !arguments.used {
        loader.digests = FileDigests::open(paths::description_cache().as_deref());
    }
    let interrupt = interrupt()?;
    let modules = loader.load(&files, arguments.files.is_empty(), interrupt);
    let with_suites = arguments.files.is_empty();
    let used = if arguments.used { Some(used(&loader, &modules, interrupt)?) } else { None };
    arguments.show.print(&document(&modules, used.as_ref(), with_suites))?;
    modules.refused.iter().for_each(|refused| output::line(&format!("bench-host: {}", refused.reason)));
    Ok(if modules.refused.is_empty() { Exit::Done } else { Exit::Finding })
}

/// The functions that each module called while its scenarios were executed once, by file. The calls of a scenario that crashed
/// are unknown; `check` shows the reason.
type Used = BTreeMap<PathBuf, Vec<String>>;

fn used(loader: &Loader, modules: &Modules, interrupt: &Interrupt) -> anyhow::Result<Used> {
    let mut used = Used::new();
    for loaded in modules.loaded.iter().filter(|loaded| loaded.spec.kind == Kind::Component) {
        used.insert(
            loaded.offer.file.clone(),
            conformance::used(loader, modules, loaded, interrupt)?.into_iter().collect(),
        );
    }
    Ok(used)
}

/// Whether the module called a function of the interface `import`, where that is known. Calls are reported under the name of the
/// interface without package and version.
fn is_used(used: Option<&Used>, loaded: &Loaded, import: &str) -> Option<bool> {
    let functions = used?.get(&loaded.offer.file)?;
    let label = |import: &str| import.rsplit('/').next().unwrap_or(import).split('@').next().unwrap_or("").to_owned();
    let interface = label(import);
    let is_called = functions.iter().any(|function| function.split('#').next() == Some(interface.as_str()));
    let is_shared = loaded.imports.iter().filter(|other| label(other) == interface).count() > 1;
    // Of several interfaces with this name it is not known which was called.
    if is_called && is_shared { None } else { Some(is_called) }
}

fn data(modules: &Modules, used: Option<&Used>, with_suites: bool) -> Value {
    let module = |loaded: &Loaded| {
        let import = |name: &String| json!({"name": name, "granted": granted(loaded, name), "used": is_used(used, loaded, name)});
        let imports: Vec<_> = loaded.imports.iter().map(import).collect();
        json!({
            "file": loaded.offer.file.display().to_string(),
            "sha256": loaded.offer.sha256,
            "arm": loaded.offer.arm.to_string(),
            "descriptor": loaded.offer.descriptor,
            "imports": imports,
            "signatures": loaded.signatures,
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

/// A tree for each module, in which its arms are together, and one of the suites.
fn document(modules: &Modules, used: Option<&Used>, with_suites: bool) -> Document {
    let mut sections: Vec<Section> = Vec::new();
    let mut shown: Vec<&str> = Vec::new();
    for loaded in &modules.loaded {
        let descriptor = &loaded.offer.descriptor;
        if shown.contains(&descriptor.name.as_str()) {
            continue;
        }
        shown.push(&descriptor.name);
        let arms = modules.loaded.iter().filter(|other| other.offer.descriptor.name == descriptor.name);
        let arms: Vec<&Loaded> = arms.collect();
        let title = format!("{} {}  {}", descriptor.name, descriptor.version, descriptor.summary);
        sections.push(section("modules", title, module(&descriptor.name, &arms, used)));
    }
    if with_suites {
        let summary = |name| bench_registry::suite(name).map(|suite| suite.summary).unwrap_or_default();
        let suites = bench_registry::suite_names().map(|name| node(name, summary(name))).collect();
        sections.push(section("suites", "suites".to_owned(), suites));
    }
    Document { data: data(modules, used, with_suites).into(), records: None, sections }
}

fn section(name: &str, title: String, roots: Vec<Node>) -> Section {
    Section::new(name, title, Body::Tree(Tree { columns: vec![Column::words("").key("about")], roots })).in_data()
}

fn node(name: impl Into<String>, about: impl Into<String>) -> Node {
    Node::new(name, vec![Datum::text(about)])
}

/// The files, the scenarios, and what components import.
fn module(name: &str, arms: &[&Loaded], used: Option<&Used>) -> Vec<Node> {
    let files = arms.iter().map(|arm| node(arm.offer.arm.to_string(), arm.offer.file.display().to_string()));
    let scenarios = arms.iter().take(1).flat_map(|arm| &arm.offer.descriptor.scenarios);
    let scenarios = scenarios.map(|scenario| self::scenario(name, scenario));
    let signatures = arms.iter().take(1).filter(|arm| !arm.signatures.is_empty()).map(|arm| signatures(arm));
    let components = arms.iter().filter(|arm| arm.spec.kind == Kind::Component);
    files.chain(scenarios).chain(signatures).chain(components.flat_map(|arm| imports(arm, used))).collect()
}

fn scenario(module: &str, scenario: &Scenario) -> Node {
    let parameters = scenario.parameters.iter().map(|parameter| {
        let defaults: Vec<_> = parameter.defaults.iter().map(ToString::to_string).collect();
        let (name, defaults, unit) = (&parameter.name, defaults.join(","), unit(&parameter.unit));
        node(format!("-p {name}={defaults}{unit}"), format!("[{}]  {}", parameter.domain, parameter.summary))
    });
    let metrics = scenario.metrics.iter().map(|metric| {
        let labels = if metric.labels.is_empty() { String::new() } else { format!("{{{}}}", metric.labels.join(",")) };
        node(format!("records {}{labels}{}", metric.name, unit(&metric.unit)), &metric.summary)
    });
    let requirements = scenario.requirements.iter().map(|requirement| {
        let kind = if requirement.optional { "can use" } else { "needs" };
        node(format!("{kind} {}", requirement.capability), &requirement.purpose)
    });
    let parts = parameters.chain(metrics).chain(requirements).collect();
    Node { parts, ..node(format!("{module}/{}", scenario.name), &scenario.summary) }
}

fn unit(unit: &Unit) -> String {
    match unit.as_str() {
        "" => String::new(),
        name => format!(" {name}"),
    }
}

/// What can be named in parameters, such as functions with their types.
fn signatures(loaded: &Loaded) -> Node {
    let signature = |signature: &String| match signature.split_once(": ") {
        Some((name, ty)) => node(name, ty),
        None => node(signature, ""),
    };
    Node { parts: loaded.signatures.iter().map(signature).collect(), ..node("exports", "") }
}

fn imports(loaded: &Loaded, used: Option<&Used>) -> [Node; 2] {
    let import = |import: &String| {
        let used = match is_used(used, loaded, import) {
            Some(true) => ", used",
            Some(false) => ", not used",
            None => "",
        };
        node(import, format!("{}{used}", granted(loaded, import)))
    };
    let grants = loaded.spec.grants.describe();
    let granted = if grants.is_empty() { "nothing".to_owned() } else { grants.join(", ") };
    let parts = loaded.imports.iter().map(import).collect();
    [Node { parts, ..node("imports", "") }, node("granted", granted)]
}

/// The part of an imported interface that a component is granted.
fn granted(loaded: &Loaded, import: &str) -> &'static str {
    let grants = &loaded.spec.grants;
    let mut required = loaded.offer.descriptor.scenarios.iter().flat_map(|scenario| &scenario.requirements);
    let reads = required.clone().any(|requirement| requirement.read_parameter().is_some());
    let fills = required.any(|requirement| requirement.scratch_parameter().is_some());
    match import {
        "bench" => "offered",
        "wasi_snapshot_preview1" if grants.is_nothing() => "bounded",
        "wasi_snapshot_preview1" => "granted",
        _ if import.starts_with("bench-host:") => match HostInterface::of_import(import) {
            Some(interface) if grants.denied.contains(&interface) => "denied",
            Some(_) => "granted by default",
            None => "offered",
        },
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
        _ if import.starts_with("wasi:http/types")
            || import.starts_with("wasi:clocks/")
            || import.starts_with("wasi:random/") =>
        {
            "offered"
        }
        _ => "denied",
    }
}
