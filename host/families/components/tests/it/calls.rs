//! The scenario `call`.

use crate::fixture::{Fixture, LIBRARY, checks, open, scenario};
use bench_drivers::{LedgerTask, Module};
use bench_model::Value;

/// The detail of the check of a call, or the error.
fn call(text: &str, further: &[(&str, &str)]) -> String {
    let mut component = Fixture::of(LIBRARY).load();
    let mut values = vec![("call", Value::from(text))];
    values.extend(further.iter().map(|(name, value)| (*name, Value::from(*value))));
    match checks(&mut component, "call", &values) {
        Ok(checks) => {
            let line = |check: bench_model::Check| {
                format!("{} {}: {}", if check.passed { "ok" } else { "FAILED" }, check.name, check.detail)
            };
            checks.into_iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Err(error) => format!("error: {error}"),
    }
}

/// Checks that what a call says contains `part`.
#[track_caller]
fn check(text: &str, further: &[(&str, &str)], part: &str) {
    let found = call(text, further);
    assert!(found.contains(part), "{part:?} is not in: {found}");
}

#[test]
fn signatures_are_listed() {
    let component = Fixture::of(LIBRARY).load();
    let signatures = component.signatures();
    for expect in ["add: func(a: u32, b: u32) -> u32", "fall: func()", "math.mul: func(a: u64, b: u64) -> u64"] {
        assert!(signatures.iter().any(|signature| signature == expect), "{expect:?} is not in {signatures:#?}");
    }
    assert_eq!((signatures.len(), component.descriptor().name.as_str()), (8, "lib"));
}

#[test]
fn calls_have_equal_results() {
    check("add(1, 2)", &[], "ok same-result: add(1, 2) = 3, after 3 calls (typed)");
    check("greet(\"Ada\")", &[], "greet(\"Ada\") = \"Ada\", after 3 calls (typed)");
    check("bytes([1, 2])", &[], "bytes([1, 2]) = [1, 2], after 3 calls (typed)");
    check("swap({x: 1, y: -2})", &[], "= {x: -2, y: 1}, after 3 calls (dynamic)");
    check("nan()", &[], "nan() = nan, after 3 calls (typed)");
    for name in ["mul", "math.mul", "my:calculator/math.mul@1.0.0"] {
        check(&format!("{name}(3, 4)"), &[], "(3, 4) = 12, after 3 calls (typed)");
    }
    check("add(1, 2)", &[("instance", "per-call")], "= 3, after 3 calls (dynamic, each in a new instance)");
    check("count()", &[("instance", "per-call")], "ok same-result: count() = 1");
}

#[test]
fn result_is_compared_with_the_expected_one() {
    check("add(1, 2)", &[("expect", "3")], "ok expected-result");
    check("add(1, 2)", &[("expect", "4")], "FAILED expected-result: expected \"4\", found \"3\"");
    check("add(1, 2)", &[("expect", "true")], "error: invalid argument: `true`");
}

#[test]
fn wrong_call_is_an_error_that_points_at_the_word() {
    check("", &[], "such as --call");
    check("add(1, true)", &[], "`add(1, true)`: `true` at column 8");
    check("add(1, true)", &[], "; add: func(a: u32, b: u32) -> u32");
    check("add(1)", &[], "missing required param");
    check("add 1 2", &[], "write a call in WAVE notation");
    check("add(1, 2", &[], "write a call in WAVE notation");
    check("sub(1, 2)", &[], "no exported function `sub`; there is math.mul: func(a: u64, b: u64) -> u64");
    check("count()", &[], "the result of `count()` changed from `1` to `2`");
    check("fall()", &[], "`fall()` trapped");
}

#[test]
fn instructions_and_cost_of_a_call_are_known() {
    // Counting reads the file again.
    let fixture = Fixture::of(LIBRARY);
    let mut component = fixture.load();
    let (scenario, arguments) = scenario(&component, "call", &[("call", Value::from("greet(\"Ada\")"))]);
    let counts = component.count(&scenario, &arguments, 10).expect("it can be counted");
    let counted = counts.instructions.expect("instructions are counted");
    assert!(counted > 0 && counted.is_multiple_of(10), "{counts:?}");
    assert_eq!((counts.host_calls, counts.lifted_bytes), (Some(Vec::new()), Some(0)));
    let task = LedgerTask { scenario: &scenario, arguments: &arguments, batch: 64, time_ns: 2_000_000, seed: 7 };
    let ledger = component.ledger(&task).expect("it can be observed").expect("it has one instance");
    assert_eq!((ledger.batch, ledger.events >= 4.0), (1, true), "{ledger:?}");
    let sum: f64 = ledger.terms.iter().map(|term| term.ns).sum();
    assert!((sum - ledger.total_ns).abs() <= 1e-9 * ledger.total_ns, "{ledger:?}");
}

#[test]
fn unknown_scenario_is_refused() {
    let mut component = Fixture::of(LIBRARY).load();
    let (mut scenario, arguments) = scenario(&component, "call", &[]);
    scenario.name = "no-such-scenario".to_owned();
    let error = component.open(&scenario, &arguments).err();
    assert_eq!(error, Some(bench_model::ModuleError::UnknownScenario("no-such-scenario".to_owned())));
    assert!(open(&mut component, "call", &[("call", Value::from("add(1, 2)"))]).is_ok());
}

/// Two instances of one component in another one, each with its own state.
const COMPOSED: &str = r#"
(component
  (component $counter
    (core module $module
      (global $count (mut i32) (i32.const 0))
      (func (export "up") (param i32) (result i32)
        (global.set $count (i32.add (global.get $count) (local.get 0))) (global.get $count)))
    (core instance $i (instantiate $module))
    (func (export "up") (param "by" s32) (result s32) (canon lift (core func $i "up"))))
  (instance $left (instantiate $counter))
  (instance $right (instantiate $counter))
  (export "left" (instance $left))
  (export "right" (instance $right)))"#;

#[test]
fn instances_of_a_composed_component_are_called_by_their_names() {
    let mut component = Fixture::of(COMPOSED).load();
    assert_eq!(component.signatures(), ["left.up: func(by: s32) -> s32", "right.up: func(by: s32) -> s32"]);
    let mut detail = |call: &str| {
        let checks = checks(&mut component, "call", &[("call", call.into())]);
        checks.map_or_else(|error| error.to_string(), |checks| checks[0].detail.clone())
    };
    assert_eq!(detail("right.up(0)"), "right.up(0) = 0, after 3 calls (typed)");
    assert!(detail("left.up(1)").contains("changed from `1` to `2`"));
    let error = detail("up(0)");
    assert_eq!(error, "invalid argument: `up` is exported more than once; write `left.up` or `right.up`");
}
