//! Bytes in place of what a worker reports of a repetition, in which native code has run: the run goes on, what is written can be read again,
//! and the cell has a figure only if the report is one of it.

#![no_main]

use bench_engine::{
    Done, Executor, Finished, Interrupt, Journal, LoadedModule, Observer, Plan, Repetition, RepetitionEnd, Report,
    RunEnd, Selection, run,
};
use bench_model::{Arm, Descriptor, Metric, Scenario, Unit};
use bench_report::{Detail, Layout, RENDERERS, RunView, run_document};
use bench_sink::runfile::{Record, RunFile, WriteError, encode};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// One cell of one process.
static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let lag = Metric::new("lag", Unit::Nanoseconds, "of nothing in particular").label("side");
    let scenario = Scenario::new("stream", "fuzzed", "").metric(lag);
    let offer = LoadedModule {
        file: "fuzzed.so".into(),
        sha256: "0".repeat(64),
        arm: Arm::Native,
        variant: None,
        descriptor: Descriptor::new("fuzzed", "1", "").scenario(scenario),
    };
    let all = Selection { pattern: "*".to_owned(), arms: None, axes: Vec::new() };
    Plan::build(vec![offer], &[all], 1, 7).expect("there is a cell")
});

/// The beginning of a run file.
static HEAD: LazyLock<Vec<Record>> = LazyLock::new(|| sample_run::Run::begin(1, 1).file().records);

/// Reports what it is given.
struct Reported(Option<Report>);

impl Executor for Reported {
    fn execute(&mut self, _: &Plan, _: Repetition) -> RepetitionEnd {
        self.0.take().map_or(RepetitionEnd::Interrupted, |report| RepetitionEnd::Done(Box::new(report)))
    }
}

/// Keeps the records.
struct Kept(Vec<Record>);

impl Journal for Kept {
    fn append(&mut self, records: &[Record]) -> Result<(), WriteError> {
        self.0.extend_from_slice(records);
        Ok(())
    }
}

/// Ignores everything.
struct Nobody;

impl Observer for Nobody {
    fn started(&mut self, _: &Plan, _: Repetition, _: usize) {}
    fn finished(&mut self, _: &Plan, _: &Finished) {}
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(report) = serde_json::from_slice::<Report>(bytes) else { return };
    let mut kept = Kept(HEAD.clone());
    let mut worker = Reported(Some(report));
    let ended = run(&PLAN, Done::default(), &mut worker, &mut kept, &mut Nobody, &Interrupt::new());
    assert_eq!(ended.expect("a vector has room"), RunEnd::Complete);
    assert!(encode(&kept.0).ends_with(b"\n"));
    let file = RunFile { directory: "run".into(), records: kept.0, torn: None };
    let view = RunView::of(file).expect("what a run writes can be read");
    assert_eq!(view.cells.len(), 1);
    let document = run_document(&view, &[], Detail { all_series: true, all_cells: true });
    for renderer in RENDERERS {
        assert!(!renderer.render(&document, &Layout::default()).contains('\u{1b}'), "{renderer:?}");
    }
});
