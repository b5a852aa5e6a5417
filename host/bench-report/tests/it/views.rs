//! How records become cells: outcomes, processes, batches, and the samples that quantiles need.

use crate::fixture::{Block, Run, calibration, fingerprint, json, outcome, text, warnings};
use bench_model::{Arm, MachineLimit, Unit};
use bench_report::{Detail, ReportError, RunView, run_document};
use bench_sink::environment::Witness;
use bench_sink::runfile::{Named, ReadError, Record, ResumedRecord, RunFile, Status, When};
use std::fs;

/// Checks what one look at a run with these records finds.
fn check<T: PartialEq + std::fmt::Debug>(
    processes: u32,
    records: &[&[Record]],
    look: impl Fn(&RunView) -> T,
    expect: T,
) {
    let mut run = Run::begin(1, processes);
    records.iter().for_each(|block| run.append(block));
    assert_eq!(look(&run.view()), expect);
}

/// The warnings but for the one that these runs have no end.
fn of_the_machine(view: &RunView) -> Vec<String> {
    warnings(view).into_iter().filter(|line| !line.starts_with("the run did not end")).collect()
}

fn status(view: &RunView) -> (Status, Option<&str>, u32, usize) {
    let cell = &view.cells[0];
    (cell.status, cell.reason.as_deref(), cell.processes, cell.series.len())
}

fn block(process: u32) -> Block {
    Block::new(0, process, "m/s", "wasm").timed(1, 1..=10)
}

#[test]
fn a_cell_is_ok_failed_void_or_skipped() {
    let (ok, more) = (block(0).records(), block(1).records());
    let failed = block(1).ended(Status::Failed, "wrong").records();
    let skipped = block(1).ended(Status::Skipped, "no disk").records();
    let check = |records: &[&[Record]], expect: (Status, Option<&str>, u32, usize)| {
        check(2, records, |view| format!("{:?}", status(view)), format!("{expect:?}"));
    };
    check(&[&ok, &more], (Status::Ok, None, 2, 1));
    check(&[&ok], (Status::Ok, Some("1 of 2 processes finished"), 1, 1));
    check(&[&ok, &failed], (Status::Failed, Some("wrong"), 1, 0));
    check(&[&skipped], (Status::Skipped, Some("no disk"), 0, 0));
    let void = block(1).ended(Status::Void, "too slow").records();
    check(&[&void], (Status::Void, Some("too slow"), 0, 0));
    check(&[&ok, &void], (Status::Ok, Some("1 of 2 processes finished: too slow"), 1, 1));
    check(&[&skipped, &block(0).ended(Status::Void, "too slow").records()], (Status::Void, Some("too slow"), 0, 0));
    check(&[&failed, &block(0).ended(Status::Void, "too slow").records()], (Status::Failed, Some("wrong"), 0, 0));
    check(&[&ok, &skipped], (Status::Ok, Some("1 of 2 processes finished: no disk"), 1, 1));
}

const SECOND: u64 = 1_000_000_000;

/// A repetition of a cell with this witness.
fn witnessed(cell: u32, process: u32, cpu: Option<u32>, witness: Witness) -> Block {
    let mut block = Block::new(cell, process, "m/s", "wasm").timed(1, 1..=10);
    block.cell.cpu = cpu;
    block.outcome.witness = Some(Witness { wall_ns: SECOND, ..witness });
    block
}

/// Checks the notes on what disturbed repetitions.
#[track_caller]
fn check_disturbances(blocks: &[Block], expect: &[&str]) {
    let mut run = Run::begin(blocks.len() as u32, 2);
    blocks.iter().for_each(|block| run.append(&block.clone().records()));
    let is_of_cells = |line: &String| line.contains(" repetitions, ");
    let found: Vec<String> = of_the_machine(&run.view()).into_iter().filter(is_of_cells).collect();
    assert_eq!(found, expect);
}

#[test]
fn disturbances_by_the_machine_are_noted_with_the_cell() {
    let during = |process: u32, stolen_ns: u64, run_queue_ns: u64| {
        let (stolen_ns, run_queue_ns) = (Some(stolen_ns), Some(run_queue_ns));
        witnessed(0, process, Some(1), Witness { stolen_ns, run_queue_ns, ..Witness::default() })
    };
    check_disturbances(&[during(0, 0, 0), during(1, SECOND / 100, SECOND / 10)], &[]);
    check_disturbances(
        &[during(0, SECOND / 10, 0), during(1, 0, SECOND / 2)],
        &[
            "m/s wasm: the machine withheld the processor in 1 of 2 repetitions, for up to 10 % of the time: high \
             quantiles show it; use a machine with processors of its own",
            "m/s wasm: other work was on the processor that was measured in 1 of 2 repetitions, for up to 50 % of the \
             time: stop other work, or wait",
        ],
    );
    let busy = |process: u32, share: u64| {
        let others_busy_ns = Some(SECOND * share / 100);
        witnessed(0, process, Some(1), Witness { others_busy_ns, ..Witness::default() })
    };
    check_disturbances(
        &[busy(0, 10), busy(1, 40)],
        &["m/s wasm: other processes used the processors in 1 of 2 repetitions, for up to 40 % of all processors' \
             time: figures and ratios are those of a busy machine; stop other work, or wait"],
    );
}

#[test]
fn cells_that_were_disturbed_in_the_same_way_share_a_line_and_are_listed_on_request() {
    let mut run = Run::begin(3, 1);
    for (cell, share) in [(0, 40), (1, 0), (2, 60)] {
        let others_busy_ns = Some(SECOND * share / 100);
        let block = witnessed(cell, 0, Some(1), Witness { others_busy_ns, ..Witness::default() });
        run.append(&block.argument("n", i64::from(cell)).records());
    }
    run.end(None);
    let view = run.view();
    let line = "2 cells of m/s: other processes used the processors in 2 of 2 repetitions, for up to 60 % of all \
                processors' time: figures and ratios are those of a busy machine; stop other work, or wait";
    let listed = |all_cells: bool| {
        let document = run_document(&view, &[], Detail { all_cells, all_series: false });
        document.warnings().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed(false), [format!("{line} (-v lists them)")]);
    assert_eq!(listed(true), [line, "  m/s wasm n=0", "  m/s wasm n=2"]);
}

#[test]
fn cell_on_several_processors_is_disturbed_by_other_processes_alone() {
    // Threads that a module places itself may wait for each other.
    let waits = Witness { run_queue_ns: Some(SECOND), ..Witness::default() };
    check_disturbances(&[witnessed(0, 0, None, waits), witnessed(0, 1, None, waits)], &[]);
    let beside = |server: Option<&str>| {
        let block = witnessed(0, 0, None, Witness { others_busy_ns: Some(SECOND / 2), ..Witness::default() });
        match server {
            Some(server) => block.argument("server", server),
            None => block,
        }
    };
    check_disturbances(
        &[beside(None)],
        &["m/s wasm: other processes used the processors in 1 of 1 repetitions, for up to 50 % of all processors' \
             time: figures and ratios are those of a busy machine; stop other work, or wait"],
    );
    // The work of a server for the cell is none of others.
    for server in ["@cluster", "postgres://user@localhost/db", "host=localhost user=a", "kube"] {
        check_disturbances(&[beside(Some(server))], &[]);
    }
}

#[test]
fn warnings_of_a_run_are_said_with_their_remedy() {
    let mut run = Run::begin(1, 1);
    run.append(&block(0).records());
    let file = run.directory().join("run.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let warning = r#""warnings":[{"warning":"governor","found":"it is slow","remedy":"make it fast"}],"seed""#;
    let changed = text.replacen("\"seed\"", warning, 1);
    assert!(RunFile::read(&run.directory()).is_ok());
    fs::write(&file, &changed).unwrap();
    assert!(matches!(RunFile::read(&run.directory()), Err(ReadError::Changed { line: 1, .. })));
    fs::write(&file, changed.replacen("\"digest\"", "\"was\"", 1)).unwrap();
    assert_eq!(of_the_machine(&run.view()), ["it is slow: make it fast"]);
    assert!(json(&run.view()).contains("\"remedy\": \"make it fast\""));
}

#[test]
fn the_last_outcome_of_a_process_holds() {
    let superseding = Record::Outcome(outcome(0, 0, Status::Failed, Some("arms disagree")));
    let other = Block::new(1, 0, "m/s", "native").ended(Status::Failed, "arms disagree");
    let mut both = other.records();
    both.push(superseding);
    let look = |view: &RunView| {
        let cells: Vec<_> = view.cells.iter().map(|cell| (cell.arm, cell.status, cell.series.len())).collect();
        (view.findings(), cells)
    };
    let expect = (2, vec![(Arm::Wasm, Status::Failed, 0), (Arm::Native, Status::Failed, 0)]);
    check(1, &[&block(0).records(), &both], look, expect);
}

#[test]
fn a_block_that_was_cut_off_does_not_count() {
    let mut cut = block(1).records();
    cut.pop();
    check(2, &[&block(0).records(), &cut], |view| (view.cells[0].processes, view.cells[0].series[0].samples), (1, 10));
    check(2, &[&cut], |view| (view.cells.len(), view.missing().map(|missing| missing.cells)), (0, Some(1)));
}

#[test]
fn batches_that_differ_are_merged_by_operation() {
    let first = Block::new(0, 0, "m/s", "wasm").timed(2, [20; 10]);
    let second = Block::new(0, 1, "m/s", "wasm").timed(4, [80; 10]);
    let look = |view: &RunView| {
        let cell = &view.cells[0];
        let timed = cell.timed().unwrap();
        let summary = &timed.summary;
        (timed.batch, timed.samples, timed.operations, [summary.min, summary.mean, summary.p50.unwrap(), summary.max])
    };
    check(2, &[&first.records(), &second.records()], look, (None, 20, 60, [10.0, 15.0, 10.0, 20.0]));
}

#[test]
fn a_histogram_stands_in_where_raw_samples_are_not_kept() {
    let mut without = block(0);
    without.series[0].raw = None;
    let mut summaries = Vec::new();
    for block in [block(0), without] {
        let mut run = Run::begin(1, 1);
        run.append(&block.records());
        summaries.push(run.view().cells[0].series[0].summary.clone());
    }
    assert_eq!(summaries[0], summaries[1]);
}

#[test]
fn the_ratio_takes_the_bytes_of_an_operation_where_the_limit_is_per_byte() {
    let limits = [calibration(When::Before, &[("memory-read", Some(0.05)), ("clock", Some(2.0)), ("spawn", None)])];
    let ratio = |view: &RunView| view.cells[0].ratio_to_limit(view);
    let timed =
        |limit, samples: usize| Block::new(0, 0, "m/s", "wasm").limit(limit).timed(1, vec![32; samples]).records();
    check(1, &[&limits, &timed("memory-read", 20)], ratio, Some(10.0));
    check(1, &[&limits, &timed("clock", 20)], ratio, Some(16.0));
    check(1, &[&limits, &timed("clock", 19)], ratio, None);
    check(1, &[&limits, &timed("spawn", 20)], ratio, None);
    check(1, &[&limits, &timed("syscall", 20)], ratio, None);
    let only_own = Block::new(0, 0, "m/s", "wasm").limit("clock").series("lag", Unit::Nanoseconds, &[], 1, [1; 20]);
    check(1, &[&limits, &only_own.records()], ratio, None);
}

#[test]
fn a_limit_is_the_mean_of_both_times_and_drifts_past_a_tenth() {
    let before = [calibration(When::Before, &[("clock", Some(20.0)), ("syscall", Some(100.0)), ("spawn", None)])];
    let after = [calibration(When::After, &[("clock", Some(22.0)), ("syscall", Some(80.0)), ("spawn", Some(5.0))])];
    let limits = |view: &RunView| {
        [MachineLimit::Clock, MachineLimit::Spawn, MachineLimit::Fdatasync].map(|limit| view.limit(limit))
    };
    check(1, &[&before, &after], limits, [Some(21.0), Some(5.0), None]);
    check(1, &[&before], limits, [Some(20.0), None, None]);
    let drifts = |view: &RunView| view.drifts().into_iter().map(|drift| (drift.limit, drift.share)).collect::<Vec<_>>();
    check(1, &[&before, &after], drifts, vec![(Named::Known(MachineLimit::Syscall), -0.2)]);
}

#[test]
fn checks_show_the_first_process_in_which_they_did_not_hold() {
    let mut second = block(1).ended(Status::Failed, "wrong");
    second.checks[0].passed = false;
    second.checks[0].detail = "63 of 64".to_owned();
    let look = |view: &RunView| view.cells[0].checks.iter().map(|c| (c.passed, c.detail.clone())).collect::<Vec<_>>();
    check(2, &[&block(0).records(), &second.records()], look, vec![(false, "63 of 64".to_owned())]);
}

#[test]
fn a_torn_tail_and_a_missing_end_are_known() {
    let mut run = Run::begin(2, 1);
    run.append(&block(0).records());
    run.tear();
    let view = run.view();
    assert_eq!(view.torn.map(|torn| (torn.line, torn.bytes)), Some((6, 11)));
    assert!(view.ended.is_none());
    assert!(view.missing().unwrap().reason.contains("killed"));
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let read = |records: &[Record]| {
        let mut run = Run::begin(1, 1);
        run.append(records);
        RunView::read(&run.directory()).unwrap_err()
    };
    // The same without a file.
    let refuse = |records: &[Record]| {
        let mut file = Run::begin(1, 1).file();
        file.records.extend_from_slice(records);
        RunView::of(file).unwrap_err()
    };
    let mut wrong = block(0);
    wrong.series[0].raw = None;
    wrong.series[0].histogram = "garbage".to_owned();
    let records = wrong.records();
    assert!(matches!(read(&records), ReportError::Read(ReadError::Series { line: 3, .. })));
    assert!(matches!(refuse(&records), ReportError::Histogram { cell: 0, process: 0, .. }));
    let mut wrong = block(0);
    wrong.series[0].batch = 0;
    let records = wrong.records();
    let said = read(&records).to_string();
    assert!(said.ends_with("run.jsonl:3: not a series as it was recorded: a sample spans no operation"), "{said}");
    assert_eq!(refuse(&records).to_string(), "cell 0, process 0: a sample of `s` spans no operation");
    let mut wrong = block(0);
    wrong.series[0].raw.iter_mut().flatten().for_each(|sample| *sample *= 10);
    assert!(read(&wrong.records()).to_string().contains("its samples are not those that its histogram counts"));
    assert!(matches!(read(&block(0).records()[1..]), ReportError::Inconsistent { .. }));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("run.jsonl"), "").unwrap();
    assert!(matches!(RunView::read(folder.path()), Err(ReportError::NoRun { .. })));
    assert!(matches!(RunView::read(&folder.path().join("absent")), Err(ReportError::Read(_))));
}

#[test]
fn a_run_in_two_parts_is_one_run() {
    let mut run = Run::begin(1, 2);
    let limits = |when, median| calibration(when, &[("syscall", Some(median))]);
    run.append(&[limits(When::Before, 10.0)]);
    run.append(&block(0).records());
    run.end(Some("interrupted"));
    assert_eq!(run.view().interrupted().as_deref(), Some("interrupted"));
    let (started, command) = ("2026-01-02T04:00:00Z".to_owned(), Vec::new());
    run.append(&[Record::Resumed(ResumedRecord { started, command, fingerprint: fingerprint() })]);
    run.append(&[limits(When::Before, 14.0)]);
    run.append(&block(1).records());
    assert!(run.view().interrupted().is_some_and(|why| why.contains("no end")), "the end was that of a part");
    run.append(&[limits(When::After, 12.0)]);
    run.end(None);
    let view = run.view();
    let cell = &view.cells[0];
    assert_eq!((view.interrupted(), view.resumed.len(), cell.processes, cell.series[0].samples), (None, 1, 2, 20));
    // The machine as it was before all of it and after all of it.
    assert_eq!(view.limit(MachineLimit::Syscall), Some(11.0));
    assert_eq!(view.drifts().len(), 1);
    assert!(text(&view).contains("seed 7, in 2 parts"));
}
