//! Components that were not written for bench-host: made from text or built from source by these tests, or taken from package
//! registries where their tools are installed.

use crate::host::{Host, PROGRAM, Ran, cells, command, skip};
use crate::modules::{handler, handler_0_3};
use crate::tools::{component, componentize_js, componentize_py};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

const PROGRAM_SOURCE: &str = r#"
use std::io::Read;
fn main() {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).unwrap();
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{} {} {:?}", words.join("+"), input.len(), std::env::var("GREETING").ok());
    if words.first().is_some_and(|word| word == "fail") {
        eprintln!("as it was told");
        std::process::exit(1);
    }
}
"#;

/// Writes the component or core module with this text into the host's folder.
fn write(host: &Host, name: &str, text: &str) {
    fs::write(host.path(name), wat::parse_str(text).expect("the text parses")).expect("the module is written");
}

/// A program built from source as a component and natively: `app.wasm` and `app`. `None`, with the reason, where the target is missing.
fn built(host: &Host) -> Option<(PathBuf, PathBuf)> {
    fs::write(host.path("app.rs"), PROGRAM_SOURCE).unwrap();
    let build = |target: Option<&str>, output: &str| {
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "-O", "app.rs", "-o", output]).current_dir(host.path(""));
        rustc
            .args(target.into_iter().flat_map(|target| ["--target", target]))
            .output()
            .ok()
            .filter(|it| it.status.success())
    };
    if build(Some("wasm32-wasip2"), "app.wasm").is_none() || build(None, "app").is_none() {
        skip("rustc cannot build for wasm32-wasip2; run rustup target add wasm32-wasip2");
        return None;
    }
    Some((host.path("app.wasm"), host.path("app")))
}

const ADD: &str = r#"(component
    (core module $module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
    (core instance $i (instantiate $module))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#;

#[test]
fn exported_function_is_called_listed_and_checked() {
    let host = Host::new();
    write(&host, "lib.wasm", ADD);
    let load = |words: &[&str]| Ran::of(host.command("load lib.wasm --quick --format json").args(words));
    let document = load(&["--call", "add(1, 2)", "--call", "add(3, 4)"]).check("load", 0).json();
    let found = cells(&document, "lib/call");
    assert_eq!(found.len(), 2, "{document:#}");
    for cell in &found {
        assert_eq!(
            (&cell["status"], &cell["arm"], &cell["family"]),
            (&"ok".into(), &"wasm".into(), &"components".into())
        );
        assert!(cell["series"][0]["count"].as_u64().unwrap() > 0, "{cell:#}");
    }
    let document = load(&["--call", "add(1, true)"]).check("load", 1).json();
    let reason = cells(&document, "lib/call")[0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("`true` at column 8") && reason.contains("add: func(a: u32, b: u32) -> u32"), "{reason}");
    let document = load(&[]).check("load", 2).json();
    let cell = cells(&document, "lib/call")[0].clone();
    assert_eq!(cell["status"], "skipped");
    assert!(cell["reason"].as_str().unwrap().contains("--call"), "{cell:#}");
    let listed = host.check("list lib.wasm", 0).stdout;
    assert!(listed.contains("func(a: u32, b: u32) -> u32"), "{listed}");
    let checked = Ran::of(host.command("check lib.wasm").args(["--call", "add(1, 2)", "--expect", "3"]));
    let checked = checked.check("check", 0).stdout;
    assert!(checked.contains("expected-result"), "{checked}");
}

#[test]
fn command_runs_as_component_and_as_program() {
    let host = Host::new();
    let Some((_, program)) = built(&host) else { return };
    fs::write(host.path("input"), "four").unwrap();
    let line = "load app.wasm --native app --stdin input --env GREETING --quick --processes 1 --format json";
    let mut load = host.command(line);
    let ran = Ran::of(load.env("GREETING", "hi").args(["--args", "a 'b c'", "--expect", "a+b c 4 Some(\"hi\")"]));
    let document = ran.check(line, 0).json();
    let cells = cells(&document, "app/run");
    let mut arms: Vec<_> = cells.iter().map(|cell| cell["arm"].as_str().unwrap()).collect();
    arms.sort_unstable();
    assert_eq!(arms, ["process", "wasm"], "{document:#}");
    assert!(cells.iter().all(|cell| cell["status"] == "ok"), "{document:#}");
    let failed = Ran::of(host.command("load app.wasm --quick --format json").args(["--args", "fail"])).check("load", 1);
    let reason = failed.json()["cells"][0]["reason"].as_str().unwrap().to_owned();
    assert!(
        reason.contains("`exit-status` failed: expected 0, found 1") && reason.contains("as it was told"),
        "{reason}"
    );
    let missing = host.check("load app.wasm --native no-such-program --quick", 1).stdout;
    assert!(missing.contains("no-such-program: refused: cannot be read"), "{missing}");
    let compared =
        host.check("compare app/run --modules . --native app --arm wasm,process --quick --format json", 0).json();
    let arms = compared["comparisons"][0].to_string();
    assert!(arms.contains("process") && arms.contains("wasm"), "{compared:#}");
    assert!(program.is_file());
}

/// A command of WASI 0.1 that greets.
const HELLO: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "hello\n")
    (func (export "_start")
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 6))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

#[test]
fn environment_of_a_program_is_as_long_as_was_drawn_for_its_worker() {
    let host = Host::new();
    write(&host, "hello.wasm", HELLO);
    let script = "#!/bin/sh\necho ${#BENCH_HOST_LAYOUT} >> lengths\necho hello\n";
    fs::write(host.path("hello"), script).unwrap();
    fs::set_permissions(host.path("hello"), Permissions::from_mode(0o755)).unwrap();
    let line = "load hello.wasm --native hello --expect hello --quick --processes 3 --time 60ms --format json";
    let document = host.check(line, 0).json();
    assert_eq!(cells(&document, "hello/run").len(), 2, "{document:#}");
    let records = fs::read_to_string(host.run().join("run.jsonl")).unwrap();
    let outcomes = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let drawn: BTreeSet<usize> = outcomes
        .filter(|record| record["record"] == "outcome")
        .map(|outcome| {
            let bytes = |name: &str| outcome["layout"][name].as_u64().unwrap();
            let offsets = format!("{} {} ", bytes("stack_bytes"), bytes("heap_bytes"));
            offsets.len() + bytes("environment_bytes") as usize
        })
        .collect();
    let kept = fs::read_to_string(host.path("lengths")).unwrap();
    let lengths = kept.lines().map(|line| line.parse::<usize>().unwrap());
    // Without a layout, resource usage is counted.
    let found: BTreeSet<usize> = lengths.filter(|length| *length > 0).collect();
    assert!(found.len() > 1 && found.is_subset(&drawn), "{found:?} {drawn:?}");
}

/// A command of WASI 0.1 with this body, which reads its standard input with `$read`.
fn command_of(body: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func $read (result i32)
                (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 4096))
                (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))) (i32.load (i32.const 8)))
            (func (export "_start") {body}))"#
    )
}

/// A core module that times itself, as those of Sightglass do, while it counts down from `number`.
fn self_timed(number: u32) -> String {
    format!(
        r#"(module (import "bench" "start" (func $start)) (import "bench" "end" (func $end))
            (memory (export "memory") 1)
            (func (export "_start") (local $left i32)
                (local.set $left (i32.const {number}))
                (call $start)
                (loop $again
                    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                    (br_if $again (local.get $left)))
                (call $end)))"#
    )
}

#[test]
fn modules_that_time_themselves_are_compared_by_their_own_clock() {
    let host = Host::new();
    write(&host, "old.wasm", &self_timed(10_000));
    write(&host, "new.wasm", &self_timed(20_000));
    for (line, instructions_differ) in [("old.wasm new.wasm old/bench", true), ("old.wasm --engine opt-none", false)] {
        let line = format!("compare {line} --quick --processes 2 --format json");
        let document = host.check(&line, 0).json();
        let [compared] = &document["comparisons"].as_array().unwrap()[..] else { panic!("{document:#}") };
        assert_eq!((&compared["scenario"], &compared["status"]), (&"old/bench".into(), &"ok".into()), "{compared:#}");
        assert_eq!(compared["aa"].as_array().unwrap().len(), 2, "{compared:#}");
        let accounts = document["accounts"].as_array().unwrap();
        let counts: Vec<_> = accounts.iter().map(|account| account["instructions"].as_f64().unwrap()).collect();
        assert_eq!((counts.len(), counts[0] != counts[1]), (2, instructions_differ), "{counts:?}");
    }
}

#[test]
fn command_that_reads_for_ever_is_ended_at_the_deadline() {
    let host = Host::new();
    write(&host, "reads.wasm", &command_of("(loop $again (drop (call $read)) (br $again))"));
    let document = host.check("load reads.wasm --quick --processes 1 --deadline 3s --format json", 1).json();
    let cell = &cells(&document, "reads/run")[0];
    let reason = cell["reason"].as_str().unwrap_or_default();
    assert!(cell["status"] == "failed" && reason.contains("allow more time with --deadline"), "{cell:#}");
}

/// The only cell of the scenario `request` of a handler, with these further arguments.
fn request(handler: &Path, status: i32, words: &[&str]) -> Value {
    let host = Host::new();
    let mut load = host.command("load --filter handler/request --quick --processes 1 --deadline 3s --format json");
    let document = Ran::of(load.arg(handler).args(words)).check("load handler.wasm", status).json();
    cells(&document, "handler/request")[0].clone()
}

#[test]
fn handler_is_started_and_sent_requests() {
    check_requests(handler());
}

#[test]
fn handler_of_wasi_0_3_is_started_and_sent_requests() {
    check_requests(handler_0_3());
    let host = Host::new();
    let mut load = host.command("load --filter handler/request --dry-run");
    let loaded = Ran::of(load.arg(handler_0_3())).check("load handler.wasm", 0);
    assert!(loaded.stderr.contains("built for WASI 0.3, which the engine calls experimental"), "{}", loaded.stderr);
}

#[track_caller]
fn check_requests(handler: &Path) {
    let host = Host::new();
    let mut load = host.command("load --quick --processes 1 --format json --expect hello");
    let document = Ran::of(load.arg(handler)).check("load handler.wasm", 0).json();
    for scenario in ["handler/request", "handler/cold-start", "handler/handle"] {
        for cell in cells(&document, scenario) {
            assert_eq!((&cell["status"], &cell["family"]), (&"ok".into(), &"serverless".into()), "{cell:#}");
            assert!(cell["series"][0]["count"].as_u64().unwrap() > 0, "{cell:#}");
        }
    }
    assert_eq!(cells(&document, "handler/cold-start").len(), 2, "{document:#}");
    fs::write(host.path("put.http"), "PUT http://x/echo HTTP/1.1\nX-Name: Ada\n\nbody").unwrap();
    let file = host.path("put.http").display().to_string();
    let expect = ["--request", &file, "-p", "status=201", "--expect", "PUT Ada body"];
    assert_eq!(request(handler, 0, &expect)["status"], "ok");
    let by_parameters =
        ["-p", "method=PUT", "-p", "path=/echo", "-p", "headers=X-Name: Ada", "-p", "body=body", "-p", "status=201"];
    assert_eq!(request(handler, 0, &by_parameters)["status"], "ok");
}

/// Checks that all three scenarios of a handler are measured with these further arguments, or fail with `parts` in their reasons.
#[track_caller]
fn check_handler(handler: &Path, words: &[&str], parts: &[&str]) {
    let host = Host::new();
    let mut load = host.command("load --quick --time 50ms --processes 1 --format json");
    let status = if parts.is_empty() { 0 } else { 1 };
    let document = Ran::of(load.arg(handler).args(words)).check("load handler.wasm", status).json();
    for scenario in ["handler/request", "handler/cold-start", "handler/handle"] {
        let found = cells(&document, scenario);
        assert!(!found.is_empty(), "{document:#}");
        for cell in found {
            assert_eq!(cell["status"], if parts.is_empty() { "ok" } else { "failed" }, "{words:?}: {cell:#}");
            for part in parts {
                let reason = cell["reason"].as_str().unwrap();
                assert!(reason.contains(part), "{words:?}: {part:?} is not in: {reason}");
            }
        }
    }
}

#[test]
fn handler_waits_for_clocks_and_connections() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for connection in listener.incoming() {
            // Whoever has gone meanwhile is not greeted.
            let _ = connection.and_then(|mut connection| connection.write_all(b"welcome"));
        }
    });
    for handler in [handler(), handler_0_3()] {
        check_handler(handler, &["-p", "path=/sleep", "--expect", "rested"], &[]);
    }
    let path = format!("path=/connect/{address}");
    check_handler(handler(), &["-p", &path, "--expect", "welcome", "--allow-net", &address], &[]);
}

#[test]
fn handler_that_lacks_a_grant_is_told_of_it() {
    let outgoing = ["-p", "path=/outgoing"];
    for (handler, interface) in [(handler(), "wasi:http/outgoing-handler"), (handler_0_3(), "wasi:http/client")] {
        let lacking = format!("{interface} (which no option");
        check_handler(handler, &outgoing, &["found 502 asked", "it was not granted", &lacking]);
        // That it is denied is known at once.
        check_handler(handler, &[&outgoing[..], &["-p", "status=502"]].concat(), &[]);
        check_handler(handler, &["-p", "path=/trap"], &["`handle` trapped", &lacking]);
    }
    check_handler(handler(), &["-p", "path=/trap"], &["wasi:sockets (--allow-net HOST:PORT)"]);
}

#[test]
fn builds_of_a_handler_are_compared_interleaved() {
    check_builds(handler());
}

#[test]
fn builds_of_a_handler_of_wasi_0_3_are_compared_interleaved() {
    check_builds(handler_0_3());
}

#[track_caller]
fn check_builds(handler: &Path) {
    let host = Host::new();
    for name in ["old.wasm", "new.wasm"] {
        fs::copy(handler, host.path(name)).unwrap();
    }
    let compare = |words: &[&str], status| {
        let mut compare = host.command("compare old.wasm new.wasm old/handle --quick --format json");
        Ran::of(compare.args(words)).check("compare old.wasm new.wasm", status).json()
    };
    for instance in ["instance=per-request", "instance=reused"] {
        let document = compare(&["-p", instance, "--expect", "hello"], 0);
        let [compared] = &document["comparisons"].as_array().unwrap()[..] else { panic!("{document:#}") };
        assert_eq!((&compared["scenario"], &compared["status"]), (&"old/handle".into(), &"ok".into()), "{compared:#}");
        let accounts = document["accounts"].as_array().unwrap();
        let instructions: Vec<_> = accounts.iter().map(|account| account["instructions"].as_f64().unwrap()).collect();
        assert!(instructions.len() == 2 && instructions[0] > 0.0, "{instructions:?}");
        assert_eq!(instructions[0], instructions[1], "{instance}");
        let ledgers = document["ledgers"].as_array().unwrap();
        let has_instance =
            |ledger: &Value| ledger["terms"].as_array().unwrap().iter().any(|term| term["name"] == "instance");
        let is_reused = instance.ends_with("reused");
        assert!(ledgers.iter().all(|ledger| has_instance(ledger) != is_reused), "{instance}: {ledgers:#?}");
        // A start that takes longer than there is time is not observed.
        assert!(ledgers.len() == 2 || !is_reused, "{instance}: {document:#}");
    }
    let document = compare(&["-p", "path=/random"], 1);
    let reason = document["comparisons"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("a response differs from the first"), "{reason}");
}

#[test]
fn handler_that_answers_wrongly_or_never_has_no_figure() {
    let of_both = [
        ("/500", "expected status 200, found 500 no"),
        ("/random", "check `answers` failed"),
        ("/never", "the worker was killed; allow more time with --deadline"),
        ("/endless", "its answer is longer than 64 MiB"),
    ];
    let of_both = of_both.into_iter().flat_map(|(path, part)| [handler(), handler_0_3()].map(|it| (it, path, part)));
    let of_one = [
        (handler(), "/none", "`handle` returned without an answer"),
        (handler_0_3(), "/error", "it answered with the error ErrorCode::LoopDetected"),
    ];
    for (handler, path, part) in of_both.chain(of_one) {
        let cell = request(handler, 1, &["-p", &format!("path={path}")]);
        let reason = cell["reason"].as_str().unwrap_or_default();
        assert!(cell["status"] == "failed" && reason.contains(part), "{path}: {part:?} is not in {cell:#}");
    }
}

#[test]
fn address_space_limit_means_instances_on_demand() {
    let host = Host::new();
    write(&host, "lib.wasm", ADD);
    let mut shell = command("sh");
    let script =
        format!("ulimit -v 8000000; {PROGRAM} load lib.wasm --quick --processes 1 --format json --call 'add(1, 2)'");
    let ran = Ran::of(shell.args(["-c", &script]).current_dir(host.path("")));
    let ran = ran.check(&script, 0);
    assert!(ran.stderr.contains("ulimit -v") && ran.stderr.contains("on demand"), "{}", ran.stderr);
    assert_eq!(cells(&ran.json(), "lib/call")[0]["status"], "ok");
}

/// The status of a tool that is run in the host's folder; `None`, with a message, if it is not installed.
fn tool(host: &Host, program: &str, words: &[&str], environment: &[(&str, &str)]) -> Option<()> {
    let mut tool = Command::new(program);
    tool.args(words).current_dir(host.path("")).envs(environment.iter().copied());
    match tool.output() {
        Ok(output) if output.status.success() => Some(()),
        Ok(output) => {
            skip(&format!("`{program} {}` failed: {}", words.join(" "), String::from_utf8_lossy(&output.stderr)));
            None
        }
        Err(error) => {
            skip(&format!("{program} cannot be started: {error}; install it and put it on PATH"));
            None
        }
    }
}

/// Checks that the only cell of this line is right.
#[track_caller]
fn check_cell(host: &Host, scenario: &str, line: &str, words: &[&str]) {
    let document = Ran::of(host.command(line).args(words)).check(line, 0).json();
    let found = cells(&document, scenario);
    assert!(!found.is_empty() && found.iter().all(|cell| cell["status"] == "ok"), "{document:#}");
}

const HELLO_WIT: &str = "package test:hello;\nworld hello {\n    export greet: func(name: string) -> string;\n}\n";

/// Its heap grows by much more than its memory has at the start, before and after calls of the system.
const GO_SOURCE: &str = r#"package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	var kept [][]byte
	for len(kept) < 16 {
		kept = append(kept, make([]byte, 1<<20))
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(os.Args), os.Args[1], len(input), len(kept))
}
"#;

#[test]
fn program_in_go_runs_as_core_module_and_natively() {
    let host = Host::new();
    fs::write(host.path("main.go"), GO_SOURCE).unwrap();
    fs::write(host.path("input"), "four").unwrap();
    let target = [("GOOS", "wasip1"), ("GOARCH", "wasm")];
    if tool(&host, "go", &["build", "-o", "count.wasm", "main.go"], &target).is_none()
        || tool(&host, "go", &["build", "-o", "count", "main.go"], &[]).is_none()
    {
        return;
    }
    let line = "load count.wasm --native count --stdin input --quick --processes 1 --format json";
    check_cell(&host, "count/run", line, &["--args", "x", "--expect", "2 x 4 16"]);
}

/// Checks that the function `greet` of a component can be called.
#[track_caller]
fn check_greets(component: &Path, name: &str) {
    let host = Host::new();
    fs::copy(component, host.path(format!("{name}.wasm"))).expect("what was built is copied");
    let line = format!("load {name}.wasm --quick --processes 1 --format json");
    check_cell(&host, &format!("{name}/call"), &line, &["--call", "greet(\"Ada\")", "--expect", "\"Hello, Ada!\""]);
}

#[test]
fn component_in_python_is_called() {
    let Some(tools) = componentize_py() else { return };
    let source = "import wit_world\n\nclass WitWorld(wit_world.WitWorld):\n    def greet(self, name: str) -> str:\n        return f\"Hello, {name}!\"\n";
    let mut componentize = Command::new(tools.join("componentize-py"));
    componentize.args(["-d", "hello.wit", "-w", "hello", "componentize", "app", "-o", "python-call.wasm"]);
    let made = component("python-call", &[("hello.wit", HELLO_WIT), ("app.py", source)], &mut componentize);
    check_greets(&made, "python");
}

#[test]
fn component_in_javascript_is_called() {
    let Some(tools) = componentize_js() else { return };
    let source = "export function greet(name) { return `Hello, ${name}!`; }\n";
    let mut componentize = Command::new(tools.join("componentize-js"));
    componentize.args(["app.js", "-w", "hello.wit", "-n", "hello", "-o", "javascript-call.wasm"]);
    for feature in ["stdio", "random", "clocks", "http", "fetch-event"] {
        componentize.args(["-d", feature]);
    }
    let made = component("javascript-call", &[("hello.wit", HELLO_WIT), ("app.js", source)], &mut componentize);
    check_greets(&made, "javascript");
}
