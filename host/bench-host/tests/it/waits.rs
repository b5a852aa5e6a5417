//! How long people wait for what is looked up first, and for what takes longest of components that were not written for bench-host, on request
//! and on an idle machine:
//! `cargo test --release -p bench-host --test it waits -- --ignored --nocapture --test-threads 1`.

use crate::host::{Host, Ran};
use crate::modules::plugins;
use crate::packages::{handler_in_python, write_world};
use crate::tutorial;
use bench_drivers::Grants;
use bench_family::Family;
use bench_sink::digest;
use bench_wasm::{Cache, Component, Limits, Runtime, Settings};
use family_serverless::Serverless;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LOADS: usize = 11;

/// Prints how long something took, and holds it to its target.
#[track_caller]
fn hold(what: &str, took: Duration, target: Duration) {
    eprintln!("{what}: {:.3} s, target {} s", took.as_secs_f64(), target.as_secs_f64());
    assert!(took <= target, "{what} took {took:?}, target {target:?}");
}

/// Runs a command line, and returns how long it took.
#[track_caller]
fn timed(host: &Host, line: &str) -> Duration {
    let begun = Instant::now();
    Ran::of(&mut host.command(line)).check(line, 0);
    begun.elapsed()
}

/// Time from a file to a component of which instances can be made, as in a worker that has just started.
fn load(file: &Path, cache: &Path) -> Duration {
    let begun = Instant::now();
    let cache = Cache::open(cache).expect("the cache opens");
    let runtime = Runtime::new(Limits::default(), Some(cache), &Settings::default()).expect("the engine starts");
    let runtime = runtime.with_capabilities(Serverless.capabilities()).with_adapters(Serverless.adapters());
    let sha256 = digest::of_file(file).expect("the component is readable");
    let component = Component::load(&runtime, file, &sha256, Grants::default()).expect("it is loaded");
    let took = begun.elapsed();
    drop(component);
    took
}

#[test]
#[ignore = "figures"]
fn large_component_is_loaded_from_the_cache_within_a_second() {
    let Some(file) = handler_in_python() else { return };
    let cache = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let cache = cache.path().join("cache");
    eprintln!("{}: compiled and loaded in {:.2} s", file.display(), load(&file, &cache).as_secs_f64());
    let mut times: Vec<_> = (0..LOADS).map(|_| load(&file, &cache)).collect();
    times.sort_unstable();
    let megabytes = file.metadata().unwrap().len() as f64 / 1e6;
    let range = format!("{:.2} to {:.2} s", times[0].as_secs_f64(), times[LOADS - 1].as_secs_f64());
    let what = format!("loading {megabytes:.0} MB from the cache, median of {LOADS} ({range})");
    hold(&what, times[LOADS / 2], Duration::from_secs(1));
}

/// All plug-ins that are built, sorted; `None`, with a message, if they are not.
fn components() -> Option<Vec<PathBuf>> {
    let files = plugins(&["kernels"])?;
    let folder = files[0].parent().expect("a plug-in lies in a folder");
    let entries = fs::read_dir(folder).expect("the folder is listed").map(|entry| entry.expect("an entry").path());
    let is_component = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    let mut all: Vec<_> = entries.filter(is_component).collect();
    all.sort();
    Some(all)
}

#[test]
#[ignore = "figures"]
fn each_plugin_is_checked_within_ten_seconds() {
    let Some(all) = components() else { return };
    let host = Host::new();
    let mut slowest = (Duration::ZERO, String::new());
    for file in all {
        let begun = Instant::now();
        // With its probe. A server, or a second processor, may be lacking here: what needs it is then skipped.
        let ran = Ran::of(host.command("check").arg(&file));
        let took = begun.elapsed();
        assert!(matches!(ran.status, Some(0 | 2)), "{}: {}", file.display(), ran.stdout);
        eprintln!("check {}: {:.2} s", file.display(), took.as_secs_f64());
        slowest = slowest.max((took, file.display().to_string()));
    }
    hold(&format!("checking {}, the slowest", slowest.1), slowest.0, Duration::from_secs(10));
}

#[test]
#[ignore = "figures"]
fn tutorial_takes_ten_minutes() {
    let target = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    // As an author builds it: optimised, and from nothing but what cargo has downloaded.
    let optimised = ["OPT_LEVEL", "LTO", "CODEGEN_UNITS"].map(|name| format!("CARGO_PROFILE_RELEASE_{name}")).join(" ");
    let set = format!("unset {optimised}; export CARGO_TARGET_DIR='{}'; ", target.path().display());
    let begun = Instant::now();
    tutorial::follow(&set, |_| ());
    hold("the commands of the tutorial", begun.elapsed(), Duration::from_secs(600));
}

#[test]
#[ignore = "figures"]
fn every_plugin_is_listed_within_50_ms() {
    let Some(all) = components() else { return };
    let host = Host::new();
    let list = || {
        let begun = Instant::now();
        Ran::of(host.command("list").args(&all)).check("list", 0);
        begun.elapsed()
    };
    // What is found out about the modules is kept.
    eprintln!("listing {} plug-ins for the first time: {:.3} s", all.len(), list().as_secs_f64());
    let mut times: Vec<_> = (0..LOADS).map(|_| list()).collect();
    times.sort_unstable();
    hold(&format!("listing {} plug-ins, median of {LOADS}", all.len()), times[LOADS / 2], Duration::from_millis(50));
}

#[test]
#[ignore = "figures"]
fn ladder_of_a_kernel_takes_a_minute() {
    let Some(files) = plugins(&["kernels"]) else { return };
    let host = Host::new();
    let folder = files[0].parent().expect("a plug-in lies in a folder").display();
    let line = format!("compare kernels/sha256 --ladder --modules {folder}");
    hold(&format!("`{line}`"), timed(&host, &line), Duration::from_secs(60));
}

#[test]
#[ignore = "figures"]
fn price_list_of_wasi_http_takes_two_minutes() {
    let host = Host::new();
    write_world(&host.path("")).expect("cargo has the crate with the texts of WASI");
    let line = "price wit wasi:http/proxy@0.2.12";
    hold(&format!("`{line}`"), timed(&host, line), Duration::from_secs(120));
}
