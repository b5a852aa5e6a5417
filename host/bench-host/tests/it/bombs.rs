//! Components that ask the engine for more than there is: each fails alone, with a reason that names the limit, and the rest of the run is
//! measured.

use crate::host::{Host, Ran, cells};
use std::fs;

/// A component that exports the function `f` of a core module, after what `before` instantiates.
fn component(before: &str, module: &str) -> String {
    format!(
        "(component {before} (core module $module {module}) (core instance $instance (instantiate $module)) \
         (func (export \"f\") (result u32) (canon lift (core func $instance \"f\"))))"
    )
}

/// The function, with this body.
fn function(body: &str) -> String {
    format!("(func $f (export \"f\") (result i32) {body})")
}

#[test]
fn component_that_asks_for_too_much_fails_alone_and_names_the_limit() {
    let seven = function("(i32.const 7)");
    let many = format!("(core module $large (memory 1000)) {}", "(core instance (instantiate $large)) ".repeat(20));
    let bombs = [
        ("recursion", component("", &function("(i32.add (call $f) (i32.const 1))")), "call stack exhausted"),
        (
            "memory",
            component("", &format!("(memory 1) {}", function("(memory.grow (i32.const 20000))"))),
            "the limit is 1024 MiB; allow more with --memory",
        ),
        ("memories", component(&many, &seven), "the limit is 1024 MiB; allow more with --memory"),
        (
            "table",
            component(
                "",
                &format!("(table 1 funcref) {}", function("(table.grow (ref.null func) (i32.const 400000))")),
            ),
            "requested a table of 400001 elements, but the limit is 300000",
        ),
    ];
    let host = Host::new();
    let write = |name: &str, text: &str| {
        let bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        fs::write(host.path(format!("{name}.wasm")), bytes).expect("the component is written");
    };
    write("good", &component("", &seven));
    let mut line = "load good.wasm".to_owned();
    for (name, text, _) in &bombs {
        write(name, text);
        line.extend([" ", name, ".wasm"]);
    }
    line.push_str(" --quick --processes 1 --format json");
    let document = Ran::of(host.command(&line).args(["--call", "f()"])).check(&line, 1).json();
    for (name, _, expect) in &bombs {
        let found = cells(&document, &format!("{name}/call"));
        let [cell] = &found[..] else { panic!("{name}: {document:#}") };
        assert_eq!((&cell["status"], cell["series"].as_array().map(Vec::len)), (&"failed".into(), Some(0)), "{cell:#}");
        assert!(cell["reason"].as_str().is_some_and(|reason| reason.contains(expect)), "{expect:?}: {cell:#}");
    }
    let good = cells(&document, "good/call");
    assert!(matches!(good[..], [cell] if cell["status"] == "ok"), "{document:#}");
}
