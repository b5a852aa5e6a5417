//! Where the curves of cold starts meet, in every format and as documents.

use bench_family::Family;
use bench_model::Unit;
use bench_report::RunView;
use family_serverless::Serverless;
use sample_run::{Block, Run};
use serde_json::Value;

/// The document that `report --format NAME` prints.
fn export(name: &str, view: &RunView) -> Result<String, String> {
    let exports = Serverless.report().unwrap().exports();
    let export = exports.iter().find(|export| export.name == name).expect("the family has it");
    (export.print)(view)
}

/// A start that works for 10 ms, and one that skips the work.
fn starts() -> Run {
    let mut run = Run::begin(4, 1);
    let cells = [("spawn", 0, 1_000_000), ("spawn", 10, 11_000_000), ("criu-restore", 0, 6_000_000)];
    for (cell, (start, init_ms, ns)) in (0..).zip(cells) {
        let block = Block::new(cell, 0, "criu/cold-start", "native")
            .argument("start", start)
            .argument("heap_bytes", 1 << 20)
            .argument("init_ms", init_ms);
        let samples = std::iter::repeat_n(ns, 100);
        run.append(&block.series("cold-start", Unit::Nanoseconds, &[], 1, samples).records());
    }
    run.end(None);
    run
}

#[test]
fn break_even_is_computed_and_drawn() {
    let run = starts();
    let document: Value = serde_json::from_str(&export("break-even-json", &run.view()).unwrap()).unwrap();
    let found = &document["break_even"][0];
    assert_eq!((found["afresh"].as_str(), found["init_ms"].as_f64()), (Some("spawn"), Some(5.0)));
    let svg = export("break-even-svg", &run.view()).unwrap();
    for expect in ["<svg", "1.00 MiB touched", "criu-restore", "n ≥ 100"] {
        assert!(svg.contains(expect), "{expect}: {svg}");
    }
    let none = export("break-even-svg", &Run::begin(1, 1).view()).unwrap_err();
    assert_eq!(none, "it has no figure of a cold start; `bench-host run serverless` makes some");
}

#[test]
fn page_has_the_curves_instead_of_small_multiples() {
    let page = sample_run::page(&starts(), Serverless.report());
    assert!(
        page.contains("<h2>Family serverless</h2>") && page.contains("aria-label=\"Start to first correct response\"")
    );
    assert!(!page.contains("<h2>Family family</h2>"), "the cells of the curves are drawn once");
}

#[test]
fn every_format_has_the_break_even() {
    let view = starts().view();
    let text = sample_run::text(&view, Serverless.report());
    let section = text.split("\n\n").find(|part| part.starts_with("fresh starts")).unwrap_or(&text);
    for expect in ["spawn", "criu-restore", "1.00 MiB", "5.00 ms"] {
        assert!(section.contains(expect), "{expect}: {section}");
    }
    let page = sample_run::markdown(&view, Serverless.report());
    assert!(page.contains("| spawn ") && page.contains("![Start to first correct response](break-even.png)"), "{page}");
    let document: Value = serde_json::from_str(&sample_run::json(&view, Serverless.report())).unwrap();
    let row = &document["sections"][0]["rows"][0];
    assert_eq!((&row["afresh"], &row["init"]["value"]), (&"spawn".into(), &5_000_000.into()), "{document:#}");
    let files = Serverless.report().unwrap().files(&view);
    assert_eq!(files.len(), 1);
    assert!(files[0].name == "break-even.png" && files[0].content.as_ref().unwrap().starts_with(b"\x89PNG"));
    let none = Run::begin(1, 1).view();
    assert!(Serverless.report().unwrap().files(&none).is_empty());
    assert!(Serverless.report().unwrap().sections(&none).is_empty());
}
