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
    let line = "load hostile.wasm --filter hostile/good --quick --quiet --processes 60 --time 1200ms";
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

/// Mounts a small disk for the coordinator, fills it with what an agent elsewhere sends, makes room, and goes on.
#[cfg(feature = "fleet")]
const FLEET_SCRIPT: &str = r#"
mount -t tmpfs -o size=112k tmpfs results || exit 77
"$0" "$@"; echo "the run ended with $?"
mount -o remount,size=16m results || exit 77
"$0" fleet resume --format json >resumed.json; echo "resumed with $?"
"$0" fleet verify; echo "verified with $?"
"#;

#[cfg(feature = "fleet")]
#[test]
fn fleet_whose_coordinator_has_a_full_disk_goes_on_when_there_is_room() {
    let host = Host::with_hostile();
    fs::create_dir(host.path("results")).unwrap();
    let line = "fleet run hostile/good --modules . --arm wasm --quick --processes 60 --time 1200ms --on ssh:a";
    let mut unshare = command("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", FLEET_SCRIPT, PROGRAM]).args(line.split(' '));
    crate::fleets::add_ssh(&host, &mut unshare);
    let Ok(output) = unshare.current_dir(host.path("")).output() else { return skip("there is no `unshare`") };
    let ran = Ran::from(output);
    if ran.status != Some(0) {
        return skip(&format!("a small disk cannot be mounted: {}", ran.stderr.trim()));
    }
    let printed =
        ["the run ended with 2", "resumed with 0", "all unchanged, and each repetition once", "verified with 0"];
    for part in printed {
        assert!(ran.stdout.contains(part), "{part:?} is not in: {}\n{}", ran.stdout, ran.stderr);
    }
    let told = ran.stderr.lines().find(|line| line.contains("they have kept it")).unwrap_or_default();
    for part in ["No space left on device", "make room in results", "`bench-host fleet resume "] {
        assert!(told.contains(part), "{part:?} is not in: {}", ran.stderr);
    }
    let resumed = fs::read_to_string(host.path("resumed.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&resumed).unwrap();
    let measured = crate::fleets::ok_cells(&document).into_iter().collect::<Vec<_>>();
    assert_eq!(measured, ["hostile/good wasm"]);
    let own = fs::read_dir(host.path("state/bench-host/agent")).unwrap().map(|entry| entry.unwrap().path());
    let own = own.filter(|path| path.to_string_lossy().ends_with("@a")).map(|run| run.join("run.jsonl"));
    let text: String = own.map(|file| fs::read_to_string(file).unwrap()).collect();
    let outcomes = text.lines().filter(|line| line.contains("\"record\":\"outcome\"")).count();
    assert_eq!(outcomes, 60, "no repetition was measured twice");
}
