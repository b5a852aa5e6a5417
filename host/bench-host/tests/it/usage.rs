//! The resource usage of cells: what was counted, and why something was not.

use crate::host::{Host, cells};
use crate::modules::{builds, library, source};
use serde_json::{Value, json};

/// A folder with the probe `usage`; `None`, with a message, if there is no C compiler.
fn usage() -> Option<Host> {
    let host = Host::new();
    let marker = format!("MARKER=\"{}\"", host.path("opened").display());
    builds(&host, &source("usage.c"), &[&marker]).then_some(host)
}

#[test]
fn what_is_not_counted_has_a_reason_in_the_file_and_in_reports() {
    let Some(host) = usage() else { return };
    let document =
        host.check(&format!("load {} --quick --processes 1 --time 20ms --format json", library("usage")), 0).json();
    let account = |scenario: &str| -> &Value {
        let found = cells(&document, scenario);
        assert_eq!(found.len(), 1, "{document:#}");
        let cell: &Value = found[0];
        assert_eq!(cell["status"], "ok", "{cell:#}");
        &cell["account"]
    };
    let short = account("usage/short");
    let outliers = &short["outliers"];
    let is_looked_at = outliers["samples"].as_u64().is_some_and(|samples| samples >= 1_000);
    assert!(is_looked_at != outliers["absent"].is_string(), "{short:#}");
    let counters = &short["hardware"]["counted"];
    let is_counted = counters["cycles"].is_u64() && counters["reading_ns"].as_f64().is_some_and(|ns| ns > 0.0);
    assert!(is_counted != short["hardware"]["absent"].is_string(), "{short:#}");
    let long = account("usage/long");
    let too_long = "an operation takes longer than 150 µs";
    if cfg!(target_os = "linux") {
        assert_eq!(long["outliers"], json!({ "absent": too_long }));
    }
    let first = account("usage/first");
    let why = "another process has opened it";
    assert_eq!((&first["absent"], &first["counted"], &first["watched"]), (&json!(why), &json!(0), &json!(0)));

    let text = host.check(&format!("list --run {} -v", host.run().display()), 0).stdout;
    assert!(text.contains(&format!("usage/first native: resource usage: not counted: {why}\n")), "{text}");
    if cfg!(target_os = "linux") {
        assert_eq!(text.matches(&format!("outliers: not looked at: {too_long}\n")).count(), 1, "{text}");
    }
}
