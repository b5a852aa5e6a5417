//! A probe written in Rust that panics on request.

use bench_drivers::Module;
use bench_model::{Arguments, Check, Descriptor, Metric, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use bench_native::Probe;
use probe_abi::{Host, Series};
use std::cell::Cell;
use std::path::Path;

struct Fragile;

struct Opened {
    mode: String,
    series: Series,
    producer: probe_abi::ring::Producer,
    consumer: probe_abi::ring::Consumer,
}

thread_local! {
    /// How many sessions were opened and not closed on this thread.
    static OPEN: Cell<i64> = const { Cell::new(0) };
}

impl probe_abi::Probe for Fragile {
    fn describe() -> Descriptor {
        let scenario = Scenario::new("fall", "tests", "")
            .parameter(Parameter::new("mode", "right", ""))
            .metric(Metric::new("depth", Unit::Count, ""));
        Descriptor::new("fragile", "1.0.0", "").scenario(scenario)
    }

    fn open(_: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let mode = arguments.text("mode")?.to_owned();
        assert_ne!(mode, "open", "fell while it was opened");
        let metric = if mode == "undeclared" { "height" } else { "depth" };
        let series = host.series(metric, &[])?;
        let producer = host.ring_producer("a", 4096, false)?;
        let consumer = host.ring_consumer("a")?;
        OPEN.set(OPEN.get() + 1);
        Ok(Box::new(Opened { mode, series, producer, consumer }))
    }
}

impl Session for Opened {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for depth in 1..=times {
            self.producer.push(&depth.to_le_bytes()).map_err(|error| ModuleError::Other(format!("{error:?}")))?;
            let popped = self.consumer.pop(|message| message == depth.to_le_bytes())?;
            assert_eq!(popped, Some(true));
            self.series.record(depth);
        }
        assert_ne!(self.mode, "iterate", "fell while it ran");
        Ok(Outcome { operations: times, bytes: 0, checksum: 1 })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        assert_ne!(self.mode, "verify", "fell while it was looked at");
        let long = "ä".repeat(if self.mode == "long" { 3000 } else { 1 });
        Ok(vec![Check::equal("stands", &true, &true), Check::that("long", true, long)])
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        OPEN.set(OPEN.get() - 1);
        assert_ne!(self.mode, "close", "fell while it was closed");
    }
}

fn load() -> Probe {
    // SAFETY: the table is that of a probe written with `probe_abi`, and this binary is not unloaded.
    unsafe { Probe::from_table(Path::new("fragile.so"), bench_probe_v1()) }.expect("the probe keeps the rules")
}

#[track_caller]
fn check(mode: &str, expect: &str) {
    crate::check(Ok(load()), &[("mode", mode.into())], expect);
    assert_eq!(OPEN.get(), 0, "each session is closed");
}

const RIGHT: &str = r#"
    iterate 3: Outcome { operations: 3, bytes: 0, checksum: 1 }
    verify: Check { name: "stands", passed: true, detail: "expected true, found true" }
    verify: Check { name: "long", passed: true, detail: "ä" }
    iterate 1: Outcome { operations: 1, bytes: 0, checksum: 1 }
    depth{}: [1, 2, 3, 1]
"#;

#[test]
fn probe_without_panic_works() {
    check("right", RIGHT);
}

#[test]
fn panic_in_open_is_an_error() {
    check("open", &panicked("open", "open", "fell while it was opened"));
}

#[test]
fn panic_in_iterate_ends_the_session() {
    let refused = "`{}` is not called, because the session panicked or broke the contract before";
    let expect = [
        panicked("iterate 3", "iterate", "fell while it ran"),
        format!("verify: Crashed({:?})", refused.replace("{}", "verify")),
        format!("iterate 1: Crashed({:?})", refused.replace("{}", "iterate")),
        "depth{}: [1, 2, 3]".to_owned(),
    ];
    check("iterate", &expect.join("\n"));
}

#[test]
fn panic_in_verify_ends_the_session() {
    let expect = [
        "iterate 3: Outcome { operations: 3, bytes: 0, checksum: 1 }".to_owned(),
        panicked("verify", "verify", "fell while it was looked at"),
        "iterate 1: Crashed(\"`iterate` is not called, because the session panicked or broke the contract before\")"
            .to_owned(),
        "depth{}: [1, 2, 3]".to_owned(),
    ];
    check("verify", &expect.join("\n"));
}

#[test]
fn panic_in_close_is_ignored() {
    check("close", RIGHT);
}

#[test]
fn forwarded_refusal_has_both_reasons() {
    check(
        "undeclared",
        "open: InvalidArgument(\"the host refused the series `height` \
         (the host said: metric `height` is not declared by the scenario)\")",
    );
}

#[test]
fn long_detail_is_truncated() {
    check("long", &RIGHT.replace("\"ä\"", &format!("\"{}…\"", "ä".repeat(2048))));
}

#[test]
fn invalid_argument_is_refused_by_the_probe() {
    let mut probe = load();
    let scenario = probe.descriptor().scenarios[0].clone();
    let error = probe.open(&scenario, &Arguments::default()).err();
    assert_eq!(error, Some(ModuleError::InvalidArgument("`mode` is missing".to_owned())));
}

/// What `assert_ne!` says on several lines.
fn panicked(step: &str, mode: &str, message: &str) -> String {
    let text = format!("panicked: assertion `left != right` failed: {message}\n  left: {mode:?}\n right: {mode:?}");
    format!("{step}: Crashed({text:?})")
}

probe_abi::export_probe!(Fragile);
