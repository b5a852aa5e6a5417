//! The history of many runs: what is kept of each, and its tables, steps and causes as people read them.

use crate::fixture::{Block, Run, calibration, fingerprint, rendered};
use bench_model::Arm;
use bench_report::{
    Csv, Data, Document, History, InstructionCounts, Json, Layout, Options, Records, Renderer, RunEntry, Text,
    history_document, trend_document,
};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{AccountRecord, Record, RunFile, Status, When};
use serde_json::Value;

/// A run on the day `day` at `revision`, in which an operation of `ring/stream` took `ns` and a cache line `line` nanoseconds.
fn entry(day: u32, revision: &str, ns: u64, line: f64) -> RunEntry {
    entry_on(Fingerprint { git_revision: Some(revision.to_owned()), ..fingerprint() }, day, ns, line)
}

fn entry_on(fingerprint: Fingerprint, day: u32, ns: u64, line: f64) -> RunEntry {
    let mut run = Run::begin_on("id", fingerprint, 2, 1);
    run.append(&[calibration(When::Before, &[("cache-line", Some(line)), ("syscall", Some(100.0))])]);
    let samples = (0..100).map(|at| ns + at % 3);
    run.append(
        &Block::new(0, 0, "ring/stream", "wasm")
            .argument("payload_bytes", 64)
            .limit("cache-line")
            .timed(1, samples)
            .records(),
    );
    run.append(
        &Block::new(1, 0, "ring/stream", "native")
            .argument("payload_bytes", 64)
            .ended(Status::Skipped, "not built")
            .records(),
    );
    run.end(None);
    let mut entry = RunEntry::of(&run.view());
    entry.id = format!("2026-01-{day:02}T00-00-00Z-abc");
    entry.started = format!("2026-01-{day:02}T00:00:00Z");
    entry
}

/// Twenty runs, of which the second half take 18 per cent longer.
fn stepped(of_day: impl Fn(u32, bool) -> (Fingerprint, f64)) -> Vec<RunEntry> {
    let run = |day: u32| {
        let is_after = day > 10;
        let (fingerprint, line) = of_day(day, is_after);
        let ns = if is_after { 11_800 } else { 10_000 };
        entry_on(fingerprint, day, ns + u64::from(day * 7 % 5) * 10, line)
    };
    (1..=20).map(run).collect()
}

fn at(revision: &str) -> Fingerprint {
    Fingerprint { git_revision: Some(revision.repeat(10)), ..fingerprint() }
}

fn json(document: &Document) -> Value {
    serde_json::from_str(&rendered(&Json, document)).unwrap()
}

#[test]
fn entry_of_a_run_survives_writing_and_reading() {
    let entry = entry(1, "aaaa", 500, 50.0);
    let text = serde_json::to_string(&entry).unwrap();
    assert_eq!(serde_json::from_str::<RunEntry>(&text).unwrap(), entry);
    let cells: Vec<_> = entry.cells.iter().map(|cell| (cell.p50, cell.samples)).collect();
    assert_eq!(cells, [(Some(501.0), 100), (None, 0)], "cells are in the order of reports");
}

#[test]
fn machine_is_named_by_what_does_not_change_on_it() {
    let of = |fingerprint: Fingerprint| entry_on(fingerprint, 1, 500, 50.0).machine();
    let here = of(fingerprint());
    assert_eq!(here.len(), 6);
    assert_eq!(here, of(Fingerprint { kernel: "another".to_owned(), load: None, ..fingerprint() }));
    assert_ne!(here, of(Fingerprint { cpus: 4, ..fingerprint() }));
}

#[test]
fn runs_and_cells_are_listed_with_a_sparkline() {
    let mut runs: Vec<_> = (1..=6).map(|day| entry(day, "1a2b3c4d5e6f", 500 + u64::from(day) * 20, 50.0)).collect();
    runs[5].cells[1].arguments.set("payload_bytes", 4096);
    let history = History { runs, left_out: vec!["3 older runs are not shown; show more with --last N".to_owned()] };
    insta::assert_snapshot!(rendered(&Text, &history_document(&history)));
}

#[test]
fn cells_of_other_machines_form_a_history_of_their_own() {
    let elsewhere = Fingerprint { cpus: 64, ..fingerprint() };
    let runs = vec![entry(1, "aaaa", 500, 50.0), entry(2, "aaaa", 700, 50.0), entry_on(elsewhere, 3, 90, 9.0)];
    let document = json(&history_document(&History { runs, left_out: Vec::new() }));
    let cells: Vec<_> = document["cells"].as_array().unwrap().iter().filter(|cell| cell["arm"] == "wasm").collect();
    assert_eq!(cells.iter().map(|cell| cell["runs"].as_array().unwrap().len()).collect::<Vec<_>>(), [1, 2]);
    let change = cells[1]["change"].as_f64().unwrap();
    assert!((change - 200.0 / 501.0).abs() < 1e-9, "{change}");
}

/// The first cell of the history of `runs` as programs read it, and the text.
fn first_cell(runs: Vec<RunEntry>) -> (Value, String) {
    let document = history_document(&History { runs, left_out: Vec::new() });
    (json(&document)["cells"][0].clone(), rendered(&Text, &document))
}

#[test]
fn no_older_figure_stands_in_for_one_that_the_newest_run_lacks() {
    let mut runs: Vec<_> = (1..=3).map(|day| entry(day, "aaaa", 500, 50.0)).collect();
    let cell = &mut runs[2].cells[0];
    (cell.status, cell.unit, cell.p50, cell.mean) = (Status::Failed, None, None, None);
    let (cell, text) = first_cell(runs);
    assert_eq!((&cell["change"], cell["runs"].as_array().unwrap().len()), (&Value::Null, 3), "{cell:#}");
    let row = text.lines().find(|line| line.starts_with("  wasm ")).unwrap();
    assert!(row.contains('–') && row.ends_with("▄▄·"), "{text}");
}

#[test]
fn medians_and_means_are_not_one_history() {
    let runs = || (1..=3).map(|day| entry(day, "aaaa", 500 + u64::from(day) * 100, 50.0)).collect::<Vec<_>>();
    let (cell, text) = first_cell(runs());
    assert_eq!(cell["statistic"], "p50", "{text}");
    let mut with_mean = runs();
    with_mean[1].cells[0].p50 = None;
    let (cell, text) = first_cell(with_mean);
    let change = cell["change"].as_f64().unwrap();
    assert_eq!(cell["statistic"], "mean", "{text}");
    assert!((change - (800.99 / 600.99 - 1.0)).abs() < 1e-9, "{change}");
    assert!(text.contains("mean 801 ns") && text.contains("too few samples for a median"), "{text}");

    let mut runs = stepped(|_, is_after| (at(if is_after { "bbbb" } else { "aaaa" }), 50.0));
    runs[4].cells[0].p50 = None;
    let document = trend_document(&runs, Vec::new());
    let trend = &json(&document)["trends"][0];
    assert_eq!((&trend["statistic"], trend["runs"].as_array().unwrap().len()), (&"mean".into(), 20), "{trend:#}");
    assert!(rendered(&Text, &document).contains("means, because one run"));
}

#[test]
fn how_a_run_ended_is_what_its_file_says() {
    let row = |planned: u32, end: Option<Option<&str>>| {
        let mut run = Run::begin(planned, 1);
        run.append(&Block::new(0, 0, "m/s", "wasm").timed(1, 1..=40).records());
        if let Some(stopped) = end {
            run.end(stopped);
        }
        let runs = vec![RunEntry::of(&run.view())];
        let text = rendered(&Text, &history_document(&History { runs, left_out: Vec::new() }));
        text.lines().nth(1).unwrap().to_owned()
    };
    assert!(row(1, None).contains("  1 ok, not finished  "), "{}", row(1, None));
    assert!(row(1, Some(Some("interrupted"))).contains("  1 ok, interrupted  "));
    // The other cell is in another shard.
    [row(1, Some(None)), row(2, Some(None))].iter().for_each(|row| assert!(row.contains("  1 ok  "), "{row}"));
}

#[test]
fn cells_that_only_their_modules_tell_apart_have_histories_of_their_own() {
    let of_day = |day: u32| {
        let mut run = Run::begin(2, 1);
        for (cell, file, ns) in [(0, "old.wasm", 500), (1, "new.wasm", 400)] {
            let mut block = Block::new(cell, 0, "m/s", "wasm").timed(1, [ns; 40]);
            block.cell.module.file = file.to_owned();
            run.append(&block.records());
        }
        run.end(None);
        RunEntry { started: format!("2026-01-{day:02}T00:00:00Z"), ..RunEntry::of(&run.view()) }
    };
    let runs = vec![of_day(1), of_day(2)];
    let document = json(&history_document(&History { runs, left_out: Vec::new() }));
    let cells = document["cells"].as_array().unwrap();
    let found: Vec<_> =
        cells.iter().map(|cell| (cell["conditions"][0][1].as_str().unwrap(), cell["change"].as_f64())).collect();
    assert_eq!(found, [("old.wasm", Some(0.0)), ("new.wasm", Some(0.0))]);
}

#[test]
fn records_have_a_row_for_each_cell_of_each_run() {
    let runs = vec![entry(1, "aaaa", 500, 50.0), entry(2, "bbbb", 700, 50.0)];
    let text = rendered(&Csv, &history_document(&History { runs, left_out: Vec::new() }));
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.lines().all(|line| line.split(',').count() == 15), "{text}");
}

#[test]
fn step_between_two_revisions_names_the_commits_and_how_to_bisect() {
    let runs = stepped(|_, is_after| (at(if is_after { "bbbb" } else { "aaaa" }), 50.0));
    let document = trend_document(&runs, Vec::new());
    insta::assert_snapshot!(rendered(&Text, &document));
    let step = &json(&document)["trends"][0]["steps"][0];
    assert_eq!((&step["cause"], &step["first_after"]), (&"commits".into(), &"2026-01-11T00-00-00Z-abc".into()));
    assert!(step["bisect"].as_str().unwrap().starts_with("git bisect start bbbb"), "{step:#}");
}

#[test]
fn command_that_bisects_is_one_line_of_a_narrow_terminal() {
    let runs = stepped(|_, is_after| (at(if is_after { "bbbb" } else { "aaaa" }), 50.0));
    let document = trend_document(&runs, Vec::new());
    let text = Text.render(&document, &Layout { width: 80, is_wide: false, breaks_notes: true });
    let (commands, others): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.contains("git bisect"));
    assert!(matches!(commands[..], [one] if one.ends_with("; exit $status'")), "{text}");
    assert!(others.iter().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn step_of_a_variant_names_the_commits_without_a_way_to_bisect() {
    let mut runs = stepped(|_, is_after| (at(if is_after { "bbbb" } else { "aaaa" }), 50.0));
    let cells = runs.iter_mut().flat_map(|run| &mut run.cells).filter(|cell| cell.arm == Arm::Wasm);
    cells.for_each(|cell| cell.variant = Some("fuel".to_owned()));
    let document = trend_document(&runs, Vec::new());
    let trend = &json(&document)["trends"][0];
    assert_eq!((&trend["arm"], &trend["steps"][0]["cause"]), (&"wasm+fuel".into(), &"commits".into()));
    assert!(trend["steps"][0]["bisect"].is_null(), "{trend:#}");
    assert!(!rendered(&Text, &document).contains("git bisect"));
}

#[test]
fn machine_is_the_cause_if_a_roofline_moved_with_the_step() {
    let runs = stepped(|day, is_after| {
        let line = if is_after { 59.0 } else { 50.0 };
        (at(if is_after { "bbbb" } else { "aaaa" }), line + f64::from(day % 3) / 10.0)
    });
    let document = trend_document(&runs, Vec::new());
    let step = &json(&document)["trends"][0]["steps"][0];
    assert_eq!(step["cause"], "machine", "{step:#}");
    assert!(step["detail"][0].as_str().unwrap().starts_with("cache-line moved +1"), "{step:#}");
    assert!(step["bisect"].is_null());
}

#[test]
fn roofline_that_moved_the_other_way_acquits_the_machine() {
    let runs = stepped(|day, is_after| {
        let line = if is_after { 42.0 } else { 50.0 };
        (at(if is_after { "bbbb" } else { "aaaa" }), line + f64::from(day % 3) / 10.0)
    });
    assert_eq!(json(&trend_document(&runs, Vec::new()))["trends"][0]["steps"][0]["cause"], "commits");
}

/// Numbers from 0 to 1 that look random (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `value`, give or take up to this share of it.
    fn around(&mut self, value: f64, share: f64) -> f64 {
        value * (1.0 + share * (2.0 * self.next() - 1.0))
    }
}

/// In how many of 100 histories the machine is blamed for a step of 10 %, where ten rooflines scatter by up to 10 % and the first of them
/// moves by `moves` in the same run.
fn times_blamed(moves: f64) -> usize {
    let names: Vec<String> = (0..10).map(|number| format!("limit-{number}")).collect();
    let is_blamed = |seed: &u64| {
        let mut random = Random(*seed);
        let run = |day: u32| {
            let is_after = day > 10;
            let time = random.around(if is_after { 11_000.0 } else { 10_000.0 }, 0.02);
            let mut limits: Vec<f64> = names.iter().map(|_| random.around(100.0, 0.1)).collect();
            limits[0] *= if is_after { moves } else { 1.0 };
            let measured: Vec<_> = names.iter().zip(&limits).map(|(name, ns)| (name.as_str(), Some(*ns))).collect();
            let mut run = Run::begin_on("id", at(if is_after { "bbbb" } else { "aaaa" }), 1, 1);
            run.append(&[calibration(When::Before, &measured)]);
            run.append(&Block::new(0, 0, "ring/stream", "wasm").timed(1, [time as u64; 40]).records());
            run.end(None);
            RunEntry { started: format!("2026-01-{day:02}T00:00:00Z"), ..RunEntry::of(&run.view()) }
        };
        let runs: Vec<_> = (1..=20).map(run).collect();
        let steps = json(&trend_document(&runs, Vec::new()))["trends"][0]["steps"].clone();
        let steps = steps.as_array().unwrap();
        assert!(!steps.is_empty(), "seed {seed}");
        steps.iter().any(|step| step["cause"] == "machine")
    };
    (0..100).filter(is_blamed).count()
}

#[test]
fn machine_is_seldom_blamed_for_a_step_of_the_code_and_nearly_always_for_its_own() {
    let (of_code, of_machine) = (times_blamed(1.0), times_blamed(1.25));
    assert!(of_code <= 5, "blamed for {of_code} of 100 steps of the code");
    assert!(of_machine >= 95, "blamed for {of_machine} of its own 100 steps");
}

#[test]
fn changed_kernel_program_or_same_revision_are_named() {
    let cause = |of_day: fn(u32, bool) -> (Fingerprint, f64)| {
        let document = json(&trend_document(&stepped(of_day), Vec::new()));
        let step = document["trends"][0]["steps"][0].clone();
        format!("{}: {}", step["cause"], step["detail"])
    };
    let kernel = cause(|_, is_after| {
        (Fingerprint { kernel: if is_after { "6.2" } else { "6.1" }.to_owned(), ..at("aaaa") }, 50.0)
    });
    assert_eq!(kernel, r#""machine": ["kernel 6.1 and 6.2"]"#);
    let engine = cause(|_, is_after| {
        (Fingerprint { engine: Some(if is_after { "48" } else { "47" }.to_owned()), ..at("aaaa") }, 50.0)
    });
    assert_eq!(engine, r#""program": ["engine 47 and 48"]"#);
    let same = cause(|_, _| (at("aaaa"), 50.0));
    assert!(same.starts_with(r#""unknown": "both sides are of revision aaaa"#), "{same}");
    let none = cause(|_, _| (fingerprint(), 50.0));
    assert!(none.contains("name no git revision"), "{none}");
}

#[test]
fn few_runs_have_no_step() {
    let runs: Vec<_> = (1..=4).map(|day| entry(day, "aaaa", if day > 2 { 900 } else { 500 }, 50.0)).collect();
    let text = rendered(&Text, &trend_document(&runs, Vec::new()));
    assert!(text.contains("too few for steps"), "{text}");
}

/// A run whose component executed so many instructions in 8 operations.
fn counted(id: &str, instructions: u64) -> RunFile {
    let mut run = Run::begin_on(id, fingerprint(), 1, 1);
    run.append(&Block::new(0, 0, "ring/stream", "wasm").timed(1, [100; 40]).records());
    let account =
        AccountRecord { counted: 8, watched: 1, instructions: Some(instructions), ..AccountRecord::default() };
    run.append(&[Record::Account(account)]);
    run.end(None);
    run.file()
}

#[test]
fn instruction_counts_are_compared_without_tolerance() {
    let compare = |a: &[u64], b: &[u64]| {
        let files = |counts: &[u64], name: &str| {
            counts.iter().enumerate().map(|(at, count)| counted(&format!("{name}{at}"), *count)).collect()
        };
        let comparison =
            bench_report::ComparisonReport::of_runs(files(a, "a"), files(b, "b"), &Options::default(), false).unwrap();
        let counts = InstructionCounts::of(&comparison).unwrap();
        let document = Document { data: Data::Null, records: None::<Records>, sections: vec![counts.section()] };
        assert_eq!(counts.ratios().len() + counts.not_exact().len(), 1, "each cell is compared, or has a reason");
        (counts.ratios().first().map(|(_, ratio)| *ratio), counts.grown(), rendered(&Text, &document))
    };
    let (ratio, grown, text) = compare(&[8_000, 8_000], &[8_001]);
    assert_eq!((ratio, grown), (Some(8_001.0 / 8_000.0), 1));
    insta::assert_snapshot!(text);
    assert_eq!(compare(&[8_000], &[8_000]).1, 0);
    assert_eq!(compare(&[8_000], &[7_999]).1, 0);
    let (ratio, _, text) = compare(&[8_000, 8_008], &[8_000]);
    assert_eq!(ratio, None);
    assert!(text.contains("not deterministic"), "{text}");
}
