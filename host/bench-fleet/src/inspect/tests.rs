//! What honest agents send, and every way in which a block can be something else than it says.

use super::*;
use crate::made_up;
use bench_model::Direction;
use bench_sink::Series;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{CalibrationRecord, CheckRecord, EndRecord, PartRecord, When, encode};

const A: AgentId = AgentId(0);
const B: AgentId = AgentId(1);

/// Three cells, of which the first two are a group, in two repetitions; the program of the agent `A` is known.
fn inspector() -> Inspector {
    let cells = [0, 0, 1].map(made_up::planned_cell).to_vec();
    Inspector::new(&made_up::spec(), planned(), cells, vec![Some("p".to_owned()), None])
}

fn planned() -> Planned {
    made_up::planned(3, 2)
}

fn run() -> RunRecord {
    RunRecord { program_sha256: Some("p".to_owned()), ..made_up::run(made_up::spec(), planned()) }
}

fn module(sha256: &str, refused: Option<&str>) -> Record {
    Record::Module(ModuleRecord {
        file: "m.wasm".to_owned(),
        sha256: Some(sha256.to_owned()),
        arm: None,
        descriptor: None,
        granted: Vec::new(),
        compiler: None,
        note: None,
        refused: refused.map(str::to_owned),
    })
}

fn cell(cell: u32, process: u32) -> Record {
    Record::Cell(made_up::cell(cell, process, "m.wasm"))
}

fn outcome(cell: u32, process: u32, status: Status) -> Record {
    Record::Outcome(OutcomeRecord::without_figures(cell, process, status))
}

fn series(cell: u32, process: u32, unit: Unit) -> SeriesRecord {
    let mut series = Series::new("s", unit, Direction::LowerIsBetter);
    [3, 5, 7].iter().for_each(|sample| series.record(*sample));
    SeriesRecord::new(cell, process, &series)
}

fn check_of(cell: u32, process: u32) -> Record {
    Record::Check(CheckRecord { cell, process, name: "c".to_owned(), passed: true, detail: String::new() })
}

/// Sends these blocks as the agent `A`, after a head.
fn sent(blocks: &[(Part, Vec<Record>)]) -> (Inspector, Vec<Result<(), String>>) {
    let mut inspector = inspector();
    inspector.take(A, Part::Note(0), &encode(&[Record::Run(run())])).unwrap();
    let found = blocks.iter().map(|(part, records)| inspector.take(A, *part, &encode(records))).collect();
    (inspector, found)
}

fn repetition(cell: u32, process: u32) -> Part {
    Part::Repetition { cell, process }
}

/// The repetition of a cell that succeeds.
fn good(number: u32, process: u32) -> (Part, Vec<Record>) {
    let records = vec![
        cell(number, process),
        Record::Series(series(number, process, Unit::Nanoseconds)),
        check_of(number, process),
        outcome(number, process, Status::Ok),
    ];
    (repetition(number, process), records)
}

#[test]
fn group_lacks_nothing_when_each_of_its_cells_was_measured_or_given_up() {
    let blocks = [good(0, 0), good(1, 0), good(0, 1)];
    let (mut inspector, found) = sent(&blocks);
    assert!(found.iter().all(Result::is_ok), "{found:?}");
    assert_eq!(inspector.lacking(A, 0).as_deref(), Some("repetitions of cell 1"));
    assert_eq!(inspector.lacking(B, 0).as_deref(), Some("repetitions of cell 0"), "another agent has sent nothing");
    assert_eq!(inspector.lacking(A, 7), None, "who reports a group that the plan lacks is told so elsewhere");
    // Sent again, it is no further repetition.
    let (part, records) = good(1, 0);
    inspector.take(A, part, &encode(&records)).unwrap();
    assert!(inspector.lacking(A, 0).is_some());
    // The other cell fails too, because the results differ.
    let last = [cell(1, 1), outcome(0, 0, Status::Failed), outcome(1, 1, Status::Failed)];
    inspector.take(A, repetition(1, 1), &encode(&last)).unwrap();
    assert_eq!(inspector.lacking(A, 0), None);
    for status in [Status::Failed, Status::Skipped] {
        let (inspector, _) = sent(&[(repetition(2, 0), vec![cell(2, 0), outcome(2, 0, status)])]);
        assert_eq!(inspector.lacking(A, 1), None, "it is not tried again");
    }
    let (inspector, _) = sent(&[(repetition(2, 0), vec![cell(2, 0), outcome(2, 0, Status::Void)])]);
    assert!(inspector.lacking(A, 1).is_some(), "it is tried again");
}

/// Checks that the last of these blocks is refused, and no other.
#[track_caller]
fn check_last(blocks: &[(Part, Vec<Record>)], reason: &str) {
    let (_, found) = sent(blocks);
    let (last, others) = found.split_last().unwrap();
    assert!(others.iter().all(Result::is_ok), "{found:?}");
    assert_eq!(last.as_ref().unwrap_err(), reason);
}

#[test]
fn block_with_other_records_than_it_announces_is_refused() {
    let of = |records: Vec<Record>, reason: &str| check_last(&[(repetition(0, 0), records)], reason);
    of(good(1, 0).1, "it does not begin with the cell that it announces");
    of(vec![outcome(0, 0, Status::Ok)], "it does not begin with the cell that it announces");
    of(vec![cell(0, 0)], "it has no outcome");
    let other = "it holds records of another repetition";
    of(vec![cell(0, 0), Record::Series(series(1, 0, Unit::Count)), outcome(0, 0, Status::Ok)], other);
    of(vec![cell(0, 0), check_of(0, 1), outcome(0, 0, Status::Ok)], other);
    of(vec![cell(0, 0), Record::Run(run()), outcome(0, 0, Status::Ok)], other);
    of(vec![cell(0, 0), outcome(1, 0, Status::Failed), outcome(0, 0, Status::Failed)], other);
    of([good(0, 0).1, good(0, 0).1].concat(), "it goes on after its outcome");
    // Only a cell of the same group can be contradicted, and only one that was measured.
    let foreign = vec![cell(0, 0), outcome(2, 0, Status::Failed), outcome(0, 0, Status::Failed)];
    check_last(&[good(2, 0), (repetition(0, 0), foreign)], other);
    let without_reason = vec![cell(0, 0), outcome(1, 0, Status::Ok), outcome(0, 0, Status::Ok)];
    check_last(&[good(1, 0), (repetition(0, 0), without_reason)], other);
}

#[test]
fn cell_that_the_plan_does_not_have_is_refused() {
    check_last(&[good(3, 0)], "the plan has no such repetition");
    check_last(&[good(0, 2)], "the plan has no such repetition");
    let change = |change: fn(&mut CellRecord)| {
        let mut record = made_up::cell(0, 0, "m.wasm");
        change(&mut record);
        let records = vec![Record::Cell(record), outcome(0, 0, Status::Ok)];
        check_last(&[(repetition(0, 0), records)], "the plan has another cell of this number");
    };
    change(|cell| cell.scenario = "m/t".to_owned());
    change(|cell| cell.arm = Arm::Native);
    change(|cell| cell.variant = Some("fuel".to_owned()));
    change(|cell| cell.arguments.set("n", 1_i64));
    change(|cell| cell.module.sha256 = "e".to_owned());
}

#[test]
fn series_that_no_reader_could_use_is_refused() {
    let with = |change: fn(&mut SeriesRecord), reason: &str| {
        let mut record = series(0, 0, Unit::Nanoseconds);
        change(&mut record);
        let records = vec![cell(0, 0), Record::Series(record), outcome(0, 0, Status::Ok)];
        check_last(&[(repetition(0, 0), records)], reason);
    };
    let other = "it has a series with other samples than it says";
    with(|series| series.count = 4, other);
    with(|series| series.batch = 0, other);
    with(|series| series.raw = Some(vec![3]), other);
    let no_histogram = "not an HDR V2 histogram in base64: invalid header or length";
    with(|series| series.histogram = "AAAA".to_owned(), no_histogram);
    let units = "it has a series in another unit than before";
    let in_bytes = vec![cell(0, 1), Record::Series(series(0, 1, Unit::Bytes)), outcome(0, 1, Status::Ok)];
    check_last(&[good(0, 0), (repetition(0, 1), in_bytes)], units);
    let [first, second] = [Unit::Nanoseconds, Unit::Bytes].map(|unit| Record::Series(series(0, 0, unit)));
    check_last(&[(repetition(0, 0), vec![cell(0, 0), first, second, outcome(0, 0, Status::Ok)])], units);
}

/// Checks a first block of the agent `A`.
#[track_caller]
fn check_head(records: &[Record], expect: Result<(), &str>) {
    let found = inspector().take(A, Part::Note(0), &encode(records));
    assert_eq!(found, expect.map_err(str::to_owned));
}

#[test]
fn head_is_of_this_run_and_program() {
    check_head(&[Record::Run(run())], Ok(()));
    check_head(&[Record::Run(run()), module("x", Some("it cannot be loaded"))], Ok(()));
    check_head(&[Record::Run(RunRecord { id: "other".to_owned(), ..run() })], Err("it is of another run"));
    check_head(&[Record::Run(RunRecord { seed: 2, ..run() })], Err("it is of another seed"));
    let larger = Planned { cells: 4, ..planned() };
    check_head(&[Record::Run(RunRecord { planned: larger, ..run() })], Err("it is of another plan"));
    check_head(&[Record::Run(RunRecord { program_sha256: None, ..run() })], Err("it is of another program"));
    check_head(&[Record::Run(run()), module("x", None)], Err("it names other modules than the run has"));
    check_head(&[Record::Run(run()), cell(0, 0)], Err("it has other records than the head of a run file"));
    check_head(&[cell(0, 0)], Err("it does not begin with the head of a run file"));
}

#[test]
fn notes_hold_what_belongs_to_no_cell() {
    let calibration = Record::Calibration(CalibrationRecord { when: When::Before, limits: Vec::new() });
    let end = Record::End(EndRecord { finished: "2".to_owned(), stopped: None });
    let (_, found) = sent(&[(Part::Note(1), vec![calibration.clone()]), (Part::Note(2), vec![end])]);
    assert!(found.iter().all(Result::is_ok), "{found:?}");
    let part = PartRecord {
        number: 1,
        of: 1,
        run: "r@b".to_owned(),
        started: "1".to_owned(),
        fingerprint: Fingerprint::default(),
        boot_id: None,
        clock: Vec::new(),
    };
    for record in [Record::Run(run()), Record::Part(part), cell(0, 0), outcome(0, 0, Status::Ok)] {
        let block = (Part::Note(1), vec![calibration.clone(), record]);
        check_last(&[block], "it has records that must not stand alone");
    }
}

#[test]
fn what_are_no_records_is_refused_wherever_it_is() {
    let mut inspector = inspector();
    let early = inspector.take(A, repetition(0, 0), &encode(&good(0, 0).1));
    assert_eq!(early.unwrap_err(), "the head of the run file was not sent before it");
    inspector.take(A, Part::Note(0), &encode(&[Record::Run(run())])).unwrap();
    let deep = format!("{{\"v\":1,\"record\":\"cell\",\"cell\":{}\n", "[".repeat(100_000));
    let cases: [(&[u8], &str); 6] = [
        (b"", "its last line has no end"),
        (b"{\"v\":1", "its last line has no end"),
        (b"\n", "line 1 is not a record of a run file"),
        (b"\xff\x1b\n", "line 1 is not a record of a run file"),
        (b"{\"v\":1,\"record\":\"later\"}\n", "line 1 is a record of an unknown kind"),
        (b"{\"v\":2,\"record\":\"end\"}\n", "line 1 is a record of version 2"),
    ];
    for part in [Part::Note(0), Part::Note(1), repetition(0, 0)] {
        let deep = (deep.as_bytes(), "line 1 is not a record of a run file");
        for (block, reason) in cases.iter().copied().chain([deep]) {
            assert_eq!(inspector.take(A, part, block).unwrap_err(), reason, "{part}");
        }
    }
    let (part, mut records) = (repetition(0, 0), encode(&good(0, 0).1));
    records.extend(b"{}\n");
    assert_eq!(inspector.take(A, part, &records).unwrap_err(), "it goes on after its outcome");
}

#[test]
fn record_that_nests_deeply_is_refused_or_harmless() {
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let no_record = "line 2 is not a record of a run file";
    let whole = "\"name\":\"c\",\"passed\":true,\"detail\":\"\",";
    let cases = [
        ("check", "\"name\":\"c\",\"passed\":true,", "detail", Err(no_record)),
        ("series", "", "labels", Err(no_record)),
        ("outcome", "", "reason", Err(no_record)),
        ("cell", "", "arguments", Err(no_record)),
        ("later", "", "x", Err("line 2 is a record of an unknown kind")),
        // Nobody looks at it.
        ("check", whole, "x", Ok(())),
    ];
    for value in [nested("[", "]"), nested("{\"x\":", "}")] {
        for (kind, fields, field, expect) in cases {
            let mut inspector = inspector();
            inspector.take(A, Part::Note(0), &encode(&[Record::Run(run())])).unwrap();
            let mut block = encode(&[cell(0, 0)]);
            let line =
                format!("{{\"v\":1,\"record\":\"{kind}\",\"cell\":0,\"process\":0,{fields}\"{field}\":{value}}}\n");
            block.extend(line.bytes());
            block.extend(encode(&[outcome(0, 0, Status::Ok)]));
            let found = inspector.take(A, repetition(0, 0), &block);
            assert_eq!(found, expect.map_err(str::to_owned), "{kind} {field}");
        }
    }
}
