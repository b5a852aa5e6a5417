//! The folder of compiled code: used if only this user can write to it, otherwise ignored with a message.

use crate::host::{Host, Ran};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;

const LINE: &str = "load hostile.wasm --filter hostile/good --quick --quiet --time 20ms";

#[test]
fn compiled_code_is_cached() {
    let host = Host::with_hostile();
    let run = || Ran::of(host.command(LINE).env("XDG_CACHE_HOME", host.path("cache"))).check(LINE, 0);
    let ran = run();
    assert_eq!(ran.stderr, "");
    let code = host.path("cache/bench-host/code");
    let files = || fs::read_dir(&code).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    let kept = files();
    assert!(!kept.is_empty() && kept.iter().all(|file| file.extension().is_some_and(|end| end == "cwasm")), "{kept:?}");
    assert_eq!(fs::metadata(&code).unwrap().permissions().mode() & 0o777, 0o700);
    run();
    assert_eq!(files().len(), kept.len());
    // What is damaged is made again.
    kept.iter().for_each(|file| fs::write(file, "garbage").unwrap());
    run();
}

/// The files of compiled code in the cache, each with its number on the disk: a file that was written anew has another one.
fn compiled(host: &Host) -> BTreeSet<(PathBuf, u64)> {
    let files = fs::read_dir(host.path("cache/bench-host/code")).unwrap().map(|file| file.unwrap().path());
    let code = files.filter(|file| file.extension().is_some_and(|end| end == "cwasm"));
    code.map(|file| (file.clone(), fs::metadata(file).unwrap().ino())).collect()
}

#[test]
fn code_is_cached_although_describing_fails() {
    // Also where the instances of the component do not fit into the pool.
    for (name, fields) in [("small.wasm", ""), ("large.wasm", "(table 300001 funcref)")] {
        let host = Host::new();
        let text = format!("(component (core module $m {fields}) (core instance (instantiate $m)))");
        fs::write(host.path(name), wat::parse_str(text).unwrap()).unwrap();
        let line = format!("load {name} --quick");
        let load = || {
            let ran = Ran::of(host.command(&line).env("XDG_CACHE_HOME", host.path("cache")));
            let said = ran.stdout + &ran.stderr;
            assert!(said.contains("exports nothing to run"), "{said}");
            compiled(&host)
        };
        let first = load();
        assert!(!first.is_empty(), "{name}: nothing was kept");
        assert_eq!(load(), first, "{name}: it was compiled again");
    }
}

#[test]
fn component_that_does_not_fit_into_the_pool_is_compiled_once() {
    let host = Host::new();
    let text = r#"(component
        (core module $m (table 300001 funcref) (func (export "one") (result i32) i32.const 1))
        (core instance $i (instantiate $m))
        (func (export "one") (result u32) (canon lift (core func $i "one"))))"#;
    fs::write(host.path("lib.wasm"), wat::parse_str(text).unwrap()).unwrap();
    let load = |limit: &str| {
        let line = format!("load lib.wasm --quick --processes 1 --time 20ms --call one() --memory {limit}");
        let ran = Ran::of(host.command(&line).env("XDG_CACHE_HOME", host.path("cache"))).check(&line, 0);
        assert!(ran.stderr.contains("do not fit into the pool") && ran.stderr.contains("300001"), "{}", ran.stderr);
        compiled(&host)
    };
    let first = load("512Mi");
    assert!(!first.is_empty());
    // With another limit it is described again, and what was found out about the pool is remembered, with the reason.
    assert_eq!(load("256Mi"), first);
}

#[test]
fn folder_that_others_can_write_to_is_reported_and_not_used() {
    let host = Host::with_hostile();
    let code = host.path("cache/bench-host/code");
    DirBuilder::new().recursive(true).mode(0o700).create(&code).unwrap();
    // Set apart from making it, because the mask of the process takes bits away.
    fs::set_permissions(&code, Permissions::from_mode(0o777)).unwrap();
    let ran = Ran::of(host.command(LINE).env("XDG_CACHE_HOME", host.path("cache"))).check(LINE, 0);
    assert!(ran.stderr.contains("other users can write to it"), "nothing was said: {:?}", ran.stderr);
    assert_eq!(fs::read_dir(&code).unwrap().count(), 0, "it was used");
}
