//! The commands that make no run: `list`, `check`, `doctor` and `completions`.

use crate::host::{Host, Ran};
use crate::modules::plugins;
use bench_model::MachineLimit;
use serde_json::Value;
use std::io::Read;
use std::process::Stdio;

/// The words of each line of `text`, so that the width of columns does not matter.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn list_shows_scenarios_parameters_and_what_is_granted() {
    let host = Host::with_hostile();
    let lines = lines(&host.check("list hostile.wasm", 0).stdout);
    for expect in [
        "hostile 0.1.0 Breaks\\u{1b}[2J rules.",
        "wasm hostile.wasm",
        "native hostile.so",
        "hostile/good Does what it should.",
        "-p n=1 [1 to 1000] any number",
        "hostile/trap Panics.",
        "bench-host:workload/types@0.1.0 offered",
        "granted nothing",
    ] {
        assert!(lines.iter().any(|line| line == expect), "{expect:?} is not in {lines:#?}");
    }
    let environment = |lines: &[String]| lines.iter().find(|line| line.starts_with("wasi:cli/environment@")).cloned();
    assert!(environment(&lines).is_some_and(|line| line.ends_with(" denied")), "{lines:#?}");
    let mut granted = host.command("list hostile.wasm --env BENCH_HOST_TESTS");
    let granted = self::lines(&Ran::of(granted.env("BENCH_HOST_TESTS", "1")).stdout);
    assert!(environment(&granted).is_some_and(|line| line.ends_with(" granted")), "{granted:#?}");
    assert!(
        granted.iter().any(|line| line.starts_with("granted ") && line.contains("BENCH_HOST_TESTS")),
        "{granted:#?}"
    );
}

#[test]
fn list_as_json_has_both_arms_and_their_imports() {
    let host = Host::with_hostile();
    let document = host.check("list hostile.wasm --format json", 0).json();
    let modules = document["modules"].as_array().unwrap();
    assert_eq!(modules.iter().map(|module| &module["arm"]).collect::<Vec<_>>(), ["wasm", "native"]);
    assert_eq!(modules[0]["descriptor"], modules[1]["descriptor"]);
    assert!(modules[0]["imports"].as_array().unwrap().iter().any(|import| import["granted"] == "denied"));
    assert_eq!(modules[1]["imports"], Value::Array(Vec::new()));
    assert_eq!(document["refused"], Value::Array(Vec::new()));
}

#[test]
fn check_passes_a_correct_plugin() {
    let Some(files) = plugins(&["overhead"]) else { return };
    let ran = Ran::of(Host::new().command("check").args(files)).check("check overhead.wasm", 0);
    assert!(!ran.stdout.contains("FAILED") && ran.stdout.contains("record: verify: recorded"), "{}", ran.stdout);
}

#[test]
fn doctor_has_every_roofline_or_a_reason() {
    let document = Host::new().check("doctor --quick --format json", 0).json();
    let limits = document["calibration"].as_array().unwrap();
    let names: Vec<_> = limits.iter().map(|limit| limit["limit"].as_str().unwrap()).collect();
    assert_eq!(names, MachineLimit::ALL.map(MachineLimit::as_str));
    for limit in limits {
        let measured = limit["count"].as_u64().unwrap() > 0 && limit["median"].as_f64().is_some_and(|ns| ns > 0.0);
        let told = limit["median"].is_null() && limit["detail"].as_str().is_some_and(|why| !why.is_empty());
        assert!(measured || told, "{limit:#}");
    }
    for ability in document["abilities"].as_array().unwrap() {
        assert!(ability["present"] == true || ability["next_step"].is_string(), "{ability:#}");
    }
}

#[test]
fn list_and_doctor_as_csv_are_tables() {
    let host = Host::with_hostile();
    let limits: Vec<&str> = MachineLimit::ALL.map(MachineLimit::as_str).to_vec();
    for (line, names) in [("list hostile.wasm", vec!["hostile/good", "-p n="]), ("doctor --quick", limits)] {
        let csv = host.check(&format!("{line} --format csv"), 0).stdout;
        assert!(csv.split("\n\n").all(|table| table.starts_with("section,") && table.lines().count() > 1), "{csv}");
        names.iter().for_each(|name| assert!(csv.contains(name), "{name} is not in: {csv}"));
    }
}

#[test]
fn completions_contain_every_command() {
    let host = Host::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = host.check(&format!("completions {shell}"), 0).stdout;
        for word in ["load", "validate", "doctor", "dry-run"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    let help = host.check("--help", 0).stdout;
    assert!(help.contains("load") && !help.contains("worker"), "{help}");
}

#[test]
fn closed_pipe_is_not_an_error() {
    let host = Host::with_hostile();
    for line in [
        "list hostile.wasm",
        "completions bash",
        "load hostile.wasm --filter hostile/good --dry-run --quiet --processes 1000",
    ] {
        let mut child = host.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""), "`{line}`");
    }
}
