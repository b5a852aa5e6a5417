//! The scenario `call`.

use crate::fixture::{Fixture, LIBRARY, TYPES, checks, open, scenario};
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
fn common_signatures_have_a_typed_call_and_others_a_dynamic_one() {
    let mut component = Fixture::of(TYPES).load();
    let mut check = |call: &str, result: &str, path: &str| {
        let checks = checks(&mut component, "call", &[("call", call.into())]);
        let found = checks.map_or_else(|error| error.to_string(), |checks| checks[0].detail.clone());
        assert_eq!(found, format!("{call} = {result}, after 3 calls ({path})"));
    };
    check("byte(200)", "200", "typed");
    check("short(-2)", "-2", "typed");
    check("letter('ß')", "'ß'", "typed");
    check("truth(true)", "true", "typed");
    check("last-byte(1, -3)", "-3", "typed");
    check("scale(1.5, 2)", "1.5", "typed");
    check("clamp(1, -2, 3)", "3", "typed");
    check("length(\"four\", 1, 2)", "4", "typed");
    check("second(1, 2, 3, 4)", "2", "dynamic");
    check("maybe(some(7))", "7", "dynamic");
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
fn failed_call_names_what_the_component_was_not_granted() {
    let text = r#"(component
        (import "wasi:cli/environment@0.2.0" (instance (export "initial-cwd" (func (result (option string))))))
        (core module $module (func (export "fall") unreachable) (func (export "one") (result i32) i32.const 1))
        (core instance $i (instantiate $module))
        (func (export "fall") (canon lift (core func $i "fall")))
        (func (export "one") (result u32) (canon lift (core func $i "one"))))"#;
    let mut component = Fixture::of(text).load();
    let mut message = |call: &str, expect: &str| {
        let found = checks(&mut component, "call", &[("call", call.into()), ("expect", expect.into())]);
        let details = |found: Vec<bench_model::Check>| found.into_iter().map(|check| check.detail).collect::<Vec<_>>();
        found.map_or_else(|error| error.to_string(), |found| details(found).join("\n"))
    };
    let told = "; it was not granted wasi:cli/environment (--env NAME)";
    let trapped = message("fall()", "");
    assert!(trapped.contains("`fall()` trapped") && trapped.ends_with(told), "{trapped}");
    let wrong = message("one()", "2");
    assert!(wrong.ends_with(told) && wrong.matches(told).count() == 1, "{wrong}");
    assert!(!message("one()", "1").contains(told));
    assert!(!message("two()", "").contains(told), "the call is wrong");
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
fn cost_of_a_call_with_an_instance_of_its_own_is_known() {
    let mut component = Fixture::of(LIBRARY).load();
    let values = [("call", Value::from("add(1, 2)")), ("instance", Value::from("per-call"))];
    let (scenario, arguments) = scenario(&component, "call", &values);
    let task = LedgerTask { scenario: &scenario, arguments: &arguments, batch: 64, time_ns: 200_000_000, seed: 7 };
    let ledger = component.ledger(&task).expect("it can be observed").expect("a call is shorter than the time");
    let instance = ledger.terms.iter().find(|term| term.name == "instance").expect("it is made and dropped");
    assert!(instance.ns > 0.0 && ledger.events >= 2.0, "{ledger:?}");
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

/// A component of WASI 0.3: two async functions and one that is not, and an import that makes its host wait.
#[cfg(feature = "wasi-0-3")]
const CONCURRENT: &str = r#"
(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core module $module
    (import "" "task.return" (func $return (param i32)))
    (import "" "block" (func $block (param i32)))
    (global $count (mut i32) (i32.const 0))
    (func (export "add") (param i32 i32) (result i32)
      (call $return (i32.add (local.get 0) (local.get 1))) (i32.const 0))
    (func (export "count") (result i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (call $return (global.get $count)) (i32.const 0))
    (func (export "mul") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))
    (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
  (core func $return (canon task.return (result u32)))
  (core instance $i (instantiate $module (with "" (instance
    (export "task.return" (func $return))
    (export "block" (func $block))))))
  (func $add async (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $i "add") async (callback (core func $i "callback"))))
  (func $count async (result u32)
    (canon lift (core func $i "count") async (callback (core func $i "callback"))))
  (export "add" (func $add))
  (export "count" (func $count))
  (func (export "mul") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "mul"))))"#;

#[cfg(feature = "wasi-0-3")]
#[test]
fn functions_of_a_component_of_wasi_0_3_are_awaited() {
    let mut component = Fixture::of(CONCURRENT).load();
    let signatures = component.signatures();
    let expect =
        ["add: async func(a: u32, b: u32) -> u32", "count: async func() -> u32", "mul: func(a: u32, b: u32) -> u32"];
    assert_eq!(signatures, expect);
    let mut detail = |call: &str, instance: &str| {
        let checks = checks(&mut component, "call", &[("call", call.into()), ("instance", instance.into())]);
        checks.map_or_else(|error| error.to_string(), |checks| checks[0].detail.clone())
    };
    assert_eq!(detail("add(1, 2)", "reused"), "add(1, 2) = 3, after 3 calls (dynamic, awaited)");
    assert_eq!(detail("mul(3, 4)", "reused"), "mul(3, 4) = 12, after 3 calls (dynamic, awaited)");
    let each = "after 3 calls (dynamic, awaited, each in a new instance)";
    assert_eq!(detail("add(1, 2)", "per-call"), format!("add(1, 2) = 3, {each}"));
    assert_eq!(detail("count()", "per-call"), format!("count() = 1, {each}"));
    assert_eq!(detail("mul(3, 4)", "per-call"), format!("mul(3, 4) = 12, {each}"));
    assert!(detail("count()", "reused").contains("the result of `count()` changed from `1` to `2`"));
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
