//! Components of `plugins/hostile` that ask the engine for more than there is: each fails alone, with a reason that names the limit, and the
//! rest of the run is measured.

use crate::host::{Host, cells};
use std::fs;

/// A component that returns at once.
const GOOD: &str = r#"
(component
  (core module $module (func (export "run") (result i32) (i32.const 0)))
  (core instance $instance (instantiate $module))
  (func $run (result (result)) (canon lift (core func $instance "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
"#;

/// What the reason of each contains.
const BOMBS: [(&str, &str); 4] = [
    ("recursion", "call stack exhausted"),
    ("memory", "the limit is 1024 MiB; allow more with --memory"),
    ("memories", "the limit is 1024 MiB; allow more with --memory"),
    ("table", "of 400001 elements, but the limit is 300000; declare the table with as many from the start"),
];

#[test]
fn component_that_asks_for_too_much_fails_alone_and_names_the_limit() {
    let host = Host::new();
    test_modules::write_hostile(&host.path("")).expect("the components are written");
    let good = wat::parse_str(GOOD).expect("the text parses");
    fs::write(host.path("good.wasm"), good).expect("the component is written");
    let files = BOMBS.map(|(name, _)| format!("{name}.wasm")).join(" ");
    let document = host.check(&format!("load good.wasm {files} --quick --processes 1 --format json"), 1).json();
    for (name, expect) in BOMBS {
        let found = cells(&document, &format!("{name}/run"));
        let [cell] = &found[..] else { panic!("{name}: {document:#}") };
        assert_eq!((&cell["status"], cell["series"].as_array().map(Vec::len)), (&"failed".into(), Some(0)), "{cell:#}");
        assert!(cell["reason"].as_str().is_some_and(|reason| reason.contains(expect)), "{expect:?}: {cell:#}");
    }
    let good = cells(&document, "good/run");
    assert!(matches!(good[..], [cell] if cell["status"] == "ok"), "{document:#}");
}
