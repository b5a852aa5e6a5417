//! Files that are not modules: each is refused with the reason and what to do, and the other modules still run.

use crate::host::{Host, cells};
use crate::modules::hostile;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every bad file, with its error and the next step that the error names.
const FILES: &[(&str, &str, &str)] = &[
    ("text.wasm", "not a WebAssembly file", "build a component with"),
    ("empty.wasm", "not a WebAssembly file", "build a component with"),
    ("core.wasm", "a core module that exports neither", "build it as a command"),
    ("truncated.wasm", "damaged or incomplete", "build or copy it again"),
    ("later.wasm", "built against bench-host:workload 0.2.0, but this host supports 0.1.0", "rebuild it"),
    ("stranger.wasm", "exports nothing to run", "build it with one of them"),
    ("folder.wasm", "a folder, a pipe or a device, not a file", "give built modules"),
    ("pipe.so", "a folder, a pipe or a device, not a file", "give built modules"),
    ("missing.wasm", "cannot be read", ""),
    ("text.so", "not a dynamic library", "build a probe as a `cdylib`"),
    ("truncated.so", "the system cannot load it", "build it again"),
    ("half.so", "", ""),
    ("library.so", "exports no `bench_probe_v1`", "export the entry"),
    ("notes.txt", "neither a component (.wasm) nor a probe", "give built modules"),
    ("twin.wasm", "was loaded from", "give one of the two"),
];

fn host_with_bad_files() -> Host {
    let host = Host::new();
    let [component, probe] = hostile().each_ref().map(|file| fs::read(file).unwrap());
    let write = |name: &str, bytes: &[u8]| fs::write(host.path(name), bytes).unwrap();
    write("good.wasm", &component);
    write("twin.wasm", &component);
    write("text.wasm", b"#!/bin/sh\necho hello\n");
    write("empty.wasm", b"");
    write("core.wasm", b"\0asm\x01\0\0\0");
    write("truncated.wasm", &component[..component.len() / 2]);
    write("later.wasm", &later_version(component));
    write("stranger.wasm", b"\0asm\x0d\0\x01\0");
    fs::create_dir(host.path("folder.wasm")).unwrap();
    // Nothing is ever written to it, so a read would wait for ever.
    assert!(Command::new("mkfifo").arg(host.path("pipe.so")).status().unwrap().success());
    write("text.so", b"#!/bin/sh\necho hello\n");
    write("truncated.so", &probe[..64]);
    // The system's loader may well map this one, and crash.
    write("half.so", &probe[..probe.len() / 2]);
    fs::copy(some_library(), host.path("library.so")).unwrap();
    write("notes.txt", b"remember the milk\n");
    host
}

/// `component` as if built against the next version of the WIT. Names carry their length, which stays the same.
fn later_version(mut component: Vec<u8>) -> Vec<u8> {
    const NAME: &[u8] = b"bench-host:workload/";
    let (found, other) = (b"@0.1.0", b"@0.2.0");
    let names: Vec<_> =
        component.windows(NAME.len()).enumerate().filter(|(_, at)| *at == NAME).map(|(at, _)| at).collect();
    for name in names {
        let end = component.len().min(name + NAME.len() + 32);
        if let Some(at) = component[name..end].windows(found.len()).position(|at| at == found) {
            component[name + at..][..other.len()].copy_from_slice(other);
        }
    }
    component
}

/// A library that every process has loaded and that is not a probe.
fn some_library() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let paths = maps.lines().filter_map(|line| line.find('/').map(|at| Path::new(&line[at..])));
    let mut libraries = paths.filter(|path| path.to_string_lossy().contains("/libc.so"));
    libraries.next().expect("the C library is loaded").to_owned()
}

#[test]
fn bad_file_is_refused_and_other_modules_run() {
    let host = host_with_bad_files();
    let names: Vec<_> = FILES.iter().map(|(name, ..)| *name).collect();
    let line = format!("load good.wasm {} --filter hostile/good --quick --time 20ms --format json", names.join(" "));
    let ran = host.check(&line, 1);
    let document = ran.json();
    let modules = document["modules"].as_array().unwrap();
    for (name, what, next) in FILES {
        let module =
            modules.iter().find(|module| module["file"] == *name).unwrap_or_else(|| panic!("{name}: {modules:#?}"));
        let reason = module["refused"].as_str().unwrap_or_else(|| panic!("{module:#}"));
        assert!(reason.contains(what) && reason.contains(next), "{name}: {reason}");
        assert_eq!(reason.lines().count(), 1, "{reason}");
        let said = ran.stderr.lines().filter(|line| line.contains(name)).count();
        assert_eq!(said, 1, "{name} on standard error:\n{}", ran.stderr);
    }
    let good = cells(&document, "hostile/good");
    assert_eq!(good.len(), 1);
    assert_eq!(good[0]["status"], "ok");
    assert!(good[0]["series"][0]["count"].as_u64().unwrap() > 0);
}

#[test]
fn bad_file_alone_makes_no_run() {
    let host = host_with_bad_files();
    for (name, what, _) in FILES.iter().filter(|(name, ..)| *name != "twin.wasm") {
        let ran = host.check(&format!("load {name} --quick"), 2);
        assert!(ran.stderr.lines().any(|line| line.contains(name) && line.contains(what)), "{name}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{name}");
    }
    assert_eq!(host.runs().len(), 0, "there is nothing to keep");
}

#[test]
fn list_and_check_report_a_bad_file() {
    let host = host_with_bad_files();
    let listed = host.check("list good.wasm core.wasm", 1);
    assert!(
        listed.stdout.contains("hostile/good") && listed.stderr.contains("core.wasm: a core module"),
        "{}",
        listed.stderr
    );
    let checked = host.check("check core.wasm", 1);
    assert!(checked.stdout.contains("FAILED  loads: a core module"), "{}", checked.stdout);
}

#[test]
fn file_that_is_not_a_run_is_refused() {
    let host = Host::new();
    host.check("list --run nowhere", 2).one_line(&["nowhere"]);
    fs::create_dir(host.path("empty")).unwrap();
    host.check("list --run empty", 2).one_line(&["empty"]);
    fs::write(host.path("empty/run.jsonl"), "garbage\n").unwrap();
    host.check("list --run empty", 2).one_line(&["run.jsonl:1: not a record of a run file"]);
    fs::write(host.path("empty/run.jsonl"), "").unwrap();
    host.check("list --run empty", 2).one_line(&["empty"]);
}
