//! A folder with a component or core module, loaded as the host loads it.

use bench_drivers::{Grants, Module, Recording, merged};
use bench_family::Family;
use bench_model::{Arguments, Check, ModuleError, Scenario, Value};
use bench_wasm::{Component, Limits, LoadError, Runtime, Settings};
use family_components::Components;
use std::fs;
use tempfile::TempDir;

/// Exports functions: of numbers, of a string, of a list, of a record, and one in an interface; one that counts its calls, and one
/// that traps.
pub(crate) const LIBRARY: &str = r#"
(component
  (core module $module
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (global $count (mut i32) (i32.const 0))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (if (i32.gt_u (global.get $next) (i32.const 32768)) (then (global.set $next (i32.const 1024))))
      global.get $next
      (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8)))))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "mul") (param i64 i64) (result i64) (i64.mul (local.get 0) (local.get 1)))
    (func (export "nan") (result f64) (f64.const nan))
    (func (export "same") (param i32 i32) (result i32)
      (i32.store (i32.const 8) (local.get 0)) (i32.store (i32.const 12) (local.get 1)) (i32.const 8))
    (func (export "swap") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 1)) (i32.store (i32.const 20) (local.get 0)) (i32.const 16))
    (func (export "count") (result i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
    (func (export "fall") unreachable))
  (core instance $i (instantiate $module))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (type $point' (record (field "x" s32) (field "y" s32)))
  (export $point "point" (type $point'))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "nan") (result f64) (canon lift (core func $i "nan")))
  (func (export "greet") (param "name" string) (result string)
    (canon lift (core func $i "same") (memory $memory) (realloc $realloc)))
  (func (export "bytes") (param "list" (list u8)) (result (list u8))
    (canon lift (core func $i "same") (memory $memory) (realloc $realloc)))
  (func (export "swap") (param "point" $point) (result $point)
    (canon lift (core func $i "swap") (memory $memory) (realloc $realloc)))
  (func (export "count") (result u32) (canon lift (core func $i "count")))
  (func (export "fall") (canon lift (core func $i "fall")))
  (component $math
    (import "mul" (func $mul (param "a" u64) (param "b" u64) (result u64)))
    (export "mul" (func $mul)))
  (func $mul (param "a" u64) (param "b" u64) (result u64) (canon lift (core func $i "mul")))
  (instance $math-instance (instantiate $math (with "mul" (func $mul))))
  (export "my:calculator/math@1.0.0" (instance $math-instance)))
"#;

/// Exports functions that return one of their parameters: of further types, and with several parameters.
pub(crate) const TYPES: &str = r#"
(component
  (core module $module
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
    (func (export "one") (param i32) (result i32) local.get 0)
    (func (export "two") (param i32 i32) (result i32) local.get 1)
    (func (export "three") (param i32 i32 i32) (result i32) local.get 2)
    (func (export "four") (param i32 i32 i32 i32) (result i32) local.get 1)
    (func (export "mixed") (param f64 i32) (result f64) local.get 0))
  (core instance $i (instantiate $module))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (func (export "byte") (param "a" u8) (result u8) (canon lift (core func $i "one")))
  (func (export "short") (param "a" s16) (result s16) (canon lift (core func $i "one")))
  (func (export "letter") (param "a" char) (result char) (canon lift (core func $i "one")))
  (func (export "truth") (param "a" bool) (result bool) (canon lift (core func $i "one")))
  (func (export "last-byte") (param "a" s8) (param "b" s8) (result s8) (canon lift (core func $i "two")))
  (func (export "scale") (param "a" f64) (param "by" u32) (result f64) (canon lift (core func $i "mixed")))
  (func (export "clamp") (param "a" s32) (param "low" s32) (param "high" s32) (result s32)
    (canon lift (core func $i "three")))
  (func (export "length") (param "text" string) (param "from" u32) (param "to" u32) (result u32)
    (canon lift (core func $i "four") (memory $memory) (realloc $realloc)))
  (func (export "second") (param "a" u32) (param "b" u32) (param "c" u32) (param "d" u32) (result u32)
    (canon lift (core func $i "four")))
  (func (export "maybe") (param "a" (option u32)) (result u32) (canon lift (core func $i "two"))))
"#;

/// A folder with one file.
pub(crate) struct Fixture {
    folder: TempDir,
    bytes: Vec<u8>,
}

impl Fixture {
    /// The component or core module with this text.
    pub(crate) fn of(text: &str) -> Self {
        let bytes = wat::parse_str(text).expect("the text parses");
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("lib.wasm"), &bytes).expect("the file is written");
        Self { folder, bytes }
    }

    /// The component, with these grants.
    pub(crate) fn load_with(&self, grants: Grants, settings: &Settings) -> Result<Component, LoadError> {
        let runtime = Runtime::new(Limits::default(), None, settings).expect("the engine starts");
        let runtime = runtime.with_capabilities(Components.capabilities()).with_adapters(Components.adapters());
        let sha256 = bench_sink::digest::of_bytes(&self.bytes);
        Component::load(&runtime, &self.folder.path().join("lib.wasm"), &sha256, grants)
    }

    pub(crate) fn load(&self) -> Component {
        self.load_with(Grants::default(), &Settings::default()).expect("it is loaded")
    }
}

/// The scenario `name`, and its arguments with these values instead of the defaults.
pub(crate) fn scenario(module: &dyn Module, name: &str, values: &[(&str, Value)]) -> (Scenario, Arguments) {
    let descriptor = merged(module.descriptor(), bench_drivers::Drivers::new(&[]));
    let scenario =
        descriptor.scenarios.into_iter().find(|scenario| scenario.name == name).expect("it has the scenario");
    let mut arguments: Arguments =
        scenario.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.defaults[0].clone())).collect();
    for (name, value) in values {
        assert!(arguments.get(name).is_some(), "no parameter `{name}`");
        arguments.set(*name, value.clone());
    }
    (scenario, arguments)
}

/// Opens a scenario.
pub(crate) fn open(
    module: &mut dyn Module,
    name: &str,
    values: &[(&str, Value)],
) -> Result<Box<dyn Recording>, ModuleError> {
    let (scenario, arguments) = scenario(module, name, values);
    module.open(&scenario, &arguments)
}

/// The checks of a scenario after three operations.
pub(crate) fn checks(module: &mut dyn Module, name: &str, values: &[(&str, Value)]) -> Result<Vec<Check>, ModuleError> {
    let mut session = open(module, name, values)?;
    assert_eq!(session.iterate(0)?.operations, 0);
    assert_eq!(session.iterate(3)?.operations, 3);
    session.verify()
}
