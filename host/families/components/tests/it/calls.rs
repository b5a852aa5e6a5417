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

#[test]
fn signatures_are_listed() {
    let component = Fixture::of(LIBRARY).load();
    insta::assert_snapshot!(component.signatures().join("\n"), @r"");
    assert_eq!(component.descriptor().name, "lib");
}

#[test]
fn calls_have_equal_results() {
    let calls = [
        "add(1, 2)",
        "greet(\"Ada\")",
        "bytes([1, 2])",
        "swap({x: 1, y: -2})",
        "math.mul(3, 4)",
        "my:calculator/math.mul@1.0.0(3, 4)",
        "mul(3, 4)",
        "nan()",
    ];
    insta::assert_snapshot!(calls.map(|text| call(text, &[])).join("\n"), @r"");
    insta::assert_snapshot!(call("add(1, 2)", &[("instance", "per-call")]), @r"");
    insta::assert_snapshot!(call("count()", &[("instance", "per-call")]), @r"");
}

#[test]
fn result_is_compared_with_the_expected_one() {
    insta::assert_snapshot!(call("add(1, 2)", &[("expect", "3")]), @r"");
    insta::assert_snapshot!(call("add(1, 2)", &[("expect", "4")]), @r"");
    insta::assert_snapshot!(call("add(1, 2)", &[("expect", "true")]), @r"");
}

#[test]
fn wrong_call_is_an_error_that_points_at_the_word() {
    let calls = ["", "add(1, true)", "add(1)", "add 1 2", "add(1, 2", "sub(1, 2)", "greet(Ada)", "count()", "fall()"];
    insta::assert_snapshot!(calls.map(|text| call(text, &[])).join("\n"), @r"");
}

#[test]
fn instructions_and_cost_of_a_call_are_known() {
    let mut component = Fixture::of(LIBRARY).load();
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
