//! Bytes in place of a run file: it is refused, or shown in every format and on the page.

#![no_main]

use bench_report::{Courses, Detail, Layout, Page, PageRun, RENDERERS, RunView, run_document};
use bench_sink::runfile::RunFile;
use libfuzzer_sys::fuzz_target;
use std::fs;
use std::sync::LazyLock;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.path().join("run.jsonl");
    fs::write(&path, bytes).expect("the file is written");
    let Ok(file) = RunFile::read(&path) else { return };
    let Ok(view) = RunView::of(file.clone()) else { return };
    let document = run_document(&view, &[], Detail { all_series: true, all_cells: true });
    for renderer in RENDERERS {
        let text = renderer.render(&document, &Layout::default());
        assert!(!text.contains('\u{1b}'), "{renderer:?} shows an escape sequence");
    }
    if let Ok(courses) = Courses::of(&file) {
        let page = Page { runs: vec![PageRun::new(&view, &file, &courses, &[])], ..Page::default() };
        assert!(!page.html().is_empty());
    }
});
