//! Stages of somebody else, which no SDK was used for: a component of text (`stages/echo.wat`), and a probe in C (`stages/echo.c`).

use bench_drivers::{Driver, Grants, Module, Task};
use bench_engine::{Amount, Budget, Repetition, Report};
use bench_family::Family;
use bench_model::{Arguments, Scenario};
use bench_native::Probe;
use bench_sink::digest;
use bench_sink::runfile::Status;
use bench_wasm::{Component, Limits, Runtime, Settings};
use family_tabular::Tabular;
use std::path::Path;
use test_modules::Library;

const WORLD: &str = "package bench-host:fixture; world fixture { include bench-host:tabular/stages@0.1.0; }";

fn component() -> Component {
    let bytes = test_modules::component(include_str!("stages/echo.wat"), WORLD, &["workload", "tabular"]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("echo.wasm");
    std::fs::write(&path, &bytes).expect("the component is written");
    let runtime = Runtime::new(Limits::default(), None, &Settings::default()).expect("the engine starts");
    Component::load(&runtime, &path, &digest::of_bytes(&bytes), Grants::default()).expect("the component is loaded")
}

/// Compiles the probe with these definitions, if there is a compiler.
fn library(definitions: &[&str]) -> Option<Library> {
    test_modules::probe(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/stages/echo.c"), definitions)
}

fn driver() -> &'static dyn Driver {
    Tabular.drivers()[0]
}

/// A scenario of the driver, and arguments for it.
fn cell(name: &str) -> (Scenario, Arguments) {
    let scenario = driver().specification(name).expect("the driver specifies it");
    let defaults = scenario.parameters.iter();
    let mut arguments: Arguments =
        defaults.map(|parameter| (parameter.name.clone(), parameter.defaults[0].clone())).collect();
    arguments.set("rows", 10_000);
    (scenario, arguments)
}

/// One short repetition of a scenario.
fn run(module: &mut dyn Module, name: &str) -> Report {
    let (scenario, arguments) = cell(name);
    let budget = Budget { warm_up_ns: 0, amount: Amount::Operations(4) };
    let repetition = Repetition { cell: 0, process: 0 };
    driver().run(module, None, &Task { repetition, scenario: &scenario, arguments: &arguments, budget, reclaim: || () })
}

/// The table that is given back is right for one scenario, and wrong for another.
#[track_caller]
fn check(module: &mut dyn Module) {
    let right = run(module, "stage-pass");
    assert_eq!(right.outcome.status, Status::Ok, "{:?}", right.outcome.reason);
    assert!(right.series.iter().any(|series| series.metric == "stage-pass"), "{:?}", right.series);
    let wrong = run(module, "stage-scan");
    let reason = wrong.outcome.reason.unwrap_or_default();
    assert_eq!(reason, "check `rows` failed: expected 10000, found 0");
    assert!(wrong.outcome.status == Status::Failed && wrong.series.is_empty());
    // What is compared with other arms, and whose resource usage is counted.
    let mut sessions = driver().sessions(module).expect("it has stages").expect("the driver makes its sessions");
    let (scenario, arguments) = cell("stage-pass");
    let mut two = [(); 2].map(|()| sessions.open(&scenario, &arguments).expect("a session"));
    for session in &mut two {
        assert_eq!(session.iterate(3).expect("three operations").operations, 3);
        assert!(session.verify().expect("checks").iter().all(|check| check.passed));
    }
}

#[test]
fn stages_of_a_component_are_measured_and_compared() {
    check(&mut component());
}

#[test]
fn stages_of_a_probe_are_measured_and_compared() {
    let Some(library) = library(&[]) else { return };
    check(&mut Probe::load(&library.path).expect("a probe"));
}

#[test]
fn stream_that_a_probe_does_not_give_is_a_breach() {
    let Some(library) = library(&["NOTHING"]) else { return };
    let report = run(&mut Probe::load(&library.path).expect("a probe"), "stage-pass");
    let reason = report.outcome.reason.unwrap_or_default();
    assert!(report.outcome.status == Status::Failed && reason.contains("`run` broke the contract: "), "{reason}");
}
