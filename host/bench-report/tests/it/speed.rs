//! Reports of many cells: how large they are, and, on request, how long they take:
//! `cargo test --release -p bench-report --test it reports_of_many_cells -- --ignored --nocapture`.

use crate::compared::{BATCH, account, ledger, turns, wobbling};
use crate::fixture::{Block, Run};
use bench_report::{ComparisonReport, Courses, Options, Page, PageRun, RunView};
use bench_sink::runfile::Record;
use std::time::{Duration, Instant};

/// Scenarios of ten sizes in two arms, which three processes measured interleaved.
fn many(cells: u32) -> Run {
    let mut records = Vec::new();
    for process in 0..3 {
        for pair in 0..cells / 2 {
            let scenario = format!("kernels/scenario-{}", pair / 10);
            let block = |cell: u32, arm: &str, ns: f64| {
                let samples = wobbling(ns, process, u64::from(cell));
                let block = Block::new(cell, process, &scenario, arm).argument("payload_bytes", 64i64 << (pair % 10));
                block.timed(BATCH, samples)
            };
            let (native, wasm) = (2 * pair, 2 * pair + 1);
            records.extend(turns(vec![block(native, "native", 100.0), block(wasm, "wasm", 130.0)]));
            records.push(Record::Ledger(ledger(wasm, process, 130.0)));
            records.push(Record::Account(account(wasm, process, Some(12_040))));
        }
    }
    let mut run = Run::begin(cells, 3);
    run.append(&records);
    run.end(None);
    run
}

/// The page of `run`, how many files go with it, and when each step was done.
fn report(run: &Run) -> (String, usize, [(&'static str, Duration); 4]) {
    let begun = Instant::now();
    let file = run.file();
    let (view, courses) = (RunView::of(file.clone()).unwrap(), Courses::of(&file).unwrap());
    let read = begun.elapsed();
    let comparison = ComparisonReport::of_pairs(file.clone(), &Options::default()).unwrap();
    let compared = begun.elapsed();
    let page = Page {
        runs: vec![PageRun::new(&view, &file, &courses, &[])],
        comparisons: vec![("Comparisons".to_owned(), comparison)],
        ..Page::default()
    };
    let html = page.html();
    let written = begun.elapsed();
    let files = page.files(false).len();
    (html, files, [("read", read), ("compared", compared), ("page", written), ("files", begun.elapsed())])
}

#[test]
fn two_hundred_interleaved_cells_have_a_page_below_three_megabytes() {
    let (html, files, _) = report(&many(200));
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert_eq!(html.matches("<tbody id=\"cell-").count(), 200);
    // Tables of cells and comparisons; the ratios, and a figure for each scenario, twice.
    assert_eq!(files, 2 + 2 * (1 + 10));
}

#[test]
#[ignore = "figures"]
fn reports_of_many_cells() {
    for cells in [200, 2_000] {
        let (html, files, steps) = report(&many(cells));
        let steps: Vec<String> =
            steps.iter().map(|(step, until)| format!("{step} {:.2} s", until.as_secs_f64())).collect();
        eprintln!("{cells} cells: {}; {:.2} MB, {files} files", steps.join(", "), html.len() as f64 / 1e6);
        assert_eq!(html.matches("<tbody id=\"cell-").count(), cells as usize);
    }
}
