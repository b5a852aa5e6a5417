//! The client of the ring with a second process at the other end: both arms have equal results.

use crate::host::{Host, Ran, cells};
use crate::modules::plugins;

/// Runs `scenario` in both arms with these words; every cell is well, or all were skipped for one reason.
#[track_caller]
fn check(scenario: &str, words: &str, count: usize) {
    let Some(files) = plugins(&["ring-client"]) else { return };
    let line = format!(
        "load --quick --iterations 100 --format json --filter ring-client/{scenario} -p payload_bytes=64,65536 \
         {words}"
    );
    let ran = Ran::of(Host::new().command(&line).args(files));
    let document = ran.json();
    let found = cells(&document, &format!("ring-client/{scenario}"));
    assert_eq!(found.len(), 2 * count, "{}", ran.stdout);
    for cell in &found {
        if cell["status"] == "skipped" {
            // As on a machine with one processor.
            assert!(cell["reason"].as_str().is_some_and(|reason| reason.contains("needs two")), "{cell:#}");
            continue;
        }
        assert_eq!(cell["status"], "ok", "{cell:#}");
        let twins: Vec<_> = found.iter().filter(|other| other["arguments"] == cell["arguments"]).collect();
        assert!(twins.len() == 2 && twins[0]["checksum"] == twins[1]["checksum"], "{cell:#}");
    }
}

#[test]
fn second_process_answers_both_arms() {
    check("ping-pong", "-p transport=shm-ring-futex -p placement=same", 2);
    check("ping-pong", "-p placement=cross", 4);
}

#[test]
fn second_process_counts_for_both_arms() {
    check("two-process-stream", "-p transport=shm-ring-futex -p placement=same", 2);
    check("two-process-stream", "-p placement=cross", 6);
}

#[test]
fn spinning_on_one_processor_is_skipped_with_the_next_step() {
    let Some(files) = plugins(&["ring-client"]) else { return };
    let line =
        "load --quick --filter ring-client/ping-pong -p payload_bytes=64 -p transport=shm-ring-spin -p placement=same";
    let ran = Ran::of(Host::new().command(line).args(files));
    let next_step = "spinning needs two cores; use placement=cross or transport=shm-ring-futex";
    for arm in ["wasm", "native"] {
        let is_skipped = |line: &str| line.contains(arm) && line.contains("skipped: ") && line.contains(next_step);
        assert!(ran.stdout.lines().any(is_skipped), "{arm}: {}", ran.stdout);
    }
}
