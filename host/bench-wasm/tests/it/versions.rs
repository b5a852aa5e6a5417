//! Components that were built against each published version of a capability have it, and those of a later version are refused with both
//! versions.

use crate::fixture::{Fixture, MODULE, WORLD, component, scenario};
use bench_drivers::{Grants, Module};
use bench_model::{Arguments, HostInterface};
use bench_wasm::{Component, Limits, Runtime, Settings};
use std::fs;
use std::path::{Path, PathBuf};

/// The module with `ring` in this version, whose WIT is in `file`.
fn built(version: &str, file: &Path) -> Fixture {
    let module = MODULE.replace("bench-host:ring/ring@0.1.0", &format!("bench-host:ring/ring@{version}"));
    let world = WORLD.replace("bench-host:ring/client@0.1.1", &format!("bench-host:ring/client@{version}"));
    let packages = ["workload/published/0.1.0.wit", file.to_str().expect("a path is text")];
    Fixture::of(component(&module, &world, &packages))
}

/// The published versions of the package `ring`, and their files.
fn published() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/ring/published");
    let files = fs::read_dir(folder).expect("published versions").map(|entry| entry.expect("a file").path());
    let version = |file: &PathBuf| file.file_stem().expect("a version").to_string_lossy().into_owned();
    files.map(|file| (version(&file), file)).collect()
}

#[test]
fn every_published_version_has_its_capabilities() {
    let published = published();
    assert!(published.len() >= 2, "{published:?}");
    let called = |version: &str, file: &Path, grants: Grants| {
        let fixture = built(version, file);
        let runtime = Runtime::new(Limits::default(), None, &Settings::default()).expect("the engine starts");
        let sha256 = bench_sink::digest::of_file(&fixture.path()).expect("the module is there");
        let mut component = Component::load(&runtime, &fixture.path(), &sha256, grants).expect("the module is loaded");
        assert!(component.imports().contains(&format!("bench-host:ring/ring@{version}")), "{:?}", component.imports());
        let exchange = scenario(&component, "exchange");
        let counts = component.count(&exchange, &Arguments::default(), 3).expect("its capabilities answer");
        let mut session = component.open(&exchange, &Arguments::default()).expect("it is opened");
        session.iterate(3).expect("it exchanges messages");
        assert!(session.verify().expect("it verifies").iter().all(|check| check.passed));
        counts.host_calls.expect("calls of a component are counted")
    };
    let (first, file) = &published[0];
    let expect = called(first, file, Grants::default());
    assert!(expect.iter().any(|(name, calls)| name == "ring#[method]producer.push" && *calls == 6), "{expect:?}");
    for (version, file) in &published {
        // What is granted beside them changes nothing.
        let granted = Grants { environment: vec![("NAME".to_owned(), "value".to_owned())], ..Grants::default() };
        for grants in [Grants::default(), granted] {
            assert_eq!(called(version, file, grants), expect, "{version}");
        }
    }
}

#[test]
fn denied_interface_traps_in_every_version() {
    for (version, file) in published() {
        let fixture = built(&version, &file);
        let runtime = Runtime::new(Limits::default(), None, &Settings::default()).expect("the engine starts");
        let sha256 = bench_sink::digest::of_file(&fixture.path()).expect("the module is there");
        let load = |denied: HostInterface| {
            let grants = Grants { denied: vec![denied], ..Grants::default() };
            Component::load(&runtime, &fixture.path(), &sha256, grants).expect("the module is loaded")
        };
        let exchanged = |component: &mut Component| {
            let exchange = scenario(component, "exchange");
            let mut session = component.open(&exchange, &Arguments::default())?;
            session.iterate(1)
        };
        // Its memory is accessible in a rewritten copy alone, which is linked anew.
        let corrupted = |component: &mut Component| {
            let exchange = scenario(component, "exchange");
            component.corrupt(&exchange, &Arguments::default())
        };
        let mut denied = load(HostInterface::Ring);
        let refused = [exchanged(&mut denied).map(drop), corrupted(&mut denied).map(drop)];
        let part = format!("`bench-host:ring/ring@{version}#[static]producer.open` is denied by the user");
        for refused in refused {
            let refused = refused.expect_err("it opens a ring").to_string();
            assert!(refused.contains(&part), "{version}: {part} is not in: {refused}");
        }
        exchanged(&mut load(HostInterface::Log)).expect("a ring is no log");
    }
}

#[test]
fn later_version_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("later.wit");
    let (_, newest) = published().into_iter().max().expect("a version");
    let text = fs::read_to_string(newest).expect("the WIT is text");
    let (_, items) = text.split_once('\n').expect("the first line names the package");
    fs::write(&file, format!("package bench-host:ring@0.9.0;\n{items}")).expect("the WIT is written");
    let fixture = built("0.9.0", &file);
    let runtime = Runtime::new(Limits::default(), None, &Settings::default()).expect("the engine starts");
    let sha256 = bench_sink::digest::of_file(&fixture.path()).expect("the module is there");
    let refused = Component::load(&runtime, &fixture.path(), &sha256, Grants::default()).expect_err("it is refused");
    let reason = refused.to_string();
    for part in ["bench-host:ring/ring@0.9.0", "this bench-host has 0.1.1", "bench-host wit ring"] {
        assert!(reason.contains(part), "{part:?} is not in: {reason}");
    }
}

#[test]
fn component_of_wasi_0_3_is_compiled_or_named_as_such() {
    // One type, a stream, which only components with concurrent calls have.
    let fixture = Fixture::of(b"\0asm\x0d\0\x01\0\x07\x03\x01\x66\0".to_vec());
    let runtime = Runtime::new(Limits::default(), None, &Settings::default()).expect("the engine starts");
    let sha256 = bench_sink::digest::of_file(&fixture.path()).expect("the module is there");
    let refused = Component::load(&runtime, &fixture.path(), &sha256, Grants::default()).expect_err("it is refused");
    let reason = refused.to_string();
    // With the feature an engine of its own compiles it, and finds nothing to run in it.
    let expect = if cfg!(feature = "wasi-0-3") { "exports nothing to run" } else { "built for WASI 0.3" };
    assert!(reason.contains(expect), "{reason}");
}
