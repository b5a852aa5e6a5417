//! Which parts of two sides of runs count: matching cells, machines, checksums, counts.

use crate::compared::{BATCH, OPTIONS, SideRun, side, wobbling};
use crate::fixture::{Block, calibration, compared};
use bench_report::{Comparison, ComparisonDetail, ComparisonReport, Csv, ReportError, Side};
use bench_sink::runfile::{RunFile, Status, When};
use bench_stats::Verdict;

fn compare(a: Vec<RunFile>, b: Vec<RunFile>) -> ComparisonReport {
    ComparisonReport::of_runs(a, b, &OPTIONS, false).unwrap()
}

/// What a comparison warns of.
fn warnings(comparison: &ComparisonReport) -> Vec<String> {
    bench_report::comparison_document(comparison, ComparisonDetail::default()).warnings().map(str::to_owned).collect()
}

/// What one look at the first compared finds.
fn check<T: PartialEq + std::fmt::Debug>(comparison: &ComparisonReport, look: impl Fn(&Comparison) -> T, expect: T) {
    assert_eq!(look(&comparison.comparisons[0]), expect);
}

#[test]
fn every_run_of_a_side_adds_its_processes() {
    let comparison = compare(side("a", 5, 100.0, None), side("b", 4, 150.0, None));
    let look = |compared: &Comparison| {
        let figures = compared.figures.as_ref().unwrap();
        (compared.title(), (figures.ratios.medians.ratio() * 100.0).round(), figures.verdict, compared.processes)
    };
    check(&comparison, look, ("wasm: B / A".to_owned(), 150.0, Verdict::Different, Some(4)));
    assert_eq!((comparison.regressions(), comparison.findings()), (1, 1));
    let better = compare(side("a", 5, 100.0, None), side("b", 5, 50.0, None));
    assert_eq!((better.regressions(), better.findings(), better.has_ratios()), (0, 0, true));
}

#[test]
fn the_noise_floor_is_how_far_a_process_lies_from_its_side() {
    let runs = |levels: [u64; 3]| {
        levels.map(|level| {
            let mut run = SideRun::new("a", 0, 1.0, None);
            run.blocks = vec![Block::new(0, 0, "m/s", "wasm").timed(1, vec![level; 40]).records()];
            run.file()
        })
    };
    let comparison = compare(runs([100, 100, 110]).to_vec(), runs([200, 200, 202]).to_vec());
    let band =
        |compared: &Comparison| compared.figures.as_ref().unwrap().band.map(|band| (band.high() * 1000.0).round());
    check(&comparison, band, Some(1100.0));
}

#[test]
fn a_histogram_stands_in_where_raw_samples_are_not_kept() {
    let without_raw = |name| {
        let runs = (0..3).map(|process| {
            let mut block = Block::new(0, 0, "m/s", "wasm").timed(BATCH, wobbling(100.0, process, 0));
            block.series[0].raw = None;
            SideRun { blocks: vec![block.records()], ..SideRun::new(name, process, 1.0, None) }.file()
        });
        runs.collect::<Vec<_>>()
    };
    let look = |compared: &Comparison| (compared.verdict(), compared.pairs);
    check(&compare(without_raw("a"), without_raw("b")), look, (Some(Verdict::Equivalent), Some(600)));
}

#[test]
fn other_machines_are_refused_unless_they_are_wanted() {
    let elsewhere = |change: fn(&mut bench_sink::fingerprint::Fingerprint)| {
        let mut run = SideRun::new("b", 0, 100.0, None);
        change(&mut run.machine);
        vec![run.file()]
    };
    let error = |b| ComparisonReport::of_runs(side("a", 2, 100.0, None), b, &OPTIONS, false).unwrap_err().to_string();
    let refused = error(elsewhere(|machine| machine.cpu_model = Some("Another".to_owned())));
    assert_eq!(
        refused,
        "a0 and b0 were made on different machines: processor A Processor and Another; with `--across-machines` they are \
         compared all the same"
    );
    assert!(error(elsewhere(|machine| machine.cpus = 4)).contains("processors 2 and 4"));
    assert!(error(elsewhere(|machine| machine.memory_bytes = Some(1 << 34))).contains("memory 8.00 GiB and 16.0 GiB"));
    // What only names a moment does not make another machine.
    let later = elsewhere(|machine| {
        machine.kernel = "6.2.0".to_owned();
        machine.load = None;
        machine.memory_bytes = machine.memory_bytes.map(|bytes| bytes - 4096);
    });
    assert_eq!(compare(side("a", 2, 100.0, None), later).across_machines, None);
    let other = elsewhere(|machine| machine.architecture = "aarch64".to_owned());
    let comparison = ComparisonReport::of_runs(side("a", 2, 100.0, None), other, &OPTIONS, true).unwrap();
    assert!(compared(&Csv, &comparison).ends_with(",different machines: architecture x86_64 and aarch64\n"));
    let note = warnings(&comparison).remove(0);
    assert!(
        note.starts_with("A and B were measured on different machines (architecture x86_64 and aarch64)"),
        "{note}"
    );
}

#[test]
fn a_side_without_a_run_is_refused() {
    let error = ComparisonReport::of_runs(side("a", 1, 100.0, None), Vec::new(), &OPTIONS, false).unwrap_err();
    assert!(matches!(error, ReportError::NoSide { side: Side::B }), "{error}");
}

#[test]
fn results_that_differ_have_no_ratio_and_both_are_named() {
    let other = |checksum: u64| {
        let block = Block::new(0, 0, "ring/stream", "wasm").argument("payload_bytes", 64);
        let block = block.timed(BATCH, wobbling(100.0, 0, 0)).checksum(checksum);
        SideRun { blocks: vec![block.records()], ..SideRun::new("b", 0, 1.0, None) }.file()
    };
    let look = |compared: &Comparison| (compared.status, compared.figures.is_some(), compared.reason.clone().unwrap());
    let comparison = compare(side("a", 3, 100.0, None), vec![other(0xbb), other(0xbb), other(0xbb)]);
    let reason =
        "checksum 00000000000000aa of A differs from 00000000000000bb of B: equal arguments must yield equal results";
    check(&comparison, look, (Status::Failed, false, reason.to_owned()));
    assert_eq!(comparison.findings(), 1);
    let comparison = compare(vec![other(0xaa), other(0xbb)], vec![other(0xbb)]);
    let reason = "wasm A had checksum 00000000000000aa in one run and 00000000000000bb in another: equal arguments must yield equal results";
    check(&comparison, look, (Status::Failed, false, reason.to_owned()));
}

#[test]
fn cells_of_one_side_are_listed_with_the_reason() {
    let with = |name: &str, extra: Block| {
        let mut run = SideRun::new(name, 0, 100.0, None);
        run.blocks.push(extra.records());
        vec![run.file()]
    };
    let native = Block::new(1, 0, "ring/stream", "native").argument("payload_bytes", 64).timed(1, [9; 40]);
    let fuel = Block::new(1, 0, "ring/stream", "wasm").variant("fuel").argument("payload_bytes", 64).timed(1, [9; 40]);
    let comparison = compare(with("a", native), with("b", fuel));
    let listed: Vec<_> = comparison.one_sided.iter().map(|alone| (alone.label.to_string(), &*alone.reason)).collect();
    let reason = |side| format!("{side} has no such cell; run the same scenarios, arms and arguments");
    assert_eq!(listed, [("native A".to_owned(), &*reason("B")), ("wasm+fuel B".to_owned(), &*reason("A"))]);
    assert_eq!(comparison.comparisons.len(), 1);
    // Arguments count, not only the names of scenarios.
    let mut other = SideRun::new("b", 0, 100.0, None);
    other.blocks =
        vec![Block::new(0, 0, "ring/stream", "wasm").argument("payload_bytes", 65).timed(1, [9; 40]).records()];
    assert_eq!(compare(side("a", 1, 100.0, None), vec![other.file()]).one_sided.len(), 2);
}

#[test]
fn two_modules_of_one_run_are_not_mixed() {
    let mut run = SideRun::new("a", 0, 100.0, None);
    let mut twin = Block::new(1, 0, "ring/stream", "wasm").argument("payload_bytes", 64).timed(1, [9; 40]);
    twin.cell.module.file = "other.wasm".to_owned();
    run.blocks.push(twin.records());
    let look = |compared: &Comparison| (compared.status, compared.reason.clone().unwrap());
    let reason = "wasm A is of two modules in one run (plugins/wasm, other.wasm); compare runs of one each";
    check(&compare(vec![run.file()], side("b", 1, 100.0, None)), look, (Status::Skipped, reason.to_owned()));
}

#[test]
fn counts_tell_code_from_surroundings() {
    let note = |b: f64, instructions: (Option<u64>, Option<u64>)| {
        let comparison = compare(side("a", 5, 100.0, instructions.0), side("b", 5, b, instructions.1));
        comparison.comparisons[0].note.clone()
    };
    let text = |text: &str| Some(text.to_owned());
    let unmoved = "time moved and counts did not: environment or layout";
    assert_eq!(note(150.0, (Some(12_040), Some(12_040))), text(unmoved));
    assert_eq!(note(150.0, (Some(12_040), Some(13_100))), text("instructions 1204 → 1310 an operation"));
    // A count that moved is worth a line whatever the time did; one that did not explains nothing where nothing moved.
    assert_eq!(note(100.0, (Some(12_040), Some(13_100))), text("instructions 1204 → 1310 an operation"));
    assert_eq!(note(100.0, (Some(12_040), Some(12_040))), None);
    assert_eq!(note(150.0, (None, Some(12_040))), None);
}

#[test]
fn limits_that_differ_between_the_sides_are_said() {
    let with = |name: &str, clock: f64| {
        let mut run = SideRun::new(name, 0, 100.0, None);
        run.blocks.push(vec![calibration(When::Before, &[("clock", Some(clock))])]);
        vec![run.file()]
    };
    let notes = warnings(&compare(with("a", 20.0), with("b", 25.0)));
    let note = "clock was 20 ns in A and 25 ns in B (+25 %): the machine was not the same; compare figures with care";
    assert!(notes.contains(&note.to_owned()), "{notes:?}");
    assert!(warnings(&compare(with("a", 20.0), with("b", 21.0))).iter().all(|note| !note.contains("clock")));
}
