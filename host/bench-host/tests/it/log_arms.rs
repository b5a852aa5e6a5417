//! The plug-ins with logs: with the host's log, and with files of their own. Both arms must have equal results, and leave no files.

use crate::host::{Host, Ran, cells};
use crate::modules::plugins;
use std::fs;

/// Has `module` run with these words in both arms, in a folder for scratch folders, which is empty afterwards.
#[track_caller]
fn check(module: &str, words: &str, expect: &[(&str, usize)]) {
    let Some(files) = plugins(&[module]) else { return };
    let host = Host::new();
    fs::create_dir(host.path("here")).unwrap();
    let line = format!("load --quick --iterations 100 --format json -p directory=here -p segment_bytes=1Mi {words}");
    let ran = Ran::of(host.command(&line).args(files)).check(&line, 0);
    let document = ran.json();
    for (scenario, count) in expect {
        let found = cells(&document, &format!("{module}/{scenario}"));
        assert_eq!(found.len(), 2 * count, "{scenario}");
        for cell in &found {
            assert_eq!(cell["status"], "ok", "{cell:#}");
            let twins = found.iter().filter(|other| other["arguments"] == cell["arguments"]);
            let checksums: Vec<_> = twins.map(|twin| &twin["checksum"]).collect();
            assert!(checksums.len() == 2 && checksums[0] == checksums[1] && checksums[0].is_string(), "{cell:#}");
        }
    }
    assert_eq!(fs::read_dir(host.path("here")).unwrap().count(), 0);
}

#[test]
fn log_of_the_host_has_equal_results_in_both_arms() {
    let all = [("append", 2), ("append-batch", 4), ("read", 2)];
    check("wal-client", "-p payload_bytes=64,65536 -p batch=1,100", &all);
    check(
        "wal-client",
        "-p payload_bytes=64 -p durability=none,group,each -p page_state=written -p batch=10",
        &[("append", 3)],
    );
}

#[test]
fn log_of_a_plugin_has_equal_results_in_both_arms() {
    let all = [("append", 4), ("append-batch", 8), ("read", 4)];
    check("wal-file", "-p payload_bytes=64,65536 -p batch=1,100 -p durability=none,each", &all);
}
