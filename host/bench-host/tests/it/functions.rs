//! Functions that answer wrongly, and rates that cannot be achieved: a reason and no figure.

use crate::host::{Host, cells};
use crate::modules;

#[test]
fn function_that_answers_wrongly_or_never_has_no_figure() {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/cold-start --quick --processes 1 --deadline 3s --format json";
    let document = host.check(line, 1).json();
    let expected = [
        (1, "check `first-answer` failed: expected"),
        (2, "`handle` returned without an answer"),
        (3, "the worker was killed; allow more time with --deadline"),
        (4, "a deliberate panic"),
        (5, "resource table has no free keys"),
        (6, "total size of fields exceeds limit"),
    ];
    for (deed, part) in expected {
        let cells = cells(&document, "hostile/cold-start");
        let cell =
            cells.into_iter().find(|cell| cell["arguments"]["heap_bytes"] == deed).expect("each deed has a cell");
        assert_eq!((&cell["status"], &cell["arm"]), (&"failed".into(), &"wasm".into()), "{cell:#}");
        assert!(cell["reason"].as_str().unwrap().contains(part), "{part:?} is not in {cell:#}");
        assert!(cell["series"].as_array().unwrap().is_empty(), "{cell:#}");
    }
}

#[test]
fn rate_that_cannot_be_achieved_is_void() {
    let Some(plugins) = modules::plugins(&["function"]) else { return };
    let host = Host::new();
    let line = format!(
        "load {} --filter function/request --arm wasm -p rate=10000000 --quick --processes 1 --format json",
        plugins[0].display()
    );
    let document = host.check(&line, 2).json();
    let cells = cells(&document, "function/request");
    assert_eq!(cells.len(), 1, "{cells:?}");
    assert!(cells[0]["reason"].as_str().unwrap().contains("ask for less"), "{:#}", cells[0]);
    assert!(cells[0]["series"].as_array().unwrap().is_empty(), "{:#}", cells[0]);
}
