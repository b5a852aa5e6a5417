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
        (func (export "pair") (result i32 i32) i32.const 1 i32.const 2)
        (func (export "_initialize")))"#;
    let mut module = Fixture::of(text).load();
    assert_eq!(module.signatures(), ["add-two: func(p0: s32, p1: f64) -> f64"]);
    let checks = checks(&mut module, "call", &[("call", Value::from("add-two(-1, 2.5)"))]).unwrap();
    assert!(checks[0].passed && checks[0].detail.starts_with("add-two(-1, 2.5) = 1.5"), "{}", checks[0].detail);
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
    for (text, part) in [
        (r#"(module (memory 1))"#, "exports neither `_start` nor a function of numbers"),
        (r#"(module (import "env" "f" (func)) (func (export "g")))"#, "imports `env` `f`, which nothing provides"),
        (
            r#"(module (@custom "go:buildid" "a build")
                (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
                (memory (export "memory") 1) (func (export "g")))"#,
            "a core module of Go without `cabi_realloc`",
        ),
        (r#"(component)"#, "exports nothing to run"),
        (r#"(component (import "my:db/query" (instance (export "q" (func)))))"#, "compose it with a component"),
        (r#"(component (import "wasi:cli/run@0.3.0" (instance (export "run" (func)))))"#, "built for WASI 0.3"),
    ] {
        let found = refused(text);
        assert!(found.contains(part), "{part:?} is not in: {found}");
    }
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
