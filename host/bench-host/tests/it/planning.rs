//! `--dry-run`: prints the cells and their order, and creates no files.

use crate::host::Host;
use std::fs;

/// The lines of a plan, which must be made without a trace.
#[track_caller]
fn plan(line: &str) -> Vec<String> {
    let host = Host::with_hostile();
    let ran = host.check(&format!("load hostile.wasm --dry-run {line}"), 0);
    ran.one_line(&[" × ", "process", ": about "]);
    assert!(!host.path("results").exists());
    ran.stdout.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn plan_repeats_every_cell_in_rounds() {
    let plan = plan("--seed 1 --processes 3");
    let count = plan.len() / 3;
    assert!(count > 1 && plan.len() == 3 * count, "{plan:#?}");
    for (process, round) in plan.chunks(count).enumerate() {
        let word = format!("  process {process}");
        assert!(round.iter().all(|line| line.contains(&word)), "{round:#?}");
        let mut cells: Vec<_> = round.to_vec();
        cells.sort();
        cells.dedup();
        assert_eq!(cells.len(), count, "{round:#?}");
    }
}

#[test]
fn order_is_determined_by_the_seed() {
    let one = plan("--seed 1");
    assert_eq!(one, plan("--seed 1"));
    let mut other = plan("--seed 2");
    assert_ne!(one, other);
    let mut one = one;
    one.sort();
    other.sort();
    assert_eq!(one, other);
}

#[test]
fn the_same_command_is_expected_to_take_as_long_as_before() {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/good --time 10ms --processes 1 --out results";
    let cost = |line: &str| {
        let ran = host.check(line, 0);
        let cost = ran.stderr.lines().find(|line| line.contains(": about ")).map(str::to_owned);
        cost.unwrap_or_else(|| panic!("{}", ran.stderr))
    };
    assert!(!cost(line).contains("before"));
    for again in [format!("{line} --dry-run"), line.to_owned()] {
        assert!(cost(&again).ends_with(", as before"), "{again}");
    }
    assert!(!cost(&format!("{line} --seed 1")).contains("before"), "of another command");
}

#[test]
fn options_narrow_and_widen_the_matrix() {
    let line = "--filter hostile/good --arm wasm --processes 1 -p n=1,2,1Ki";
    let host = Host::with_hostile();
    host.check(&format!("load hostile.wasm --dry-run {line}"), 2).one_line(&["`1Ki` is outside its domain"]);
    let mut found = plan("--filter hostile/go* --arm wasm --processes 1 -p n=1,2,5");
    found.sort();
    let cell = |n| format!("hostile/good  wasm  process 0  n={n}");
    assert_eq!(found, [cell(1), cell(2), cell(5)]);
    assert_eq!(plan("--filter */trap --arm native --quick"), ["hostile/trap  native  process 0"]);
    assert_eq!(plan("--filter */trap --arm wasm,native --quick").len(), 2);
}

#[test]
fn run_finds_modules_in_folders_and_takes_suites_from_files() {
    let host = Host::with_hostile();
    let suite = "summary = \"Two.\"\nprocesses = 2\n[[cells]]\nscenario = \"hostile/good\"\narms = [\"wasm\"]\n\
                 [cells.arguments]\nn = [3, 4]\n";
    std::fs::write(host.path("two.toml"), suite).unwrap();
    let plan = |line: &str| {
        let mut lines: Vec<_> = host.check(line, 0).stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let cell = |process, n| format!("hostile/good  wasm  process {process}  n={n}");
    assert_eq!(plan("run two.toml --modules . --dry-run"), [cell(0, 3), cell(0, 4), cell(1, 3), cell(1, 4)]);
    // The command line overrides the suite.
    assert_eq!(plan("run two.toml --modules . --dry-run --processes 1 -p n=9"), [cell(0, 9)]);
    assert_eq!(plan("run hostile/good --modules . --arm wasm --dry-run --processes 1"), [cell(0, 1)]);
    std::fs::write(host.path("two.toml"), "summary = 1\n").unwrap();
    host.check("run two.toml --modules . --dry-run", 2);
}

#[test]
fn module_that_cannot_be_loaded_is_a_finding_only_if_it_may_be_asked_for() {
    let host = Host::with_hostile();
    fs::write(host.path("broken.wasm"), "no component").unwrap();
    let run = |pattern: &str, status: i32| {
        let line = format!("run {pattern} --modules . --arm wasm --quick --time 20ms --processes 1");
        let ran = host.check(&line, status);
        assert_eq!(ran.stdout.contains("broken.wasm"), status == 1, "{}", ran.stdout);
    };
    run("hostile/good", 0);
    run("*/good", 1);
    run("good", 1);
}

#[test]
fn missing_optional_scenario_of_a_suite_is_reported() {
    let host = Host::with_hostile();
    let cells = |scenario: &str, optional| format!("[[cells]]\nscenario = \"{scenario}\"\noptional = {optional}\n");
    let check = |cells: &str, status, stderr: &[&str]| {
        std::fs::write(host.path("mine.toml"), format!("summary = \"Some.\"\n{cells}")).unwrap();
        host.check("run mine.toml --modules . --dry-run --quiet --quick --arm wasm", status).one_line(stderr);
    };
    let left_out = "suite mine.toml: left out absent/good: no module here has it; build it with `cargo xtask probes`";
    check(&format!("{}{}", cells("hostile/good", true), cells("absent/good", true)), 0, &[left_out]);
    check(&cells("absent/good", false), 2, &["no scenario matches `absent/good`"]);
    // A module that exists but cannot be loaded is reported with the reason.
    std::fs::write(host.path("absent.wasm"), "no component").unwrap();
    let refused = ["suite mine.toml: left out absent/good: ", "absent.wasm"];
    std::fs::write(host.path("mine.toml"), format!("summary = \"Some.\"\n{}", cells("absent/good", true))).unwrap();
    let ran = host.check("run mine.toml --modules . --dry-run --quick --arm wasm", 2);
    assert!(refused.iter().all(|part| ran.stderr.contains(part)), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing is left to measure"), "{}", ran.stderr);
}
