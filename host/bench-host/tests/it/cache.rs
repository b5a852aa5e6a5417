//! The folder of compiled code: used if only this user can write to it, otherwise ignored with a message.

use crate::host::{Host, Ran};
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

const LINE: &str = "load hostile.wasm --filter hostile/good --quick --time 20ms";

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
