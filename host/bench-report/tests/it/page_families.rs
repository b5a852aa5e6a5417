//! The part of the page about each family: its own charts, and small multiples of every other cell.

use crate::fixture::{Block, Run};
use bench_report::{
    CellView, Courses, Dimension, FamilyChart, FamilyReport, Page, PageRun, RunView, Section, Stack, StackPart, Stacks,
};
use bench_sink::runfile::{Record, RunFile};

/// A family that draws how many series its run file has.
struct Counted;

impl FamilyReport for Counted {
    fn family(&self) -> &'static str {
        "counted"
    }

    fn sections(&self, _view: &RunView) -> Vec<Section> {
        Vec::new()
    }

    fn charts(&self, _view: &RunView, file: &RunFile) -> Vec<FamilyChart> {
        let series = file.records.iter().filter(|record| matches!(record, Record::Series(_))).count();
        let parts = vec![StackPart { name: "series".to_owned(), amount: series as f64 }];
        let stack = Stack { name: "run".to_owned(), value: format!("{series} series"), parts };
        let across = Dimension { title: "series".to_owned(), unit: bench_model::Unit::Count };
        let notes = vec!["n = 1 run file".to_owned()];
        vec![FamilyChart::stacks("series", Stacks { title: "Series".to_owned(), across, stacks: vec![stack], notes })]
    }

    fn draws_axes(&self, cell: &CellView) -> bool {
        cell.family == self.family()
    }
}

/// The page of `run`, and the names and contents of the files next to it.
fn page(run: &Run, families: &[&dyn FamilyReport]) -> (String, Vec<(String, String)>) {
    let file = run.file();
    let (view, courses) = (run.view(), Courses::of(&file).unwrap());
    let page = Page { runs: vec![PageRun::new(&view, &file, &courses, families)], ..Page::default() };
    let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
    let files = page.files(false).files.into_iter().map(|file| (file.name, text(&file.content))).collect();
    (page.html(), files)
}

/// Three processes of every size in both arms; native code takes half the time.
fn sizes(family: &str, sizes: &[i64]) -> Run {
    let mut run = Run::begin(2 * sizes.len() as u32, 3);
    let cells = sizes.iter().flat_map(|size| [("wasm", 2), ("native", 1)].map(|(arm, each)| (*size, arm, each)));
    for (cell, (size, arm, each)) in (0u32..).zip(cells) {
        for process in 0..3 {
            let ns = each * size as u64 + u64::from(process);
            let block = Block::new(cell, process, "kernels/sum", arm).family(family).argument("payload_bytes", size);
            run.append(&block.timed(1, [ns; 30]).records());
        }
    }
    run.end(None);
    run
}

#[test]
fn numeric_arguments_are_small_multiples_with_bands() {
    let (html, files) = page(&sizes("kernels", &[64, 1024, 65_536]), &[]);
    for expect in [
        "<h2>Family kernels</h2>",
        "aria-label=\"kernels/sum\"",
        ">payload_bytes (KiB, logarithmic)</text>",
        ">time of an operation (µs, logarithmic)</text>",
        "band and whiskers: its 95 % interval over processes; n = 3 processes a point, of 90 samples together.",
    ] {
        assert!(html.contains(expect), "{expect}");
    }
    assert_eq!(html.matches("class=\"b k").count(), 2, "a band for each arm");
    let (_, svg) = files.iter().find(|(name, _)| name == "axes-kernels-sum.svg").expect("the chart has a file");
    assert!(svg.contains("Run 2026-01-02T03-04-05Z-abc: A Processor × 2") && svg.contains("seed 7."), "{svg}");
}

#[test]
fn lines_that_are_too_many_for_a_panel_are_divided_by_an_argument() {
    let mut run = Run::begin(32, 1);
    let transports = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let cells = transports.iter().flat_map(|transport| ["same", "cross"].map(|placement| (*transport, placement)));
    let cells = cells.flat_map(|(transport, placement)| [64i64, 1024].map(|size| (transport, placement, size)));
    for (cell, (transport, placement, size)) in (0u32..).zip(cells) {
        let block = Block::new(cell, 0, "ipc/ping-pong", "native").argument("placement", placement);
        let block = block.argument("payload_bytes", size).argument("transport", transport);
        run.append(&block.timed(1, [size as u64; 30]).records());
    }
    run.end(None);
    let (html, _) = page(&run, &[]);
    for expect in [">placement=same</text>", ">placement=cross</text>", ">native transport=h</text>"] {
        assert_eq!(html.matches(expect).count(), 1, "{expect}");
    }
    assert!(html.contains("no interval, because that takes three processes or more (--processes 3)"));
}

#[test]
fn family_shows_its_own_charts_instead() {
    let run = sizes("counted", &[64, 1024]);
    let (html, files) = page(&run, &[&Counted]);
    assert!(html.contains("<h2>Family counted</h2>") && html.contains(">12 series</text>"), "{html}");
    assert!(!html.contains("aria-label=\"kernels/sum\""), "the family draws how its cells scale");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..3], ["cells.csv", "series.svg", "series.png"]);
    assert!(names[3..].iter().all(|name| name.starts_with("cell-")), "the others are of single cells: {names:?}");
}

#[test]
fn cells_that_differ_in_no_number_have_no_chart() {
    let (html, files) = page(&sizes("kernels", &[64]), &[]);
    assert!(!html.contains("<h2>Family"), "there is nothing to show");
    let of_run: Vec<&str> =
        files.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with("cell-")).collect();
    assert_eq!(of_run, ["cells.csv"]);
}
