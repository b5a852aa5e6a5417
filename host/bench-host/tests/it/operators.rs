//! Chains of operators in every arm, and chains with faulty operators: all messages arrive, or there is a reason.

use crate::host::{Host, Ran, cells};
use crate::modules;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A short chain: the phases in which nothing happens last as long as an operator has to be idle.
const SHORT: &str = "-p count=4 -p idle_ms=50 --quick --processes 1 --format json";

/// Every token that was sent in a cell arrived in time, and the operators have kept their state.
#[track_caller]
fn check_whole(cell: &Value) {
    assert_eq!(cell["status"], "ok", "{cell:#}");
    let checks = cell["checks"].as_array().unwrap();
    assert!(checks.len() >= 4 && checks.iter().all(|check| check["passed"] == true), "{cell:#}");
    let only = |metric: &str| {
        let series = cell["series"].as_array().unwrap().iter().find(|series| series["metric"] == metric);
        series.unwrap_or_else(|| panic!("no {metric} in {cell:#}"))["max"].as_u64().unwrap()
    };
    assert!(only("sent") > 0, "{cell:#}");
    assert_eq!(only("sent"), only("seen") + only("late") + only("failed"), "{cell:#}");
    let uncounted = cell["account"]["absent"].as_str().unwrap_or_default();
    assert!(uncounted.contains("has no session in which operations alone could be counted"), "{cell:#}");
}

/// The programs of the arm `process` are beside the components where they are built.
fn program(component: &Path) -> PathBuf {
    let stem = component.file_stem().unwrap().to_string_lossy();
    component.with_file_name(format!("{stem}-process"))
}

#[test]
fn chain_of_rust_operators_is_complete_in_every_arm() {
    let Some(plugins) = modules::plugins(&["operator-rust"]) else { return };
    let host = Host::new();
    let document = host.check(&format!("load {} {SHORT}", plugins[0].display()), 0).json();
    let cells = cells(&document, "operator-rust/chain");
    let arms: Vec<_> = cells.iter().map(|cell| cell["arm"].as_str().unwrap()).collect();
    for arm in ["wasm", "native", "process"] {
        assert!(arms.contains(&arm) || (arm == "process" && !program(&plugins[0]).is_file()), "{arms:?}");
    }
    cells.iter().for_each(|cell| check_whole(cell));
    let folders = ["latency.csv", "memory.csv"].map(|file| host.run_with_history().join("rust-only").join(file));
    for file in folders {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("operator_count,run_number,") && text.lines().count() > 1, "{text}");
    }
}

#[test]
fn unloaded_operator_is_kept_as_an_image_of_its_memory() {
    let Some(plugins) = modules::plugins(&["operator-rust"]) else { return };
    let line = format!("load {} --arm wasm -p suspend=memory {SHORT}", plugins[0].display());
    let document = Host::new().check(&line, 0).json();
    let cells = cells(&document, "operator-rust/chain");
    assert_eq!(cells.len(), 1);
    check_whole(cells[0]);
}

#[test]
fn two_modules_alternate_in_a_chain() {
    let Some(plugins) = modules::plugins(&["operator-rust"]) else { return };
    let other = plugins[0].with_file_name("operator-go.wasm");
    if !other.is_file() {
        return crate::host::skip("operator-go.wasm is not built; see what cargo xtask plugins says of Go");
    }
    let host = Host::new();
    let line = format!(
        "load {} --filter operator-rust/* --arm wasm,process -p every_other=operator-go/chain {SHORT}",
        plugins[0].display()
    );
    let document = host.check(&line, 0).json();
    let cells = cells(&document, "operator-rust/chain");
    assert!(!cells.is_empty());
    cells.iter().for_each(|cell| check_whole(cell));
}

#[test]
fn faulty_operator_fails_only_its_cell() {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/chain --quick --processes 1 --deadline 3s --format json";
    let document = host.check(line, 1).json();
    let cells = cells(&document, "hostile/chain");
    for (deed, component, probe) in [
        ("trap", "failed on TestResource/chain-1/token after 4 attempts: `reconcile` trapped", "after 4 attempts: "),
        (
            "hang",
            "the worker was killed; allow more time with --deadline",
            "the worker was killed; allow more time with --deadline",
        ),
        ("circle", "so one of them watches what it writes; stop one of them", "feedback loop: a write passed"),
        ("refuse", "attempts: it wants to forget", "attempts: it wants to forget"),
        ("forget", "its state was lost", "its state was lost"),
    ] {
        for (arm, expect) in [("wasm", component), ("native", probe)] {
            let is_it = |cell: &&Value| cell["arguments"]["deed"] == deed && cell["arm"] == arm;
            let cell = cells.iter().copied().find(is_it).unwrap_or_else(|| panic!("no cell {deed} {arm}"));
            assert_eq!(cell["status"], "failed", "{cell:#}");
            assert!(cell["reason"].as_str().unwrap().contains(expect), "{expect:?} is not in {cell:#}");
            assert!(cell["series"].as_array().unwrap().is_empty(), "{cell:#}");
        }
    }
}

#[test]
fn invalid_kubeconfig_skips_the_cell_with_the_reason() {
    let Some(plugins) = modules::plugins(&["operator-rust"]) else { return };
    let host = Host::new();
    std::fs::write(host.path("kubeconfig"), "apiVersion: v1\nkind: Config\ncurrent-context: nowhere\n").unwrap();
    let line = format!("load {} --arm native --control-plane kube {SHORT}", plugins[0].display());
    let mut command = host.command(&line);
    command.env("KUBECONFIG", host.path("kubeconfig"));
    let document = Ran::of(&mut command).check(&line, 2).json();
    let cells = cells(&document, "operator-rust/chain");
    assert_eq!(cells[0]["status"], "skipped", "{:#}", cells[0]);
    let reason = cells[0]["reason"].as_str().unwrap();
    assert!(reason.contains("kubeconfig") && reason.contains("nowhere") && !reason.contains('\n'), "{reason}");
}
