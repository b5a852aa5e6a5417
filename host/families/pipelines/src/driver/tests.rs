//! The drivers on connectors and tables that are made up: right ones, slow ones, and ones that fail or lie in every way that a
//! figure could come out of.

use super::drive::{Sides, measure};
use super::tables::{TableFingerprint, Tables};
use super::*;
use crate::connectors::{
    BATCH_BYTES_MAX, BatchError, Code, Connector, ConnectorInstance, Connectors, Emit, Loading, Next, Transfer,
};
use crate::spec::{FROM_TABLE, INTO_TABLE};
use bench_drivers::{Direct, Drivers};
use bench_engine::{Amount, Budget, Clock, MonotonicClock, Repetition};
use bench_model::{Descriptor, Value};
use bench_sink::Series;
use std::sync::{Arc, Mutex};

/// Batches of a whole transfer, and rows and bytes of each.
const BATCHES: u64 = 20;
const ROWS: u64 = 50;
const BYTES: usize = 1_000;

/// What a made-up connector does otherwise than it should.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Deed {
    #[default]
    None,
    /// It works for a while on each batch.
    Slow,
    FailsAfterHalf,
    PanicsAfterHalf,
    FailsToInstantiate,
    TooLarge,
    /// It says that it moved one row more than it did.
    Overstates,
    /// It says that its stages took longer than they could have.
    Overtimes,
    /// It works in no stage.
    Idles,
    /// Its server takes every second connection, and `takes_next` the next one.
    Busy {
        takes_next: bool,
    },
}

/// What is committed: batches.
type Target = Arc<Mutex<Option<Vec<Vec<u8>>>>>;

struct Mock {
    deed: Deed,
    target: Target,
}

/// A module for `driver`, whose description is completed as the host does it.
fn module(driver: &str, deed: Deed, target: &Target) -> Direct<dyn Connectors> {
    let descriptor = Descriptor::new(driver, "1", "").scenario(Scenario::uses(driver, "move"));
    let drivers = Drivers::new(&[
        &ConnectorDriver(spec::SOURCE),
        &ConnectorDriver(spec::TRANSFORM),
        &ConnectorDriver(spec::DESTINATION),
    ]);
    let descriptor = bench_drivers::merged(&descriptor, drivers);
    let connectors: Box<dyn Connectors> = Box::new(Mock { deed, target: target.clone() });
    Direct::new(descriptor, connectors)
}

fn scenario(module: &Direct<dyn Connectors>) -> Scenario {
    module.descriptor().scenarios[0].clone()
}

impl Connectors for Mock {
    fn connector(&mut self, _: &Scenario) -> Result<Box<dyn Connector>, ModuleError> {
        Ok(Box::new(MockConnector { deed: self.deed, target: self.target.clone() }))
    }

    fn loading(&self) -> Loading {
        Loading { ns: 5, code: Code::Cached }
    }
}

#[derive(Clone)]
struct MockConnector {
    deed: Deed,
    target: Target,
}

impl Connector for MockConnector {
    fn instantiate(&mut self) -> Result<Box<dyn ConnectorInstance>, ModuleError> {
        if let Deed::Busy { takes_next } = &mut self.deed {
            *takes_next = !*takes_next;
        }
        match self.deed {
            Deed::Busy { takes_next: true } => Err(ModuleError::Unavailable("too many clients already".to_owned())),
            Deed::FailsToInstantiate => Err(ModuleError::Crashed("no memory".to_owned())),
            _ => Ok(Box::new(self.clone())),
        }
    }
}

/// Works for `us` microseconds, on the processor: a clock that only waits could be woken late.
fn work(us: u64) {
    let clock = MonotonicClock::new();
    while clock.now_ns() < us * 1_000 {}
}

/// Stages of a transfer by one clock, so that nothing lies between them.
struct Stages {
    clock: MonotonicClock,
    last: u64,
    spans: Vec<(String, u64)>,
}

impl Stages {
    fn new() -> Self {
        Self { clock: MonotonicClock::new(), last: 0, spans: Vec::new() }
    }

    fn end(&mut self, name: &str) {
        let now = self.clock.now_ns();
        self.spans.push((name.to_owned(), now - self.last));
        self.last = now;
    }
}

impl MockConnector {
    fn half(&self, batch: u64) -> Result<(), ModuleError> {
        match self.deed {
            Deed::FailsAfterHalf if batch == BATCHES / 2 => Err(ModuleError::Other("connection cut".to_owned())),
            Deed::PanicsAfterHalf if batch == BATCHES / 2 => std::panic::resume_unwind(Box::new("half")),
            _ => Ok(()),
        }
    }

    fn report(&self, mut stages: Stages, batches: u64, bytes: u64) -> Transfer {
        match self.deed {
            Deed::Overtimes => stages.spans.push(("connect".to_owned(), 1_000_000_000)),
            Deed::Idles => work(3_000),
            _ => {}
        }
        let records = batches * ROWS + u64::from(self.deed == Deed::Overstates);
        Transfer { records, bytes, stages: stages.spans }
    }
}

impl ConnectorInstance for MockConnector {
    fn read(&mut self, arguments: &Arguments, mut batches: Box<dyn Emit>) -> Result<Transfer, ModuleError> {
        assert_eq!(arguments.text(FROM_TABLE), Ok("from"));
        let failed = |error: BatchError| ModuleError::Other(error.to_string());
        let mut stages = Stages::new();
        work(500);
        stages.end("connect");
        for batch in 0..BATCHES {
            self.half(batch)?;
            work(if self.deed == Deed::Slow { 300 } else { 5 });
            let bytes = if self.deed == Deed::TooLarge { BATCH_BYTES_MAX as usize + 1 } else { BYTES };
            let rows = vec![batch as u8; bytes];
            stages.end("fetch");
            batches.emit(rows.into()).map_err(failed)?;
            stages.end("emit");
        }
        Ok(self.report(stages, BATCHES, BATCHES * BYTES as u64))
    }

    /// Hands on every second batch.
    fn change(
        &mut self,
        _: &Arguments,
        mut from: Box<dyn Next>,
        mut into: Box<dyn Emit>,
    ) -> Result<Transfer, ModuleError> {
        let failed = |error: BatchError| ModuleError::Other(error.to_string());
        let mut stages = Stages::new();
        let (mut taken, mut given, mut bytes) = (0, 0, 0);
        loop {
            let batch = from.next().map_err(failed)?;
            stages.end("receive");
            let Some(batch) = batch else { break };
            self.half(taken)?;
            taken += 1;
            bytes += batch.len() as u64;
            if taken % 2 == 0 {
                given += 1;
                bytes += batch.len() as u64;
                into.emit(std::borrow::Cow::Owned(batch)).map_err(failed)?;
            }
            stages.end("emit");
        }
        Ok(self.report(stages, given, bytes))
    }

    fn write(&mut self, arguments: &Arguments, mut batches: Box<dyn Next>) -> Result<Transfer, ModuleError> {
        assert_eq!(arguments.text(INTO_TABLE), Ok("into"));
        let failed = |error: BatchError| ModuleError::Other(error.to_string());
        let (mut stages, mut written) = (Stages::new(), Vec::new());
        loop {
            let batch = batches.next().map_err(failed)?;
            stages.end("receive");
            let Some(batch) = batch else { break };
            self.half(written.len() as u64)?;
            work(if self.deed == Deed::Slow { 300 } else { 5 });
            written.push(batch);
            stages.end("flush");
        }
        let (count, bytes) = (written.len() as u64, written.iter().map(|batch| batch.len() as u64).sum());
        *self.target.lock().unwrap() = Some(written);
        stages.end("commit");
        Ok(self.report(stages, count, bytes))
    }
}

/// Tables of which the target is a list of batches.
struct MockTables {
    held: TableFingerprint,
    expected: TableFingerprint,
    target: Target,
    /// What is loaded looks like this instead.
    lie: Option<TableFingerprint>,
    /// Somebody writes to the source.
    is_source_changed: bool,
}

fn held(rows: u64, hash: &str) -> TableFingerprint {
    TableFingerprint { rows, hash: hash.to_owned(), columns: "id integer".to_owned() }
}

impl Tables for MockTables {
    fn conditions(&self) -> &[(String, String)] {
        &[]
    }

    fn source(&self) -> (&str, &TableFingerprint) {
        ("from", &self.held)
    }

    fn target(&self) -> &str {
        "into"
    }

    fn expected(&self) -> &TableFingerprint {
        &self.expected
    }

    fn clear(&mut self) -> Result<(), ModuleError> {
        *self.target.lock().unwrap() = None;
        Ok(())
    }

    fn has_source_changed(&mut self) -> Result<bool, ModuleError> {
        Ok(self.is_source_changed)
    }

    fn loaded(&mut self) -> Result<Option<TableFingerprint>, ModuleError> {
        let target = self.target.lock().unwrap();
        let Some(batches) = &*target else { return Ok(None) };
        let in_order = (0..BATCHES).map(|batch| vec![batch as u8; BYTES]);
        let hash = if batches.iter().cloned().eq(in_order) { "same" } else { "other" };
        Ok(Some(self.lie.clone().unwrap_or_else(|| held(batches.len() as u64 * ROWS, hash))))
    }
}

/// The result of a transfer between made-up connectors: series or the reason, and the checks.
struct Found {
    result: Result<Vec<Series>, String>,
    checks: Vec<Check>,
}

#[derive(Default)]
struct Setup {
    source: Deed,
    destination: Deed,
    compression: Option<&'static str>,
    lie: Option<TableFingerprint>,
    is_source_changed: bool,
    retries: i64,
    transform: Option<Deed>,
}

fn driven(setup: Setup) -> Found {
    let target = Target::default();
    let mut destination = module("destination", setup.destination, &target);
    let source = module("source", setup.source, &target);
    let of_source = scenario(&source);
    let mut dependency = Dependency {
        module: Box::new(source),
        scenario: of_source,
        arguments: Arguments::default(),
        further: Vec::new(),
    };
    if let Some(deed) = setup.transform {
        let transform = module("transform", deed, &target);
        let (scenario, arguments) = (scenario(&transform), Arguments::default());
        dependency.further.push(Dependency { module: Box::new(transform), scenario, arguments, further: Vec::new() });
    }
    let mut arguments = Arguments::default();
    arguments.set("max_inflight_batches", 2);
    arguments.set("retries", setup.retries);
    arguments.set("compression", setup.compression.unwrap_or("none"));
    let scenario = scenario(&destination);
    let mut sides = Sides::prepare(&mut destination, Some(&mut dependency), &scenario, &arguments).unwrap();
    let all = held(BATCHES * ROWS, "same");
    let expected = if setup.transform.is_some() { held(BATCHES / 2 * ROWS, "other") } else { all.clone() };
    let is_source_changed = setup.is_source_changed;
    let mut tables = MockTables { held: all, expected, target, lie: setup.lie, is_source_changed };
    run(&mut sides, &mut tables, &scenario, &arguments)
}

fn run(sides: &mut Sides, tables: &mut MockTables, scenario: &Scenario, arguments: &Arguments) -> Found {
    let budget = Budget { warm_up_ns: 1, amount: Amount::Operations(3) };
    let task = Task { repetition: Repetition { cell: 0, process: 0 }, scenario, arguments, budget, reclaim: || () };
    let mut checks = Vec::new();
    let result = measure(sides, tables, &task, &mut checks);
    let result = result.map(|figures| figures.sink().series().to_vec()).map_err(|failure| failure.reason);
    Found { result, checks }
}

/// The samples of a series, by its name and the values of its labels.
#[track_caller]
fn samples<'a>(found: &'a Found, metric: &str, labels: &[&str]) -> &'a [u64] {
    let series = found.result.as_ref().unwrap().iter().find(|series| {
        series.metric == metric && series.labels.iter().map(|(_, value)| value.as_str()).eq(labels.iter().copied())
    });
    series.unwrap_or_else(|| panic!("there is no {metric} {labels:?}")).raw().unwrap()
}

/// Expects a failure that contains `expect` in whichever side fails, and that no row is left.
#[track_caller]
fn fails(setup: Setup, expect: &str) -> Vec<Check> {
    let found = driven(setup);
    let reason = found.result.err().unwrap_or_default();
    assert!(reason.contains(expect), "{reason:?}, expected {expect:?}");
    found.checks
}

#[test]
fn a_transfer_is_timed_by_stages_and_counted_on_both_sides() {
    let found = driven(Setup::default());
    assert!(found.checks.iter().all(|check| check.passed), "{:?}", found.checks);
    let names: Vec<_> = found.checks.iter().map(|check| check.name.as_str()).collect();
    for name in ["records of the source", "hash over all columns of all rows", "parts of the destination"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(samples(&found, "move", &[]).len(), 3);
    for side in ["source", "destination"] {
        assert_eq!(samples(&found, "records", &[side]), [BATCHES * ROWS; 3]);
        assert_eq!(samples(&found, "bytes", &[side]), [BATCHES * BYTES as u64; 3]);
        assert_eq!(samples(&found, "module_load", &[side]), [5]);
    }
    assert_eq!(samples(&found, "host_calls", &["source"]), [BATCHES; 3]);
    assert_eq!(
        samples(&found, "host_calls", &["destination"]),
        [BATCHES + 1; 3],
        "the last one says that it was the last"
    );
    let whole = samples(&found, "wall", &["source"]);
    let named = ["instantiate", "connect", "fetch", "emit", "other"];
    for (index, wall) in whole.iter().enumerate() {
        let sum: u64 = named.iter().map(|stage| samples(&found, "stage", &["source", stage])[index]).sum();
        assert_eq!(sum, *wall);
    }
}

#[test]
fn waiting_of_each_side_is_distinguished() {
    let sum = |found: &Found, side, stage| samples(found, "stage", &[side, stage]).iter().sum::<u64>();
    let slow_source = driven(Setup { source: Deed::Slow, ..Setup::default() });
    assert!(sum(&slow_source, "destination", "receive/blocked") > sum(&slow_source, "source", "emit/blocked"));
    let slow_destination = driven(Setup { destination: Deed::Slow, ..Setup::default() });
    let blocked = sum(&slow_destination, "source", "emit/blocked");
    assert!(blocked > sum(&slow_destination, "source", "fetch"), "{blocked}");
    assert!(blocked <= sum(&slow_destination, "source", "emit"));
}

#[test]
fn batches_arrive_as_they_left_however_they_are_packed() {
    for (compression, is_smaller) in [("none", false), ("lz4", true), ("zstd", true)] {
        let found = driven(Setup { compression: Some(compression), ..Setup::default() });
        let [read, waiting] = ["source", "channel"].map(|side| samples(&found, "bytes", &[side])[0]);
        assert_eq!(waiting < read / 5, is_smaller, "{compression}: {waiting} of {read}");
        let names: Vec<_> = found.result.unwrap().iter().flat_map(|series| series.labels.clone()).collect();
        assert_eq!(names.iter().any(|(_, value)| value == "emit/compress"), is_smaller, "{compression}");
    }
}

#[test]
fn failed_side_leaves_no_rows_and_is_reported() {
    let rolled_back = |checks: Vec<Check>| {
        let found: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.passed)).collect();
        assert_eq!(found, [("rolled back", true)]);
    };
    let of_source = |source| Setup { source, ..Setup::default() };
    rolled_back(fails(of_source(Deed::FailsAfterHalf), "source/move: connection cut"));
    rolled_back(fails(of_source(Deed::PanicsAfterHalf), "source/move: it panicked"));
    rolled_back(fails(of_source(Deed::FailsToInstantiate), "source/move: no memory"));
    rolled_back(fails(of_source(Deed::TooLarge), "source/move: the batch is larger than 67108864 bytes"));
    let of_destination = |destination| Setup { destination, ..Setup::default() };
    rolled_back(fails(of_destination(Deed::FailsAfterHalf), "destination/move: connection cut"));
    rolled_back(fails(of_destination(Deed::PanicsAfterHalf), "destination/move: it panicked"));
    rolled_back(fails(of_destination(Deed::FailsToInstantiate), "destination/move: no memory"));
}

#[test]
fn false_report_of_a_connector_yields_no_figure() {
    let lying = |lie| Setup { lie: Some(lie), ..Setup::default() };
    fails(lying(held(999, "same")), "check `rows of the tables` failed: expected 1000, found 999");
    fails(lying(held(1000, "changed")), "check `hash over all columns of all rows` failed");
    fails(
        lying(TableFingerprint { columns: "id text".to_owned(), ..held(1000, "same") }),
        "check `columns of the tables` failed",
    );
    for deed in [Deed::Overstates, Deed::Overtimes, Deed::Idles] {
        let check = if deed == Deed::Overstates { "records" } else { "parts" };
        fails(Setup { source: deed, ..Setup::default() }, &format!("check `{check} of the source` failed"));
        fails(Setup { destination: deed, ..Setup::default() }, &format!("check `{check} of the destination` failed"));
    }
}

#[test]
fn source_that_is_changed_meanwhile_is_not_a_fault_of_a_side() {
    let changed = |lie| Setup { lie, is_source_changed: true, ..Setup::default() };
    assert!(fails(changed(Some(held(999, "same"))), "from changed while it was moved").is_empty());
    assert!(driven(changed(None)).result.is_ok(), "it is looked at again only if tables differ");
}

#[test]
fn transfer_is_tried_again_and_retries_are_counted() {
    let busy = Deed::Busy { takes_next: false };
    let of_source = |retries| Setup { source: busy, retries, ..Setup::default() };
    let found = driven(of_source(1));
    assert_eq!(samples(&found, "retries", &[]), [1; 3]);
    assert_eq!(samples(&found, "records", &["destination"]), [BATCHES * ROWS; 3], "none of another attempt");
    fails(of_source(0), "source/move: too many clients already");
    let found = driven(Setup { destination: busy, retries: 5, ..Setup::default() });
    assert_eq!(samples(&found, "retries", &[]), [1; 3]);
    assert_eq!(samples(&driven(Setup { retries: 5, ..Setup::default() }), "retries", &[]), [0; 3]);
    fails(Setup { source: Deed::FailsAfterHalf, retries: 5, ..Setup::default() }, "source/move: connection cut");
}

#[test]
fn transform_hands_on_what_is_expected_and_is_timed_apart() {
    let with = |deed| Setup { transform: Some(deed), ..Setup::default() };
    let found = driven(with(Deed::None));
    assert!(found.checks.iter().all(|check| check.passed), "{:?}", found.checks);
    assert_eq!(samples(&found, "records", &["source"]), [BATCHES * ROWS; 3]);
    for side in ["transform", "destination"] {
        assert_eq!(samples(&found, "records", &[side]), [BATCHES / 2 * ROWS; 3]);
        assert_eq!(samples(&found, "bytes", &[side]), [BATCHES / 2 * BYTES as u64; 3]);
    }
    let taken_and_given = (BATCHES + 1) + BATCHES / 2;
    assert_eq!(samples(&found, "host_calls", &["transform"]), [taken_and_given; 3]);
    for stage in ["receive", "receive/blocked", "receive/crossing", "emit", "emit/blocked", "emit/crossing"] {
        assert_eq!(samples(&found, "stage", &["transform", stage]).len(), 3);
    }
    fails(with(Deed::FailsAfterHalf), "transform/move: connection cut");
    fails(with(Deed::PanicsAfterHalf), "transform/move: it panicked");
    fails(with(Deed::Overstates), "check `records of the transform` failed");
    fails(Setup { source: Deed::FailsAfterHalf, ..with(Deed::None) }, "source/move: connection cut");
    fails(Setup { destination: Deed::FailsToInstantiate, ..with(Deed::None) }, "destination/move: no memory");
}

#[test]
fn a_source_alone_is_drained() {
    let target = Target::default();
    let mut source = module("source", Deed::None, &target);
    let scenario = scenario(&source);
    let mut sides = Sides::prepare(&mut source, None, &scenario, &Arguments::default()).unwrap();
    let all = held(BATCHES * ROWS, "same");
    let mut tables = MockTables { expected: all.clone(), held: all, target, lie: None, is_source_changed: false };
    let found = run(&mut sides, &mut tables, &scenario, &Arguments::default());
    assert_eq!(samples(&found, "records", &["source"]), [BATCHES * ROWS; 3]);
    assert!(samples(&found, "stage", &["source", "emit/blocked"]).iter().all(|ns| *ns == 0));
    assert!(!found.result.unwrap().iter().any(|series| series.labels.iter().any(|(_, value)| value == "destination")));
}

#[test]
fn sides_that_cannot_be_paired_have_a_reason() {
    let target = Target::default();
    let mut destination = module("destination", Deed::None, &target);
    let paired = scenario(&destination);
    let mut arguments = Arguments::default();
    arguments.set("max_inflight_batches", 2);
    arguments.set("compression", Value::from("brotli"));
    let mut check = |dependency: Option<&mut Dependency>, expect: &str| {
        let error = Sides::prepare(&mut destination, dependency, &paired, &arguments).err().unwrap();
        assert!(error.to_string().contains(expect), "{error}");
    };
    check(None, "nothing is there to read from");
    let dependency = |driver| {
        let module = module(driver, Deed::None, &target);
        let scenario = scenario(&module);
        Dependency { module: Box::new(module), scenario, arguments: Arguments::default(), further: Vec::new() }
    };
    check(Some(&mut dependency("destination")), "has the driver `destination`, and is not a source");
    check(Some(&mut dependency("source")), "`compression` is `brotli`; it knows none, lz4, zstd");
}
