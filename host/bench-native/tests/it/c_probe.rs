//! A probe written in C (`probes/counter.c`) that uses the whole interface, and breaks its rules.

use crate::{compile, with_defaults};
use bench_drivers::Module;
use bench_model::{ModuleError, Scenario};
use bench_native::Probe;

fn load() -> Option<Probe> {
    let library = compile::library("counter.c", &[])?;
    Some(Probe::load(&library.path).expect("the probe keeps the rules"))
}

#[track_caller]
fn check(mode: &str, expect: &str) {
    if let Some(probe) = load() {
        crate::check(Ok(probe), &[("mode", mode.into())], expect);
    }
}

#[test]
fn a_session_is_opened_iterated_and_verified() {
    check(
        "right",
        r#"
        iterate 3: Outcome { operations: 3, bytes: 24, checksum: 64 }
        verify: Check { name: "sum", passed: true, detail: "found 192" }
        verify: Check { name: "arguments", passed: true, detail: "mode=right;step=64;ratio=1.5;on=true;" }
        iterate 1: Outcome { operations: 1, bytes: 8, checksum: 64 }
        sum{side=left}: [64, 128, 192, 256]
        "#,
    );
}

#[test]
fn failed_check_is_reported() {
    check(
        "wrong",
        r#"
        iterate 3: Outcome { operations: 3, bytes: 24, checksum: 64 }
        verify: Check { name: "sum", passed: false, detail: "found 192" }
        verify: Check { name: "arguments", passed: true, detail: "mode=wrong;step=64;ratio=1.5;on=true;" }
        iterate 1: Outcome { operations: 1, bytes: 8, checksum: 64 }
        sum{side=left}: [64, 128, 192, 256]
        "#,
    );
}

#[test]
fn ring_is_provided() {
    check(
        "ring",
        r#"
        iterate 3: Outcome { operations: 3, bytes: 24, checksum: 64 }
        verify: Check { name: "sum", passed: true, detail: "found 192" }
        verify: Check { name: "arguments", passed: true, detail: "mode=ring;step=64;ratio=1.5;on=true;" }
        iterate 1: Outcome { operations: 1, bytes: 8, checksum: 64 }
        sum{side=left}: [64, 128, 192, 256]
        "#,
    );
}

#[test]
fn session_continues_after_an_error() {
    let rest = |mode: &str| {
        format!(
            r#"
            verify: Check {{ name: "sum", passed: true, detail: "found 192" }}
            verify: Check {{ name: "arguments", passed: true, detail: "mode={mode};step=64;ratio=1.5;on=true;" }}
            "#
        )
    };
    let failing = |mode: &str, error: &str| {
        let expect =
            format!("iterate 3: {error}\n{}iterate 1: {error}\nsum{{side=left}}: [64, 128, 192, 256]", rest(mode));
        check(mode, &expect);
    };
    failing("io", r#"Other("the abacus is broken")"#);
    failing("mute", r#"Other("`iterate` gave no reason")"#);
    failing("novel", r#"Other("status 99, which this host does not know: `iterate` gave no reason")"#);
}

#[test]
fn failed_open_gives_the_reason() {
    check("denied", r#"open: CapabilityDenied("the counter is locked")"#);
    check("undeclared", r#"open: InvalidArgument("metric `product` is not declared by the scenario")"#);
    check("empty", r#"open: Crashed("`open` broke the contract: it returned no session")"#);
    check(
        "ring-odd",
        "open: InvalidArgument(\"ring `c`: a ring of 5000 bytes cannot be made: \
         the capacity is a power of two from 4096 to 67108864 bytes\")",
    );
    let Some(mut probe) = load() else { return };
    let unknown = Scenario::new("guess", "tests", "");
    let error = probe.open(&unknown, &with_defaults(&unknown, &[])).err();
    assert_eq!(error, Some(ModuleError::UnknownScenario("guess".to_owned())));
}

#[test]
fn session_ends_with_a_broken_contract() {
    let broken = |mode: &str, reason: &str| {
        let refused = |function: &str| {
            format!(
                "Crashed(\"`{function}` is not called, because the session panicked or broke the contract before\")"
            )
        };
        let expect = format!(
            "iterate 3: Crashed(\"`iterate` broke the contract: {reason}\")\nverify: {}\niterate 1: {}\n\
             sum{{side=left}}: [64, 128, 192]",
            refused("verify"),
            refused("iterate")
        );
        check(mode, &expect);
    };
    broken("stray", "it appended samples to series 7, which was never opened");
    broken("null", "it appended 1 samples to series 0 from a null pointer");
    broken("early", "it reported the check `sum` outside of `verify`");
    check(
        "many",
        r#"
        iterate 3: Outcome { operations: 3, bytes: 24, checksum: 64 }
        verify: Crashed("`verify` broke the contract: it reported more than 1000 checks")
        iterate 1: Crashed("`iterate` is not called, because the session panicked or broke the contract before")
        sum{side=left}: [64, 128, 192]
        "#,
    );
}

#[test]
fn used_functions_of_the_host_are_noted() {
    let Some(mut probe) = load() else { return };
    let scenario = probe.descriptor().scenarios[0].clone();
    let mut used = |mode: &str| {
        probe.watch(&mut |module| {
            let mut session = module.open(&scenario, &with_defaults(&scenario, &[("mode", mode.into())])).unwrap();
            let _ = session.iterate(1);
            session.verify().unwrap();
        })
    };
    assert_eq!(used("right"), ["check", "series_open"]);
    assert_eq!(used("ring"), ["check", "extension bench-host:ring/0.1", "series_open"]);
    assert_eq!(used("io"), ["check", "explain", "series_open"]);
}

#[test]
fn sessions_of_one_probe_are_independent() {
    let Some(mut probe) = load() else { return };
    let scenario = probe.descriptor().scenarios[0].clone();
    let mut one = probe.open(&scenario, &with_defaults(&scenario, &[])).unwrap();
    let mut other = probe.open(&scenario, &with_defaults(&scenario, &[("step", 1.into())])).unwrap();
    // The library stays, whatever becomes of the value that stood for it.
    drop(probe);
    one.iterate(2).unwrap();
    other.iterate(3).unwrap();
    assert_eq!(one.sink().series()[0].raw(), Some(&[64, 128][..]));
    drop(one);
    other.iterate(1).unwrap();
    assert_eq!(other.sink().series()[0].raw(), Some(&[1, 2, 3, 4][..]));
}
