//! Where the curves of cold starts meet, in every format and as documents.

use bench_family::Family;
use bench_model::Unit;
use bench_report::RunView;
use family_serverless::Serverless;
use sample_run::{Block, Part, Run, merged};
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
    blocks().into_iter().for_each(|block| run.append(&block.records()));
    run.end(None);
    run
}

/// Their cells; the last is the one that skips the work.
fn blocks() -> [Block; 3] {
    let cells = [(0, "spawn", 0, 1_000_000), (1, "spawn", 10, 11_000_000), (2, "criu-restore", 0, 6_000_000)];
    cells.map(|(cell, start, init_ms, ns)| {
        let block = Block::new(cell, 0, "criu/cold-start", "native")
            .argument("start", start)
            .argument("heap_bytes", 1 << 20)
            .argument("init_ms", init_ms);
        block.series("cold-start", Unit::Nanoseconds, &[], 1, std::iter::repeat_n(ns, 100))
    })
}

#[test]
fn break_even_is_computed_and_drawn() {
    let run = starts();
    let document: Value = serde_json::from_str(&export("break-even-json", &run.view()).unwrap()).unwrap();
    let found = &document["break_even"][0];
    assert_eq!((found["afresh"].as_str(), found["init_ms"].as_f64()), (Some("spawn"), Some(5.0)));
    let svg = export("break-even-svg", &run.view()).unwrap();
    for expect in ["<svg", "1.00 MiB touched", "criu-restore", "n ≥ 100 samples in n = 1 processes"] {
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

/// Scenario, arm, kind of start, folder, and what it takes without work and with 10 ms of it.
type Start = (&'static str, &'static str, &'static str, &'static str, [u64; 2]);

/// Checks which curves meet where.
#[track_caller]
fn check_pairs(starts: &[Start], expect: &[&str]) {
    let mut run = Run::begin(2 * starts.len() as u32, 1);
    for (number, (scenario, arm, start, folder, ms)) in (0..).zip(starts) {
        for (cell, init_ms, ms) in [(2 * number, 0_i64, ms[0]), (2 * number + 1, 10, ms[1])] {
            let block = Block::new(cell, 0, scenario, arm)
                .argument("start", *start)
                .argument("heap_bytes", 1_i64 << 20)
                .argument("init_ms", init_ms)
                .argument("folder", *folder);
            let samples = std::iter::repeat_n(ms * 1_000_000, 100);
            run.append(&block.series("cold-start", Unit::Nanoseconds, &[], 1, samples).records());
        }
    }
    run.end(None);
    let document: Value = serde_json::from_str(&export("break-even-json", &run.view()).unwrap()).unwrap();
    let curves = document["curves"].as_array().unwrap();
    assert_eq!(curves.len(), starts.len(), "{curves:?}");
    assert!(curves.iter().all(|curve| curve["points"].as_array().unwrap().len() == 2), "{curves:?}");
    let pair = |pair: &Value| {
        let of = |name: &str| pair[name].as_str().unwrap().to_owned();
        format!("{} / {}: {}", of("afresh"), of("brought_back"), pair["init_ms"].as_f64().unwrap())
    };
    let mut found: Vec<_> = document["break_even"].as_array().unwrap().iter().map(pair).collect();
    found.sort();
    assert_eq!(found, expect);
}

#[test]
fn curves_and_their_pairs_are_of_one_scenario() {
    check_pairs(
        &[
            ("function/cold-start", "wasm", "wasm-cached", "@temp", [1, 11]),
            ("function/cold-start", "wasm", "wasm-preinitialised", "@temp", [6, 6]),
            ("other/cold-start", "wasm", "wasm-cached", "@temp", [3, 13]),
            ("other/cold-start", "wasm", "wasm-preinitialised", "@temp", [7, 7]),
        ],
        &[
            "wasm-cached (function/cold-start wasm) / wasm-preinitialised (function/cold-start wasm): 5",
            "wasm-cached (other/cold-start wasm) / wasm-preinitialised (other/cold-start wasm): 4",
        ],
    );
    // Where no scenario has both, those that there are.
    check_pairs(
        &[
            ("function/cold-start", "wasm", "wasm-preinitialised", "@temp", [6, 6]),
            ("criu/cold-start", "native", "spawn", "@temp", [1, 11]),
        ],
        &["spawn / wasm-preinitialised: 5"],
    );
}

#[test]
fn curves_and_their_pairs_have_equal_arguments() {
    check_pairs(
        &[
            ("criu/cold-start", "native", "spawn", "/a", [1, 11]),
            ("criu/cold-start", "native", "criu-restore", "/a", [6, 6]),
            ("criu/cold-start", "native", "spawn", "/b", [3, 13]),
            ("criu/cold-start", "native", "criu-restore", "/b", [7, 7]),
        ],
        &["spawn (folder=/a) / criu-restore (folder=/a): 5", "spawn (folder=/b) / criu-restore (folder=/b): 4"],
    );
}

#[test]
fn starts_of_different_machines_have_no_break_even() {
    let [one, other, back] = blocks();
    let a = Part::new("a").block(one).block(other);
    let view = merged("r", "p", [a, Part::new("b").block(back)]).view();
    let document: Value = serde_json::from_str(&export("break-even-json", &view).unwrap()).unwrap();
    let found = &document["break_even"][0];
    assert!(found["init_ms"].is_null(), "{found}");
    assert_eq!(found["absent"], "measured on different machines (a, b)");
    let text = sample_run::text(&view, Serverless.report());
    let why = "no break-even of spawn and criu-restore: measured on different machines (a, b)";
    assert!(text.contains(why) && !text.contains("5.00 ms"), "{text}");
    let svg = export("break-even-svg", &view).unwrap();
    assert!(svg.contains("different machines"), "{svg}");
    let [one, other, back] = blocks();
    let view = merged("r", "p", [Part::new("a").block(one).block(other), Part::new("a").block(back)]).view();
    let document: Value = serde_json::from_str(&export("break-even-json", &view).unwrap()).unwrap();
    let found = &document["break_even"][0];
    assert!(found["init_ms"].as_f64() == Some(5.0) && found.get("absent").is_none(), "both parts are of one machine");
}
