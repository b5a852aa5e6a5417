//! Mistakes of users: one line that says what is wrong and what exists instead, exit status 2, and no files.

use crate::host::Host;
use std::fs;

/// Runs `line` in a folder with the hostile module; it must make nothing and say one line with every one of `parts`.
#[track_caller]
fn check(line: &str, parts: &[&str]) {
    let host = Host::with_hostile();
    host.check(line, 2).one_line(parts);
    assert!(!host.path("results").exists(), "`{line}` made a folder");
}

#[test]
fn unknown_scenario_is_reported_with_the_nearest_name() {
    check("run hostile/goood --modules .", &["hostile/goood", "did you mean `hostile/good`?"]);
    check("load hostile.wasm --filter hostile/goood", &["hostile/goood", "did you mean `hostile/good`?"]);
    check("run [ --modules .", &["invalid pattern `[`"]);
    check("load hostile.wasm --filter [", &["invalid pattern `[`"]);
}

#[test]
fn unknown_parameter_or_value_is_reported_with_valid_ones() {
    check("load hostile.wasm -p m=1", &["parameter `m`", "bench-host list"]);
    check("run hostile/good --modules . -p nn=1", &["parameter `nn`", "did you mean `n`?"]);
    check("load hostile.wasm -p n=0", &["parameter `n`", "`0` is outside its domain (1 to 1000)"]);
    check("load hostile.wasm -p n=1,5000", &["parameter `n`", "`5000` is outside its domain (1 to 1000)"]);
    check("load hostile.wasm -p n=many", &["parameter `n`", "`many` is not a whole number"]);
}

#[test]
fn missing_folder_or_suite_is_reported_with_its_name() {
    check("run good --modules nowhere", &["nowhere"]);
    check("run nowhere.toml --modules .", &["nowhere.toml"]);
    check("load hostile.wasm --env BENCH_HOST_TESTS_UNSET", &["BENCH_HOST_TESTS_UNSET"]);
}

#[test]
fn invalid_usage_has_status_2() {
    let host = Host::with_hostile();
    for line in [
        "",
        "lod",
        "load",
        "load hostile.wasm --time 5",
        "load hostile.wasm --processes 0",
        "load hostile.wasm --arm wsm",
        "load hostile.wasm -p n",
        "load hostile.wasm --time 1s --iterations 5",
        "load hostile.wasm --memory 0",
        "load hostile.wasm --allow-dir here",
        "worker",
    ] {
        let ran = host.check(line, 2);
        assert!(!ran.stderr.is_empty(), "`{line}` says nothing");
        assert!(!ran.stderr.contains("panicked"), "`{line}`: {}", ran.stderr);
    }
    assert_eq!(host.runs().len(), 0);
}

#[test]
fn results_folder_that_cannot_be_created_is_reported_with_the_option() {
    let host = Host::with_hostile();
    // Permission bits do not bind every user; that a file has nothing below it does.
    fs::write(host.path("file"), "").unwrap();
    let line = "load hostile.wasm --filter hostile/good --quick --quiet --out file/results";
    host.check(line, 2).one_line(&["file/results", "--out DIR"]);
    assert!(host.path("file").is_file());
}
