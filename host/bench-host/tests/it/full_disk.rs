//! A full disk: the run ends with a message, and its results so far are readable.
#![cfg(target_os = "linux")]

use crate::host::{Host, PROGRAM, Ran, command, skip};
use std::fs;

/// Mounts 64 KiB, fills it with a run, and reads that run; the mount is gone when this ends.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=64k tmpfs results || exit 77
"$0" "$@"; echo "the run ended with $?"
"$0" list --run results/*; echo "list ended with $?"
"#;

#[test]
fn run_on_a_full_disk_ends_and_keeps_its_results() {
    let host = Host::with_hostile();
    fs::create_dir(host.path("results")).unwrap();
    let line = "load hostile.wasm --filter hostile/good --quick --processes 60 --time 1200ms";
    let mut unshare = command("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", SCRIPT, PROGRAM]).args(line.split(' '));
    let Ok(output) = unshare.current_dir(host.path("")).output() else { return skip("there is no `unshare`") };
    let ran = Ran::from(output);
    if ran.status != Some(0) {
        return skip(&format!("a small disk cannot be mounted: {}", ran.stderr.trim()));
    }
    assert!(ran.stdout.contains("the run ended with 2"), "{}", ran.stdout);
    ran.one_line(&["No space left on device", "the run so far is kept", "--out DIR"]);
    let (_, listed) = ran.stdout.split_once("the run ended with").unwrap();
    assert!(listed.contains("list ended with 0"), "{listed}");
    assert!(listed.contains("of 60 processes finished"), "{listed}");
}
