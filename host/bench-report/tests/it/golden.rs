//! A run file as version 0.1.0 wrote it, with names that only a later version knows, and all that is made of it.
//! The file is never written anew: what reads it today must read it tomorrow, to the same tables.

use crate::fixture::{csv, json, markdown, text};
use bench_report::RunView;
use bench_sink::runfile::RunFile;
use insta::assert_snapshot;
use std::path::Path;

fn golden() -> RunView {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut file = RunFile::read(&folder).unwrap();
    file.directory = Path::new("results").join("run");
    RunView::of(file).unwrap()
}

#[test]
fn a_run_file_of_the_version_before_reads_to_the_same_tables() {
    let view = golden();
    assert_snapshot!("golden_text", text(&view));
    assert_snapshot!("golden_markdown", markdown(&view));
    assert_snapshot!("golden_csv", csv(&view));
    assert_snapshot!("golden_json", json(&view));
}
