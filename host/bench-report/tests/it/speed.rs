//! Reports of many cells: how large they are, and, on request and on an idle machine, how long they take:
//! `cargo test --release -p bench-report --test it speed -- --ignored --nocapture --test-threads 1`.

use crate::compared::{BATCH, account, ledger, turns, wobbling};
use crate::fixture::{Block, Run};
use bench_report::{ComparisonReport, Courses, Options, Page, PageFiles, PageRun, RunView};
use bench_sink::runfile::Record;
use std::time::{Duration, Instant};

/// How long a report of so many cells takes at most.
const TARGETS: [(u32, Duration); 2] = [(200, Duration::from_secs(2)), (2_000, Duration::from_secs(10))];

/// How large a page of two hundred cells is at most.
const BYTES_MAX: usize = 3_000_000;

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

/// The page of `run`, the files that go with it, and when each step was done.
fn report(run: &Run, every_figure: bool) -> (String, PageFiles, [(&'static str, Duration); 4]) {
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
    let files = page.files(every_figure);
    (html, files, [("read", read), ("compared", compared), ("page", written), ("files", begun.elapsed())])
}

#[test]
fn two_hundred_interleaved_cells_have_a_page_below_three_megabytes() {
    let (html, files, _) = report(&many(200), false);
    assert!(html.len() < BYTES_MAX, "{} bytes", html.len());
    assert_eq!(html.matches("<tbody id=\"cell-").count(), 200);
    assert_eq!(html.matches(" proc.</text>").count(), 100, "each ratio is in a chart");
    assert!(html.contains("<details class=\"more-parts\"><summary>Ratios, 2 of 2</summary>"), "the second is folded");
    // Tables of cells, comparisons and breakdowns; the ratios in two charts, and a figure for each scenario, twice; of each cell three
    // figures, and where the time goes of half of them.
    assert_eq!(files.files.len(), 3 + 2 * (2 + 10) + 700);
    let lacking = "700 figures of 712 are SVG alone: `bench-host report --all-figures` writes the PNG of each";
    assert_eq!(files.lacking.as_deref(), Some(lacking));
}

#[test]
#[ignore = "figures of a release build on an idle machine: the command is at the top of this file"]
fn reports_of_many_cells() {
    for (cells, target) in TARGETS {
        let (html, files, steps) = report(&many(cells), false);
        let took = steps[steps.len() - 1].1;
        let steps: Vec<String> =
            steps.iter().map(|(step, until)| format!("{step} {:.2} s", until.as_secs_f64())).collect();
        let (megabytes, files) = (html.len() as f64 / 1e6, files.files.len());
        eprintln!(
            "{cells} cells: {}; {megabytes:.2} MB, {files} files; target {} s",
            steps.join(", "),
            target.as_secs()
        );
        assert_eq!(html.matches("<tbody id=\"cell-").count(), cells as usize);
        assert!(cells > 200 || html.len() <= BYTES_MAX, "{} bytes", html.len());
        assert!(took <= target, "a report of {cells} cells took {:.2} s", took.as_secs_f64());
    }
}

/// What it costs to write a PNG of each figure, so that it is done on request alone.
#[test]
#[ignore = "figures of a release build on an idle machine: the command is at the top of this file"]
fn every_figure_of_many_cells() {
    let (_, files, steps) = report(&many(200), true);
    let spent = (steps[3].1 - steps[2].1).as_secs_f64();
    let drawn = files.files.iter().filter(|file| file.name.ends_with(".png")).count();
    eprintln!("200 cells: every figure as SVG and PNG in {spent:.2} s, {:.1} ms each", 1e3 * spent / drawn as f64);
    // The ratios in two charts, ten scenarios, and the figures of single cells.
    assert_eq!((drawn, files.lacking), (2 + 10 + 700, None));
}
