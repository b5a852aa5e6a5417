//! Parts of the page that only some runs have: several runs, rooflines, where time goes, what operations use, targets, a long series.

use crate::compared::{BATCH, OPTIONS, of_pairs, three_arms, wobbling};
use crate::fixture::{Block, Run, calibration, eventful, fingerprint};
use bench_model::{Direction, Unit};
use bench_report::{
    ComparisonReport, Courses, MeasuredValue, Page, PageFile, PageRun, Quantity, RunView, TargetResult,
};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{Record, RunFile, When};

/// The page of `run`, which was held against `targets`, and the files next to it. Cells that were interleaved are compared.
fn page(run: &Run, targets: Vec<TargetResult>) -> (String, Vec<PageFile>) {
    let file = run.file();
    let (view, courses) = (run.view(), Courses::of(&file).unwrap());
    let is_paired = file.records.iter().any(|record| matches!(record, Record::Pairing(_)));
    let comparisons = is_paired.then(|| ("Comparisons".to_owned(), of_pairs(run)));
    let mut of_run = PageRun::new(&view, &file, &courses, &[]);
    of_run.targets = targets;
    let page = Page { runs: vec![of_run], comparisons: comparisons.into_iter().collect(), ..Page::default() };
    (page.html(), page.files(false).files)
}

/// The page of the runs in `files`, each compared with the first whatever their machines, and the names of the files next to it.
fn page_of_several(files: &[RunFile]) -> (String, Vec<String>) {
    let read: Vec<(RunView, Courses)> =
        files.iter().map(|file| (RunView::of(file.clone()).unwrap(), Courses::of(file).unwrap())).collect();
    let runs = read.iter().zip(files).map(|((view, courses), file)| PageRun::new(view, file, courses, &[]));
    let mut page = Page { runs: runs.collect(), ..Page::default() };
    for other in &files[1..] {
        let (first, other) = (vec![files[0].clone()], vec![other.clone()]);
        let compared = ComparisonReport::of_runs(first, other, &OPTIONS, true).unwrap();
        page.comparisons.push(("B compared with A".to_owned(), compared));
    }
    (page.html(), page.files(false).files.into_iter().map(|file| file.name).collect())
}

/// A run of one cell in three processes, under a name of its own, on a machine with so many processors.
fn run_on(id: &str, cpus: u32, level: f64) -> RunFile {
    let mut run = Run::begin_on(id, Fingerprint { cpus, ..fingerprint() }, 1, 3);
    run.append(&[calibration(When::Before, &[("clock", Some(20.0))])]);
    for process in 0..3 {
        let block = Block::new(0, process, "ring/stream", "wasm").argument("payload_bytes", 64);
        run.append(&block.timed(BATCH, wobbling(level, process, 0)).records());
    }
    run.append(&[calibration(When::After, &[("clock", Some(20.0))])]);
    run.end(None);
    run.file()
}

/// The text of the file whose name ends so, of which there is one.
fn text_of(files: &[PageFile], end: &str) -> String {
    let found: Vec<&PageFile> = files.iter().filter(|file| file.name.ends_with(end)).collect();
    let [file] = found[..] else {
        panic!("{end}: {:?}", files.iter().map(|file| &file.name).collect::<Vec<_>>());
    };
    String::from_utf8(file.content.clone()).unwrap()
}

/// The left end and the width of each bar in this colour, from top to bottom.
fn bars(svg: &str, colour: &str) -> Vec<(f64, f64)> {
    let number = |line: &str, name: &str| -> Option<f64> {
        let (_, rest) = line.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()?.parse().ok()
    };
    let bars = svg.lines().filter(|line| line.starts_with("<rect x") && line.contains(colour));
    bars.filter_map(|line| Some((number(line, "x")?, number(line, "width")?))).collect()
}

/// To a pixel.
#[track_caller]
fn near(found: f64, expect: f64) {
    assert!((found - expect).abs() < 1.0, "{found} is not {expect}");
}

#[test]
fn several_runs_have_numbered_files_and_links_that_lead_somewhere() {
    let (html, names) = page_of_several(&[run_on("first", 2, 100.0), run_on("second", 2, 150.0)]);
    let expect = [
        "comparisons.csv",
        "ratios.svg",
        "ratios.png",
        "cells-1.csv",
        "rooflines-1.csv",
        "cells-2.csv",
        "rooflines-2.csv",
    ];
    assert_eq!(names[..expect.len()], expect);
    for expect in ["<h2>B compared with A</h2>", "<h2>Run first: cells</h2>", "<h2>Run second: cells</h2>"] {
        assert!(html.contains(expect), "{expect}");
    }
    let links: Vec<&str> = html.split(" href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.contains(&"compared-0") && links.contains(&"run-0") && links.contains(&"machine-0"), "{links:?}");
    for link in links {
        assert_eq!(html.matches(&format!(" id=\"{link}\"")).count(), 1, "{link}");
    }
    assert!(html.contains("n: samples and processes of the side that has fewer"));
}

#[test]
fn runs_of_other_machines_are_told_apart_with_a_warning() {
    let warning = "A and B were measured on different machines (processors 2 and 64)";
    let (same, _) = page_of_several(&[run_on("first", 2, 100.0), run_on("second", 2, 150.0)]);
    assert!(!same.contains("different machines"));
    let (other, _) = page_of_several(&[run_on("first", 2, 100.0), run_on("second", 64, 150.0)]);
    assert!(other.contains(warning) && other.contains("<p>several machines or moments</p>"));
    // In the notes of the ratios, and before the cells of each.
    for source in ["Run first: A Processor × 2, ", "Run second: A Processor × 64, "] {
        assert!(other.contains(&format!("<p class=\"note\">{source}")), "{source}");
        assert!(other.contains(&format!("<p class=\"note\">Figures: {source}")), "{source}");
    }
}

#[test]
fn rooflines_are_a_table_for_spreadsheets() {
    let (_, files) = page(&eventful(), Vec::new());
    insta::assert_snapshot!(text_of(&files, "rooflines.csv"), @r"
    roofline,unit,before,before_low,before_high,before_count,after,after_low,after_high,after_count,drift,detail
    clock,ns,20.1,,,200,20.4,,,200,0.0149254,by hand
    cache-line,ns,50,,,200,,,,200,,by hand
    memory-read,ns/By,0.05,,,200,0.06,,,200,0.2,by hand
    ");
}

#[test]
fn row_says_where_the_time_goes_and_what_an_operation_uses() {
    let (html, files) = page(&three_arms(3), Vec::new());
    let row = |arm: &str| {
        let mut rows = html.split("<tbody id=\"cell-").skip(1).filter_map(|rest| rest.split("</tbody>").next());
        rows.find(|row| row.contains(&format!("data-arm=\"{arm}\""))).unwrap()
    };
    for expect in [
        "aria-label=\"Where the time of an operation goes\"",
        ">lower arguments</text>",
        ">in the module</text>",
        ">residual</text>",
        ">an operation</text>",
        "Means over n = 3 processes. 15.0k operations were observed.",
        "<h3>Resource usage</h3>",
        "1204 instructions, 2.5 host calls",
    ] {
        assert!(row("wasm").contains(expect), "{expect}");
    }
    assert!(!row("native").contains("Where the time of an operation goes"));

    let svg = text_of(&files, "-breakdown.svg");
    let [lower, module, residual] = bars(&svg, "#0072b2")[..] else { panic!("{svg}") };
    let [whole] = bars(&svg, "#8c8c8c")[..] else { panic!("{svg}") };
    near(lower.0, whole.0);
    near(module.0, lower.0 + lower.1);
    near(residual.0, module.0 + module.1);
    near(residual.0 + residual.1, whole.0 + whole.1);
    near(module.1, 2.0 * lower.1);

    let csv = text_of(&files, "breakdowns.csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "section,title,remark,depth,part,mean [ns],half_width [ns],share");
    assert!(lines[1].starts_with("breakdowns,ring/stream payload_bytes=64 wasm,,0,an operation,151,"), "{csv}");
    assert!(lines[2].starts_with("breakdowns,ring/stream payload_bytes=64 wasm,,1,lower arguments,20,"), "{csv}");
}

/// Held to 100 ns.
fn target(name: &str, value: f64) -> TargetResult {
    let held = MeasuredValue {
        value,
        samples: 12_000,
        operations: 12_000,
        batch: Some(1),
        arguments: [("payload_bytes", 64i64)].into_iter().collect(),
        at: None,
    };
    TargetResult {
        set: "mine".to_owned(),
        name: name.to_owned(),
        summary: format!("{name} held to its bound"),
        scenario: "ring/stream".to_owned(),
        arm: "native".to_owned(),
        quantity: Quantity::Plain(Unit::Nanoseconds),
        direction: Direction::LowerIsBetter,
        bound: 100.0,
        held: Ok(held),
    }
}

#[test]
fn targets_are_bars_against_their_bounds_and_a_table() {
    let missing = TargetResult { held: Err("the run has no such cell".to_owned()), ..target("absent", 0.0) };
    let (html, files) = page(&eventful(), vec![target("quick", 50.0), target("slow", 150.0), missing]);
    for expect in [
        "<h2>Targets</h2>",
        "<b>1 of 2</b> <span>targets pass</span><small>1 missed, 1 not measured</small>",
        "aria-label=\"Values against their bounds\"",
        ">quick ≤</text>",
        ">50 ns of 100 ns  pass  n = 12.0k</text>",
        ">150 ns of 100 ns  miss  n = 12.0k</text>",
        "<th scope=\"col\" class=\"n\" aria-sort=\"none\"><button type=\"button\" data-sort>margin</button></th>",
        "<td><span class=\"bad\">MISS</span></td><td>slow</td>",
        "the run has no such cell",
    ] {
        assert!(html.contains(expect), "{expect}");
    }
    let svg = text_of(&files, "targets.svg");
    let [pass] = bars(&svg, "#009e73")[..] else { panic!("{svg}") };
    let [miss] = bars(&svg, "#d55e00")[..] else { panic!("{svg}") };
    near(pass.0, miss.0);
    near(miss.1, 3.0 * pass.1);
    assert_eq!(text_of(&files, "targets.csv").lines().count(), 1 + 3);
}

#[test]
fn page_of_a_long_series_is_small_and_its_curve_has_the_extremes() {
    const SAMPLES: u64 = 300_000;
    let value = |index: u64| match index {
        50_000 => 7,
        200_000 => 90_000,
        _ => 1000 + (index * 7919) % 97,
    };
    let mut run = Run::begin(1, 1);
    run.append(&Block::new(0, 0, "kernels/sum", "wasm").timed(16, (0..SAMPLES).map(|n| 16 * value(n))).records());
    run.end(None);
    let (html, files) = page(&run, Vec::new());
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert!(html.contains(">300k × 16</td>") && html.contains(">90.0 µs</td>"), "the row has the maximum");

    let svg = text_of(&files, "-order.svg");
    let curve = svg.lines().find(|line| line.starts_with("<polyline ") && line.contains("#0072b2")).unwrap();
    let points = curve.split('"').nth(1).unwrap().split(' ');
    let points: Vec<(f64, f64)> = points
        .map(|point| point.split_once(',').unwrap())
        .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
        .collect();
    assert!(points.len() <= 200, "{} points", points.len());
    let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
    let (most, least) = (points.iter().min_by(by_height).unwrap(), points.iter().max_by(by_height).unwrap());
    let (begin, end) = (points[0].0, points[points.len() - 1].0);
    let share = |point: &(f64, f64)| (point.0 - begin) / (end - begin);
    assert!((share(most) - 2.0 / 3.0).abs() < 0.02 && (share(least) - 1.0 / 6.0).abs() < 0.02, "{most:?} {least:?}");
    let usual = points[points.len() / 2].1;
    assert!(least.1 - usual > 50.0 && usual - most.1 > 50.0, "{usual} lies between {least:?} and {most:?}");
}
