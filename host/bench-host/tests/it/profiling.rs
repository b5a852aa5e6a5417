//! `profile`: which functions a cell spends its time in, in both arms. What only `perf` sees is skipped where there is none.

use crate::host::{Host, Ran, skip};
use crate::modules::{plugins, project};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whether the profiler can be used here.
fn has_perf(host: &Host) -> bool {
    let data = host.path("perf.data");
    let ran =
        Command::new("perf").args(["record", "-q", "-e", "cpu-clock", "-o"]).arg(&data).args(["--", "true"]).output();
    ran.is_ok_and(|output| output.status.success())
}

/// Profiles a kernel in both arms.
fn line() -> String {
    let modules = project().join("plugins");
    let cells = "kernels/json-parse --arm wasm,native";
    format!("profile {cells} --time 500ms --seed 7 --modules {} --format json", modules.display())
}

/// Checks that the folder has each kind of file for so many cells and nothing else, and returns their names.
#[track_caller]
fn names(directory: &Path, cells: usize) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let ends = [".svg", ".folded", ".firefox.json"];
    for end in ends {
        assert_eq!(names.iter().filter(|name| name.ends_with(end)).count(), cells, "{end}: {names:?}");
    }
    assert_eq!(names.len(), cells * ends.len(), "what the profiler wrote is removed: {names:?}");
    names
}

/// The folder that `profile` has written into.
#[track_caller]
fn directory(host: &Host) -> PathBuf {
    let directory = host.run();
    assert!(directory.to_string_lossy().ends_with("-profile"), "{}", directory.display());
    directory
}

/// As text and attributes of XML have it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Checks that the flame graph is a picture without a script, that it states its size, its machine and its seed, and that functions of
/// kernels are the module's in it. Returns its text.
#[track_caller]
fn check_flame_graph(file: &Path, fingerprint: &Value, seed: &Value) -> String {
    check_xml(file);
    let svg = fs::read_to_string(file).unwrap();
    let heads: Vec<&str> = svg.lines().filter(|line| line.starts_with("<text ")).collect();
    let [title, size, source] = heads[..] else { panic!("{heads:#?}") };
    assert!(title.contains(">kernels/json-parse "), "{title}");
    assert!([">n ", " samples, ", " of processor time, "].iter().all(|part| size.contains(part)), "{size}");
    let cpu = fingerprint["cpu_model"].as_str().or(fingerprint["architecture"].as_str()).unwrap();
    let machine = format!(">{} × {}, ", escaped(cpu), fingerprint["cpus"]);
    assert!(source.contains(&machine) && source.ends_with(&format!("; seed {seed}</text>")), "{source}");
    let is_of_kernels = |line: &str| line.contains("kernels::") && line.contains(" (guest): ");
    assert!(svg.lines().any(is_of_kernels), "{svg}");
    svg
}

/// Checks with the parser of Python that the file is well-formed, and that it contains shapes and text alone.
#[track_caller]
fn check_xml(file: &Path) {
    const PROGRAM: &str = r"
import json, sys
from xml.etree import ElementTree
root = ElementTree.parse(sys.argv[1]).getroot()
print(json.dumps(sorted({element.tag for element in root.iter()})))
";
    let ran = Command::new("python3").args(["-c", PROGRAM]).arg(file).stdin(Stdio::null()).output();
    let Ok(output) = ran else { return skip("python3 is absent, so nothing else reads the flame graphs") };
    let names = Ran::from(output).check("python3", 0).json();
    let expect = ["g", "rect", "svg", "text", "title"].map(|name| format!("{{http://www.w3.org/2000/svg}}{name}"));
    assert_eq!(names, json!(expect), "{}", file.display());
}

#[test]
fn functions_of_both_arms_are_named_and_compared() {
    let host = Host::new();
    if !has_perf(&host) {
        return skip("`perf record` does not work here");
    }
    if plugins(&["kernels"]).is_none() {
        return;
    }
    let document = host.check(&line(), 0).json();
    let directory = directory(&host);
    names(&directory, 2);
    let cells = document["cells"].as_array().unwrap();
    assert_eq!((cells.len(), &document["seed"]), (2, &7.into()), "{document:#}");
    for cell in cells {
        assert!(cell["samples"].as_u64().unwrap() > 0 && cell["operations"].as_u64().unwrap() > 0, "{cell:#}");
        let functions = cell["functions"].as_array().unwrap();
        let is_own = |function: &&Value| function["owner"] == "guest" && function["own_ns"].as_u64().unwrap() > 0;
        let guest: Vec<&str> =
            functions.iter().filter(is_own).map(|function| function["name"].as_str().unwrap()).collect();
        assert!(guest.iter().any(|name| name.contains("kernels::")), "{}: {guest:?}", cell["arm"]);
        let file = directory.join(cell["files"][0].as_str().unwrap());
        let svg = check_flame_graph(&file, &document["fingerprint"], &document["seed"]);
        // The functions that ran most are the first.
        assert!(svg.contains(&format!("<title>{} (guest): ", escaped(guest[0]))), "{}: {svg}", guest[0]);
    }
    let [difference] = &document["differences"].as_array().unwrap()[..] else { panic!("{document:#}") };
    assert_eq!((&difference["baseline"], &difference["candidate"]), (&"native".into(), &"wasm".into()));
    assert!(difference["candidate_matched"].as_f64().unwrap() > 0.0, "{difference:#}");
}

#[test]
fn components_are_profiled_without_perf() {
    if plugins(&["kernels"]).is_none() {
        return;
    }
    let host = Host::new();
    // No program is found in an empty folder, whatever this machine has.
    let empty = host.path("empty");
    fs::create_dir(&empty).unwrap();
    let ran = Ran::of(host.command(&line()).env("PATH", &empty)).check(&line(), 0);
    let said = "bench-host: only components are profiled: the profiler `perf` cannot be started: ";
    assert!(ran.stderr.lines().any(|line| line.starts_with(said)), "{}", ran.stderr);
    let document = ran.json();
    assert!(document["method"].as_str().unwrap().starts_with("the engine's own samples, "), "{}", document["method"]);
    let directory = directory(&host);
    names(&directory, 1);
    let cells = document["cells"].as_array().unwrap();
    let of_arm = |arm: &str| cells.iter().find(|cell| cell["arm"] == arm).unwrap();
    let (wasm, native) = (of_arm("wasm"), of_arm("native"));
    assert!(wasm["samples"].as_u64().unwrap() > 0 && wasm["operations"].as_u64().unwrap() > 0, "{wasm:#}");
    let functions = wasm["functions"].as_array().unwrap();
    assert!(functions.iter().all(|function| function["owner"] == "guest"), "{wasm:#}");
    let is_of_kernels = |function: &Value| function["name"].as_str().unwrap().contains("kernels::");
    assert!(functions.iter().any(is_of_kernels), "{wasm:#}");
    let file = directory.join(wasm["files"][0].as_str().unwrap());
    check_flame_graph(&file, &document["fingerprint"], &document["seed"]);
    let why = native["reason"].as_str().unwrap();
    assert!(why.contains("only components are seen without `perf`"), "{why}");
    assert_eq!((&native["samples"], &document["differences"]), (&0.into(), &json!([])), "{document:#}");
}

#[test]
fn run_is_profiled_after_it_was_measured() {
    let host = Host::new();
    if !has_perf(&host) {
        return skip("`perf record` does not work here");
    }
    if plugins(&["kernels"]).is_none() {
        return;
    }
    let cells = "kernels/json-parse --arm wasm,native --quick --time 20ms";
    let modules = project().join("plugins");
    let line = format!("run {cells} --profile --modules {} --format json", modules.display());
    let ran = host.check(&line, 0);
    let is_said = |line: &str| line.starts_with("bench-host: 2 cells were profiled; flame graphs: ");
    assert!(ran.stderr.lines().any(is_said), "{}", ran.stderr);
    let document = ran.json();
    let directory = host.run().join("profile");
    for name in names(&directory, 2).iter().filter(|name| name.ends_with(".svg")) {
        check_flame_graph(&directory.join(name), &document["run"]["fingerprint"], &document["run"]["seed"]);
    }
    // Processes under the profiler add nothing to the figures.
    let again = host.check(&format!("list --run {} --format json", host.run().display()), 0).json();
    assert_eq!((again["cells"].as_array().unwrap().len(), &again["cells"]), (2, &document["cells"]));
}

#[test]
fn cells_are_listed_without_profiling_them() {
    let host = Host::with_hostile();
    let listed = host.check("profile hostile/good --modules . --dry-run", 0).stdout;
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["hostile/good wasm n=1", "hostile/good native n=1"], "{listed}");
    assert!(host.runs().is_empty());
}
