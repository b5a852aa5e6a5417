//! A probe written in C that keeps a log of the host's. What it does is in `probes/logger.c`.
#![cfg(target_os = "linux")]

use crate::{check, compile};
use bench_model::Value;
use bench_native::Probe;

#[test]
fn a_log_keeps_what_it_is_given_refuses_the_rest_and_is_gone_with_its_session() {
    let Some(library) = compile::library("logger.c", &[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let directory = Value::from(folder.path().to_str().unwrap());
    check(
        Probe::load(&library.path),
        &[("directory", directory)],
        r#"
        iterate 3: Outcome { operations: 3, bytes: 18, checksum: 3 }
        verify: Check { name: "kept", passed: true, detail: "" }
        iterate 1: Outcome { operations: 1, bytes: 6, checksum: 3 }
        "#,
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_log_is_kept_in_no_folder_that_is_not_there() {
    let Some(library) = compile::library("logger.c", &[]) else { return };
    let expect = r#"open: CapabilityDenied("`/nowhere/at/all` is not a folder; pass what a parameter required as `scratch:NAME` has")"#;
    check(Probe::load(&library.path), &[("directory", "/nowhere/at/all".into())], expect);
}
