//! Core modules that export functions, and files of which nothing can be run.

use crate::fixture::{Fixture, checks};
use bench_drivers::{Grants, Module};
use bench_model::Value;
use bench_wasm::Settings;

/// The error of loading the component or core module with this text, without its path.
fn refused(text: &str) -> String {
    let loaded = Fixture::of(text).load_with(Grants::default(), &Settings::default());
    let error = loaded.expect_err("it cannot be run").to_string();
    error.split_once("lib.wasm: ").expect("it names the file").1.to_owned()
}

#[test]
fn functions_of_numbers_are_called() {
    let text = r#"(module (memory (export "memory") 1)
        (func (export "add_two") (param i32 f64) (result f64) (f64.add (f64.convert_i32_s (local.get 0)) (local.get 1)))
        (func (export "_initialize")))"#;
    let fixture = Fixture::of(text);
    let mut module = fixture.load();
    assert_eq!(module.signatures(), ["add-two: func(p0: s32, p1: f64) -> f64"]);
    for call in ["add-two(-1, 2.5)", "add_two(-1, 2.5)"] {
        let checks = checks(&mut module, "call", &[("call", Value::from(call))]).unwrap();
        assert!(checks[0].passed && checks[0].detail.starts_with("add-two(-1, 2.5) = 1.5"), "{}", checks[0].detail);
    }
}

#[test]
fn functions_that_are_left_out_are_named_with_the_reason() {
    let parameters = "i32 ".repeat(17);
    let text = format!(
        r#"(module (memory (export "memory") 1) (func (export "one_1") (result i32) i32.const 1)
        (func (export "get_one") (result i32) i32.const 1)
        (func (export "get-one") (result i32) i32.const 2)
        (func (export "Get.One") (result i32) i32.const 3)
        (func (export "pair") (result i32 i32) i32.const 1 i32.const 2)
        (func (export "lanes") (param v128))
        (func (export "many") (param {parameters}))
        (func (export "__wasm_call_ctors")))"#
    );
    let fixture = Fixture::of(&text);
    let mut module = fixture.load();
    let expect = [
        "get-one: func() -> s32",
        "one_1: left out: components export words of letters and digits alone, each of which begins with a letter",
        "get_one: left out: its name becomes `get-one`, which another function has",
        "Get.One: left out: its name becomes `get-one`, which another function has",
        "pair: left out: it returns 2 values, and components return one",
        "lanes: left out: components have no type `v128`",
        "many: left out: it takes 17 parameters, and components pass up to 16 one by one",
    ];
    assert_eq!(module.signatures(), expect);
    let mut error = |call: &str| checks(&mut module, "call", &[("call", call.into())]).unwrap_err().to_string();
    assert!(error("get_one()").contains("its name becomes `get-one`, which another function has"));
    let found = error("pair()");
    assert!(found.contains("`pair` is exported and cannot be called: it returns 2 values"), "{found}");
    for call in ["", "absent()"] {
        let found = error(call);
        for part in ["get-one: func() -> s32", "; left out: one_1 (components "] {
            assert!(found.contains(part), "{part:?} is not in: {found}");
        }
    }
    let none = refused(r#"(module (func (export "pair") (result i32 i32) i32.const 1 i32.const 2))"#);
    assert!(none.contains("left out: pair (it returns 2 values"), "{none}");
}

#[test]
fn functions_of_modules_with_32_and_64_bit_memories_are_called() {
    for address in ["i32", "i64"] {
        let text = format!(
            r#"(module (memory {address} 1) (func (export "keep") (param i32) (result i32)
                (i32.store ({address}.const 8) (local.get 0)) (i32.load ({address}.const 8))))"#
        );
        let mut module = Fixture::of(&text).load();
        let checks = checks(&mut module, "call", &[("call", Value::from("keep(7)"))]).unwrap();
        assert!(checks[0].passed && checks[0].detail.starts_with("keep(7) = 7"), "{address}: {}", checks[0].detail);
    }
}

#[test]
fn module_of_which_nothing_can_be_run_says_why() {
    // No family of these tests provides it.
    let http = if cfg!(feature = "wasi-0-3") { "build bench-host with its default" } else { "WASI 0.3, which this" };
    for (text, part) in [
        (r#"(module (memory 1))"#, "exports neither `_start` nor a function of numbers"),
        (
            r#"(module (import "env" "f" (func)) (import "env" "h" (func)) (func (export "g")))"#,
            "imports `env` `f`, `env` `h`, which nothing provides",
        ),
        (
            r#"(module (@custom "go:buildid" "a build")
                (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
                (memory (export "memory") 1) (func (export "g")))"#,
            "a core module of Go without `cabi_realloc`",
        ),
        (r#"(component)"#, "exports nothing to run"),
        (WITH_RESOURCE, "nor a function that can be called ([constructor]blob: left out: it belongs to a resource"),
        (r#"(component (import "my:db/query" (instance (export "q" (func)))))"#, "compose it with a component"),
        (r#"(component (import "wasi:cli/run@0.3.0" (instance (export "run" (func)))))"#, "`wasi:cli/run@0.3.0`"),
        (r#"(component (import "wasi:http/client@0.3.0" (instance (export "a" (func)))))"#, http),
    ] {
        let found = refused(text);
        assert!(found.contains(part), "{part:?} is not in: {found}");
    }
}

/// A component that exports a resource and its constructor.
const WITH_RESOURCE: &str = r#"(component
    (type $own (resource (rep i32)))
    (core module $m (func (export "new") (param i32) (result i32) local.get 0))
    (core instance $i (instantiate $m))
    (export $blob "blob" (type $own))
    (func $new (param "size" u32) (result (own $own)) (canon lift (core func $i "new")))
    (export "[constructor]blob" (func $new) (func (param "size" u32) (result (own $blob)))))"#;

/// A component with this many instances of a core module that has this field.
fn with_instances(field: &str, count: usize) -> String {
    let instances: String = (0..count).map(|number| format!("(core instance $i{number} (instantiate $m))")).collect();
    format!(
        r#"(component (core module $m {field} (func (export "one") (result i32) i32.const 1)) {instances}
            (func (export "one") (result u32) (canon lift (core func $i0 "one"))))"#
    )
}

#[test]
fn component_that_does_not_fit_into_the_pool_is_run_on_demand() {
    for (field, count, reason) in [("(table 300001 funcref)", 1, "300001"), ("", 65, "65 core module instances")] {
        let mut component = Fixture::of(&with_instances(field, count)).load();
        let note = component.note().expect("that is said");
        assert!(note.contains("do not fit into the pool") && note.contains(reason), "{note}");
        let checks = checks(&mut component, "call", &[("call", Value::from("one()"))]).unwrap();
        assert!(checks[0].passed && checks[0].detail.starts_with("one() = 1"), "{}", checks[0].detail);
    }
}

#[test]
fn component_of_too_many_parts_is_told_what_to_do() {
    // 910 of them have more memories than a component may have.
    let mut component = Fixture::of(&with_instances(&"(memory 0)".repeat(11), 950)).load();
    let error = checks(&mut component, "call", &[("call", Value::from("one()"))]).unwrap_err().to_string();
    assert!(error.contains("memory count too high at 10010; link fewer core modules, memories"), "{error}");
}

#[test]
fn component_with_async_functions_is_not_called_damaged() {
    let begin = "built for WASI 0.3, which this bench-host does not run; build it for WASI 0.2 and without `async`";
    for text in [
        "(component (core func (canon backpressure.inc)))",
        "(component (type (stream u8)))",
        "(component (type (future string)))",
    ] {
        let found = refused(text);
        if cfg!(feature = "wasi-0-3") {
            // An engine for WASI 0.3 compiles them, and there is nothing to run in them.
            assert!(found.contains("exports nothing to run"), "{text}: {found}");
        } else {
            assert!(found.starts_with(begin) && found.contains("async feature"), "{text}: {found}");
        }
    }
    assert!(refused("(component (core module (func (result i32))))").starts_with("damaged or incomplete"));
}

#[test]
fn component_with_another_proposal_is_not_called_damaged() {
    let found = refused("(component (core module (type (array i32))))");
    let (begin, end) = ("valid WebAssembly that this engine does not run: ", "; build it without that proposal");
    assert!(found.starts_with(begin) && found.contains("array types") && found.ends_with(end), "{found}");
}
