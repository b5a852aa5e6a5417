//! A corrupted result is seen by a `verify` that looks at it, and by no other.

use crate::fixture::{Fixture, MODULE, WORLD, component, scenario};
use bench_drivers::{Corruption, Module};
use bench_model::Arguments;
use bench_wasm::Settings;

/// What comes of corrupting the results of `name`, in the module with some text replaced.
fn corrupted(name: &str, replace: &[(&str, &str)]) -> Corruption {
    let mut module = MODULE.to_owned();
    for (old, new) in replace {
        assert_eq!(module.matches(old).count(), 1, "{old}");
        module = module.replace(old, new);
    }
    let fixture = Fixture::of(component(&module, WORLD, &["workload", "ring"]));
    let mut component = fixture.load(&Settings::default(), None);
    let scenario = scenario(&component, name);
    let found = component.corrupt(&scenario, &Arguments::default()).expect("its memory is accessible");
    found.expect("it is a component")
}

/// An operation then keeps a result in memory.
const KEEPS: (&str, &str) = (
    "(i64.store (i32.const 24) (i64.const 7))",
    "(i64.store (i32.const 24) (i64.const 7)) (i64.store (i32.const 2048) (i64.const 7))",
);

const LOOKED_AT: (&str, &str) =
    ("(i64.ne (global.get $done) (i64.const 0))", "(i64.eq (i64.load (i32.const 2048)) (i64.const 7))");

#[test]
fn verify_that_compares_the_result_sees_its_corruption() {
    let found = corrupted("compute", &[KEEPS, LOOKED_AT]);
    assert!(found.seen > 0 && found.seen < found.corrupted, "{found:?}");
    assert_eq!((found.crashed, found.calls_host), (0, false), "{found:?}");
}

#[test]
fn verify_that_only_counts_sees_nothing() {
    let found = corrupted("compute", &[KEEPS]);
    assert!(found.corrupted > 0 && found.written_bytes > 0, "{found:?}");
    assert_eq!((found.seen, found.calls_host), (0, false), "{found:?}");
}

#[test]
fn results_that_the_host_may_keep_are_said() {
    assert!(corrupted("exchange", &[]).calls_host);
}
