//! Runs that were merged of what several machines measured: each cell is compared with the rooflines of its own machine, and figures of
//! different machines with nothing.

use crate::compared::{BATCH, OPTIONS, wobbling};
use crate::fixture::{self, Block, Part, Run, calibration, fingerprint, merged, rendered};
use bench_model::MachineLimit;
use bench_report::{
    ComparisonReport, Courses, Document, History, Json, Page, PageRun, RunEntry, RunView, history_document,
    openmetrics, trend_document,
};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{Status, When};
use serde_json::{Value, json};

/// The digest of the program that measured.
const PROGRAM: &str = "0123456789abcdef";

fn timed(cell: u32, size: i64, ns: u64) -> Block {
    Block::new(cell, 0, "m/s", "wasm").argument("size", size).limit("clock").timed(1, [ns; 30])
}

/// Two machines of one class, of which `b` takes three times as long for everything.
fn two_machines() -> Run {
    let a = Part::new("a").limit("clock", 10.0).block(timed(0, 1, 200));
    let b = Part::new("b").limit("clock", 30.0).block(timed(1, 2, 600));
    merged("r", PROGRAM, [a, b])
}

fn read(document: &Document) -> Value {
    serde_json::from_str(&rendered(&Json, document)).unwrap()
}

#[test]
fn cell_is_compared_with_the_rooflines_of_its_machine() {
    let view = two_machines().view();
    let clock = MachineLimit::Clock;
    assert_eq!((view.limit_of(0, clock), view.limit_of(1, clock)), (Some(10.0), Some(30.0)));
    assert_eq!((view.limit(clock), view.first_limit(clock)), (None, Some(10.0)));
    let ratios: Vec<_> = view.cells.iter().map(|cell| cell.ratio_to_limit(&view)).collect();
    assert_eq!(ratios, [Some(20.0); 2]);
    assert!(view.drifts().is_empty(), "the rooflines of no machine changed");
}

#[test]
fn page_has_the_rooflines_of_each_machine() {
    let run = two_machines();
    let html = sample_run::page(&run, None);
    for expect in [
        ">10 ns  cell: 20×</text>",
        ">30 ns  cell: 20×</text>",
        "Rooflines of a, which measured the cell, before and after its part of the run; n = 200 samples each time.",
        "Rooflines of b, which measured the cell, before and after its part of the run",
        "<h3>Rooflines of a</h3>",
        "<h3>Rooflines of b</h3>",
        "<table id=\"rooflines-0-2\">",
        "The points were measured on different machines (a, b): do not compare them.",
    ] {
        assert!(html.contains(expect), "{expect}");
    }
    let file = run.file();
    let (view, courses) = (run.view(), Courses::of(&file).unwrap());
    let page = Page { runs: vec![PageRun::new(&view, &file, &courses, &[])], ..Page::default() };
    let files = page.files(false).files;
    let rooflines = files.iter().find(|file| file.name == "rooflines.csv").unwrap();
    let text = String::from_utf8(rooflines.content.clone()).unwrap();
    let starts: Vec<String> = text.lines().map(|line| line.split(',').take(4).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(starts, ["machine,roofline,unit,before", "a,clock,ns,10", "b,clock,ns,30"]);
}

#[test]
fn exports_name_the_machine_of_cells_and_rooflines() {
    let view = two_machines().view();
    let metrics = openmetrics(&view);
    for expect in [
        "bench_host_roofline_seconds{roofline=\"clock\",machine=\"a\",shard=\"1\"} 1e-8\n",
        "bench_host_roofline_seconds{roofline=\"clock\",machine=\"b\",shard=\"2\"} 3e-8\n",
        "bench_host_cell_ok{scenario=\"m/s\",arm=\"wasm\",arguments=\"size=2\",machine=\"b\",shard=\"2\"} 1\n",
    ] {
        assert!(metrics.contains(expect), "{expect}: {metrics}");
    }
    let document: Value = serde_json::from_str(&fixture::json(&view)).unwrap();
    assert_eq!(document["run"]["calibration"], json!({}), "no machine has rooflines of several");
    let parts = &document["run"]["parts"];
    let before = |part: usize| (&parts[part]["machine"], parts[part]["calibration"]["clock"]["before"].as_f64());
    assert_eq!((before(0), before(1)), ((&json!("a"), Some(10.0)), (&json!("b"), Some(30.0))));
    let cell = &document["cells"][1];
    assert_eq!((&cell["machine"], cell["limit"]["ratio"].as_f64()), (&json!("b"), Some(20.0)));
}

#[test]
fn run_without_parts_has_one_machine() {
    let mut run = Run::begin(2, 1);
    run.append(&[calibration(When::Before, &[("clock", Some(10.0))])]);
    run.append(&timed(0, 1, 200).records());
    run.append(&timed(1, 2, 600).records());
    run.end(None);
    let view = run.view();
    assert_eq!(view.same_host([0, 1]), Ok(()));
    assert_eq!(view.limit(MachineLimit::Clock), view.limit_of(1, MachineLimit::Clock));
    let document: Value = serde_json::from_str(&fixture::json(&view)).unwrap();
    assert!(document["run"].get("parts").is_none() && document["cells"][0].get("machine").is_none());
}

#[test]
fn machine_is_told_by_its_kernel_and_what_distinguishes_it() {
    let check = |other: Part, expect: Result<(), &str>| {
        let view = merged("r", PROGRAM, [Part::new("a").block(timed(0, 1, 200)), other.block(timed(1, 2, 600))]).view();
        assert_eq!(view.same_host([0, 1]), expect.map_err(str::to_owned));
        assert_eq!(view.same_host([1]), Ok(()));
    };
    check(Part::new("a"), Ok(()));
    check(Part::new("b"), Err("measured on different machines (a, b)"));
    let busier = Fingerprint { load: Some([9.0; 3]), ..fingerprint() };
    check(Part::new("a").on(busier), Ok(()));
    let slower = Fingerprint { governor: Some("powersave".to_owned()), ..fingerprint() };
    check(Part::new("a").on(slower), Err("measured on different machines (a, a)"));
}

/// Three processes of a cell that takes `level` nanoseconds.
fn part(machine: &str, cells: &[(u32, f64)]) -> Part {
    let repetitions = cells.iter().flat_map(|cell| (0..3).map(move |process| (cell, process)));
    repetitions.fold(Part::new(machine), |part, ((cell, level), process)| {
        let block = Block::new(*cell, process, "m/s", "wasm").argument("size", i64::from(*cell));
        part.block(block.timed(BATCH, wobbling(*level, process, 0)))
    })
}

fn compare(a: &Run, b: &Run, across_machines: bool) -> Result<ComparisonReport, String> {
    let compared = ComparisonReport::of_runs(vec![a.file()], vec![b.file()], &OPTIONS, across_machines);
    compared.map_err(|error| error.to_string())
}

#[test]
fn machines_of_one_class_are_compared_only_if_that_is_wanted() {
    let of = |id: &str, machine: &str| merged(id, PROGRAM, [part(machine, &[(0, 100.0)])]);
    let same = compare(&of("r", "a"), &of("s", "a"), false).unwrap();
    assert!(same.has_ratios() && same.across_machines.is_none());
    let refused = compare(&of("r", "a"), &of("s", "b"), false).unwrap_err();
    assert_eq!(
        refused,
        "r@a and s@b were made on different machines: no cell was measured by one machine on both sides; with \
         `--across-machines` they are compared all the same"
    );
    let wanted = compare(&of("r", "a"), &of("s", "b"), true).unwrap();
    assert!(wanted.has_ratios());
    assert_eq!(wanted.across_machines.as_deref(), Some("r@a and s@b"));
    // A run without parts does not name its machine.
    let mut plain = merged("r", PROGRAM, Vec::<Part>::new());
    plain.append(&Block::new(0, 0, "m/s", "wasm").argument("size", 0i64).timed(BATCH, wobbling(100.0, 0, 0)).records());
    let refused = compare(&plain, &of("s", "b"), false).unwrap_err();
    assert!(refused.starts_with("the unnamed machine of r and s@b were made"), "{refused}");
}

#[test]
fn classes_that_differ_in_kernel_or_program_are_told_apart() {
    let one = merged("r", PROGRAM, [part("a", &[(0, 100.0)])]);
    let newer = Fingerprint { kernel: "6.2.0".to_owned(), ..fingerprint() };
    let other = merged("s", PROGRAM, [part("a", &[(0, 100.0)]).on(newer)]);
    let refused = compare(&one, &other, false).unwrap_err();
    assert!(refused.contains("kernel 6.1.0 and 6.2.0; with `--across-machines`"), "{refused}");
    let other = merged("s", "fedcba9876543210", [part("a", &[(0, 100.0)])]);
    let refused = compare(&one, &other, false).unwrap_err();
    assert!(refused.contains("program 0123456789ab and fedcba987654; with `--across-machines`"), "{refused}");
    let wanted = compare(&one, &other, true).unwrap();
    assert_eq!(wanted.across_machines.as_deref(), Some("program 0123456789ab and fedcba987654"));
}

#[test]
fn cell_that_moved_to_another_machine_has_no_ratio_and_the_others_have() {
    let a = merged("r", PROGRAM, [part("a", &[(0, 100.0)]), part("b", &[(1, 300.0)])]);
    let b = merged("s", PROGRAM, [part("a", &[(0, 100.0), (1, 100.0)])]);
    let comparison = compare(&a, &b, false).unwrap();
    let found = |index: usize| {
        let compared = &comparison.comparisons[index];
        (compared.status, compared.figures.is_some(), compared.reason.as_deref())
    };
    assert_eq!(found(0), (Status::Ok, true, None));
    let reason =
        "measured on different machines (r@b, s@a); `compare RUN RUN --across-machines` compares them all the same";
    assert_eq!(found(1), (Status::Skipped, false, Some(reason)));
    let wanted = compare(&a, &b, true).unwrap();
    assert!(wanted.comparisons.iter().all(|compared| compared.figures.is_some()));
}

/// What the history keeps of `run`, which was made on this day.
fn entry(run: &Run, day: u32) -> RunEntry {
    let mut entry = RunEntry::of(&run.view());
    entry.id = format!("2026-01-{day:02}T00-00-00Z-abc");
    entry.started = format!("2026-01-{day:02}T00:00:00Z");
    entry
}

#[test]
fn each_machine_has_a_history_of_its_own() {
    let of = |machine: &str, ns| merged("r", PROGRAM, [Part::new(machine).block(timed(0, 1, ns))]);
    let runs = vec![entry(&of("a", 200), 1), entry(&of("b", 600), 2), entry(&of("a", 220), 3)];
    let text = serde_json::to_string(&runs[1]).unwrap();
    assert_eq!(serde_json::from_str::<RunEntry>(&text).unwrap(), runs[1]);
    let document = read(&history_document(&History { runs, left_out: Vec::new() }));
    let cells = document["cells"].as_array().unwrap();
    let found: Vec<_> = cells.iter().map(|cell| (cell["machine"].as_str().unwrap(), cell["change"].as_f64())).collect();
    let [(a, Some(change)), (b, None)] = found[..] else { panic!("{found:?}") };
    assert!(a.ends_with("@a") && b.ends_with("@b") && (change - 0.1).abs() < 1e-9, "{found:?}");
}

#[test]
fn step_is_explained_by_the_rooflines_of_the_machine_that_measured_the_cell() {
    let of_day = |day: u32| {
        let (ns, clock) = if day > 10 { (11_800, 59.0) } else { (10_000, 50.0) };
        let a = Part::new("a").limit("clock", 20.0).block(timed(1, 2, 500));
        let clock = clock + f64::from(day % 3) / 10.0;
        let b = Part::new("b").limit("clock", clock).block(timed(0, 1, ns + u64::from(day * 7 % 5) * 10));
        entry(&merged("r", PROGRAM, [a, b]), day)
    };
    let runs: Vec<RunEntry> = (1..=20).map(of_day).collect();
    let document = read(&trend_document(&runs, Vec::new()));
    let trends = document["trends"].as_array().unwrap();
    let step = trends.iter().find_map(|trend| trend["steps"].get(0)).unwrap();
    assert_eq!(step["cause"], "machine", "{step:#}");
    assert!(step["detail"][0].as_str().unwrap().starts_with("clock moved +1"), "{step:#}");
}

#[test]
fn view_of_one_shard_is_that_of_its_machine() {
    let run = merged("r", PROGRAM, [Part::new("a").limit("clock", 10.0).block(timed(0, 1, 200))]);
    let view: RunView = run.view();
    assert_eq!(view.limit(MachineLimit::Clock), Some(10.0));
    let document: Value = serde_json::from_str(&fixture::json(&view)).unwrap();
    assert_eq!(document["run"]["calibration"]["clock"]["before"].as_f64(), Some(10.0));
}
