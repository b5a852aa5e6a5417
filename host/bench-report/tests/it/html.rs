//! The page: what it says, that it takes nothing for markup, and that it permits only its own style and script.

use crate::fixture::{Block, Run, eventful, module};
use bench_report::{ComparisonReport, Courses, Options, Page, PageRun, RunView};
use bench_sink::environment::Witness;
use bench_sink::runfile::{PairingRecord, Record, RunFile};
use std::path::Path;

/// The page of the run in `file`, compared with itself where cells were measured interleaved.
fn page(file: &RunFile) -> String {
    let (view, courses) = (RunView::of(file.clone()).unwrap(), Courses::of(file).unwrap());
    let mut page = Page { runs: vec![PageRun::new(&view, file, &courses, &[])], ..Page::default() };
    if file.records.iter().any(|record| matches!(record, Record::Pairing(_))) {
        let comparison = ComparisonReport::of_pairs(file.clone(), &Options::default()).unwrap();
        page.comparisons.push(("Comparisons".to_owned(), comparison));
    }
    page.html()
}

/// What a reader reads: the text of the body, a line for each element that has some. Text in pictures is left out.
fn text(html: &str) -> String {
    let body = &html[html.find("<body>").unwrap()..html.find("<script>").unwrap()];
    let mut out = String::new();
    let mut is_in_picture = false;
    for part in body.split('<') {
        let (tag, text) = part.split_once('>').unwrap_or(("", part));
        is_in_picture = (is_in_picture || tag.starts_with("svg")) && !tag.starts_with("/svg");
        let text = text.trim();
        if !text.is_empty() && !is_in_picture {
            out.push_str(text);
            out.push('\n');
        }
    }
    out
}

/// Four processes of a cell in two arms, measured interleaved, in the first of them beside processes that used so much of the machine.
fn paired_beside(percent: u64) -> Run {
    let mut run = Run::begin(2, 4);
    for process in 0..4u32 {
        let samples = |base: u64| (0..200u64).map(move |n| 16 * (base + (n * 7 + u64::from(process)) % 13));
        for (cell, arm, base) in [(0, "native", 1000), (1, "wasm", 1340)] {
            let block = Block::new(cell, process, "kernels/sum", arm).argument("bytes", 64i64);
            let mut block = block.timed(16, samples(base));
            if process == 0 && percent > 0 {
                block.outcome.witness =
                    Some(Witness { wall_ns: 100, others_busy_ns: Some(percent), ..Witness::default() });
            }
            run.append(&block.records());
        }
        run.append(&[Record::Pairing(PairingRecord { process, cells: vec![0, 1], sessions: 2 })]);
    }
    run.end(None);
    run
}

#[test]
fn eventful_run_is_shown_from_the_summary_to_the_machine() {
    insta::assert_snapshot!(text(&page(&eventful().file())));
}

#[test]
fn interleaved_arms_have_a_forest_plot_with_their_verdict() {
    let html = page(&paired_beside(0).file());
    assert!(html.contains("aria-label=\"Ratios\""), "there is no forest plot");
    insta::assert_snapshot!(text(&html));
}

#[test]
fn ratio_of_disturbed_cells_is_marked_in_the_forest_plot() {
    let marks = |percent| {
        let html = page(&paired_beside(percent).file());
        let plot = html.split_once("aria-label=\"Ratios\"").expect("there is a forest plot").1;
        plot.split_once("</svg>").expect("the plot ends").0.matches(", disturbed").count()
    };
    assert_eq!([0, 40].map(marks), [0, 1]);
}

/// The class of each tile of the summary, and what it says below its number.
fn tiles(html: &str) -> Vec<(String, String)> {
    let tiles = html.split("<div class=\"tile ").skip(1);
    let tile = |tile: &str| {
        let (class, rest) = tile.split_once('"')?;
        Some((class.to_owned(), rest.split_once("<small>")?.1.split_once("</small>")?.0.to_owned()))
    };
    tiles.filter_map(tile).collect()
}

#[test]
fn summary_counts_what_makes_figures_doubtful() {
    let check = |run: &Run, expect: &[(&str, &str)]| {
        let found = tiles(&page(&run.file()));
        let found: Vec<_> = found.iter().map(|(class, more)| (class.as_str(), more.as_str())).collect();
        assert_eq!(found[..expect.len()], *expect);
    };
    check(&paired_beside(0), &[("good", "every check passed"), ("", "")]);
    check(&paired_beside(40), &[("doubt", "2 disturbed"), ("doubt", "1 disturbed")]);
    let cut = Run::begin(0, 1);
    check(&cut, &[("doubt", "ended early")]);
    let mut refused = Run::begin(0, 1);
    refused.append(&[module("broken.wasm", Some("bad magic"))]);
    refused.end(None);
    check(&refused, &[("bad", "1 module refused")]);
}

#[test]
fn row_of_a_disturbed_cell_is_marked_before_it_is_opened() {
    let mut run = Run::begin(2, 1);
    let mut disturbed = Block::new(0, 0, "m/disturbed", "wasm").timed(1, 1..=40);
    disturbed.outcome.witness = Some(Witness { wall_ns: 100, others_busy_ns: Some(40), ..Witness::default() });
    run.append(&disturbed.records());
    run.append(&Block::new(1, 0, "m/quiet", "wasm").timed(1, 1..=40).records());
    run.end(None);
    let html = page(&run.file());
    let what = "other processes used the processors in 1 of 1 repetitions, for up to 40 % of all processors&#39; time";
    let marked = format!("<span class=\"good\">ok</span> <span class=\"doubt\" title=\"{what}\">disturbed</span></td>");
    assert!(html.contains(&marked), "{marked}");
    assert_eq!(html.matches("<td><span class=\"good\">ok</span></td>").count(), 1, "the other has no mark");
}

#[test]
fn text_of_a_module_is_not_markup() {
    let mut run = Run::begin(1, 1);
    let hostile = "x/</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onclick=\"alert(3)";
    let block = Block::new(0, 0, hostile, "wasm").argument("a", "<u>'\u{202e}").timed(1, 1..=40);
    run.append(&block.records());
    run.end(None);
    let html = page(&run.file());
    assert_eq!((html.matches("<script").count(), html.matches("<img").count()), (1, 0));
    assert!(!html.contains("onclick=\"alert") && !html.contains("<u>") && !html.contains('\u{202e}'));
    assert!(html.contains("x/&lt;/script&gt;&lt;script&gt;alert(1)"));
}

#[test]
fn page_permits_no_network_and_no_other_script() {
    let html = page(&eventful().file());
    let policy = html.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    for outside in ["http://", "https://", " src=", "url(", "@import", "style=\""] {
        let found = html
            .replace("http://www.w3.org/2000/svg", "")
            .find(outside)
            .map(|at| html[at..].chars().take(60).collect::<String>());
        assert_eq!(found, None, "{outside}");
    }
}

#[test]
fn two_hundred_cells_have_a_page_below_three_megabytes() {
    let mut run = Run::begin(200, 3);
    for process in 0..3 {
        for cell in 0..200u32 {
            let samples = (0..400u64).map(|n| 1000 + (n * 7919 + u64::from(cell * 31 + process)) % 997);
            let block =
                Block::new(cell, process, "kernels/sum", "wasm").argument("bytes", i64::from(cell)).timed(1, samples);
            run.append(&block.records());
        }
    }
    run.end(None);
    let html = page(&run.file());
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert_eq!(html.matches("<tbody id=\"cell-").count(), 200);
}

#[test]
fn run_without_a_finished_cell_has_a_page_that_says_so() {
    let run = Run::begin(3, 1);
    run.tear();
    let text = text(&page(&run.file()));
    for expect in ["0 of 3", "3 not run", "3 of 3 cells were not run", "was never finished"] {
        assert!(text.contains(expect), "{expect}: {text}");
    }
}

#[test]
fn links_to_a_cell_are_the_same_whenever_a_page_is_made() {
    let file = eventful().file();
    let anchors = |html: &str| {
        let found = html.split("<tbody id=\"").skip(1).filter_map(|part| part.split('"').next());
        found.filter(|id| id.starts_with("cell-")).map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second) = (anchors(&page(&file)), anchors(&page(&file)));
    assert_eq!(first, second);
    let mut distinct = first.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!((first.len(), distinct.len()), (5, 5));
}

#[test]
fn files_next_to_a_page_hold_its_tables_and_figures() {
    let file = paired_beside(0).file();
    let (view, courses) = (RunView::of(file.clone()).unwrap(), Courses::of(&file).unwrap());
    let mut page = Page { runs: vec![PageRun::new(&view, &file, &courses, &[])], ..Page::default() };
    page.comparisons.push(("Comparisons".to_owned(), ComparisonReport::of_pairs(file, &Options::default()).unwrap()));
    let files = page.files(false);
    assert_eq!(files.lacking, None, "there are few figures");
    let all: Vec<String> = files.files.iter().map(|file| file.name.clone()).collect();
    assert_eq!(all[..4], ["comparisons.csv", "ratios.svg", "ratios.png", "cells.csv"]);
    for what in ["distribution.svg", "distribution.png", "order.svg", "quantiles.png"] {
        assert_eq!(all.iter().filter(|name| name.ends_with(what)).count(), 2, "{what}: {all:?}");
    }
    for file in files.files {
        let is_whole = match file.name.rsplit_once('.').unwrap().1 {
            "png" => file.content.starts_with(b"\x89PNG"),
            "svg" => file.content.starts_with(b"<svg ") && file.content.ends_with(b"</svg>\n"),
            _ => file.content.contains(&b','),
        };
        assert!(is_whole, "{}", file.name);
    }
}

#[test]
fn run_file_with_records_of_a_later_version_has_a_page() {
    let file = RunFile::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").as_path()).unwrap();
    let text = text(&page(&file));
    for expect in ["numa-hop", "ring/stream", "wasm+fuel", "native-cpu", "FAILED"] {
        assert!(text.contains(expect), "{expect}: {text}");
    }
}
