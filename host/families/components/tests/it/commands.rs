//! The scenarios `run` and `bench`.

use crate::fixture::{Fixture, checks, open, scenario};
use bench_drivers::{DirectoryGrant, Grants, LedgerTask, Module};
use bench_family::Family;
use bench_model::Value;
use bench_wasm::Settings;
use family_components::Components;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A command of WASI 0.1 with this body, which can write `text` to its standard output (`$print`) and exit with a status.
fn command(text: &str, body: &str) -> Fixture {
    command_with("", text, body)
}

/// Such a command with another field.
fn command_with(field: &str, text: &str, body: &str) -> Fixture {
    Fixture::of(&format!(
        r#"(module {field}
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "{text}")
  (func $print (param $length i32)
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $read (result i32)
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 4096))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.load (i32.const 8)))
  (func (export "_start") {body}))"#
    ))
}

/// The checks of `run`, or the error.
fn run(module: &mut dyn Module, values: &[(&str, Value)]) -> String {
    match checks(module, "run", values) {
        Ok(checks) => {
            let line = |check: bench_model::Check| {
                format!("{} {}: {}", if check.passed { "ok" } else { "FAILED" }, check.name, check.detail)
            };
            checks.into_iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Err(error) => format!("error: {error}"),
    }
}

/// Checks that what a run says contains all `parts`.
#[track_caller]
fn check(module: &mut dyn Module, values: &[(&str, Value)], parts: &[&str]) {
    let found = run(module, values);
    for part in parts {
        assert!(found.contains(part), "{part:?} is not in: {found}");
    }
}

#[test]
fn status_and_output_are_checked() {
    let mut hello = command("hello\\n", "(call $print (i32.const 6))").load();
    check(&mut hello, &[], &["ok exit-status: expected 0, found 0", "ok standard-output: 6 bytes, \"hello\\n\""]);
    check(&mut hello, &[("expect", "hello".into())], &["ok standard-output: expected 6 bytes"]);
    check(&mut hello, &[("expect", "bye".into())], &["FAILED standard-output: expected 4 bytes, \"bye\\n\""]);
    let mut fails = command("", "(call $exit (i32.const 1))").load();
    check(
        &mut fails,
        &[],
        &[
            "FAILED exit-status: expected 0, found 1",
            "give -p exit=STATUS if that is right",
            "not granted wasi:filesystem (--allow-dir HOST::GUEST), wasi:cli/environment (--env NAME)",
        ],
    );
    check(&mut fails, &[("exit", 1.into())], &["ok exit-status: expected 1, found 1"]);
}

#[test]
fn command_that_changes_its_output_or_traps_has_no_figure() {
    let mut changes =
        command("", "(drop (call $random (i32.const 64) (i32.const 16))) (call $print (i32.const 16))").load();
    let error = run(&mut changes, &[]);
    assert!(error.contains("a run differs from the first") && error.contains("give -p output=any if"), "{error}");
    let error = run(&mut command("", "unreachable").load(), &[]);
    assert!(error.contains("`_start` trapped"), "{error}");
    assert!(error.contains("not granted wasi:filesystem (--allow-dir HOST::GUEST)"), "{error}");
}

#[test]
fn output_may_differ_if_the_user_says_so_and_the_exit_status_may_not() {
    let any = [("output", Value::from("any"))];
    let random = "(drop (call $random (i32.const 64) (i32.const 16))) (call $print (i32.const 16))";
    let mut changes = command("", random).load();
    assert_eq!(run(&mut changes, &any), "ok exit-status: expected 0, found 0 in 3 runs");
    let mut once = open(&mut changes, "run", &any).unwrap();
    let mut again = open(&mut changes, "run", &any).unwrap();
    assert_eq!(once.iterate(3).unwrap().checksum, again.iterate(1).unwrap().checksum, "both arms have one checksum");
    // An odd number exits with 1.
    let exits = format!("{random} (call $exit (i32.and (i32.load (i32.const 64)) (i32.const 1)))");
    let mut exits = command("", &exits).load();
    let mut session = open(&mut exits, "run", &any).unwrap();
    let error = session.iterate(64).unwrap_err().to_string();
    assert!(error.contains("a run differs from the first") && !error.contains("output=any"), "{error}");
    let both = run(&mut changes, &[any[0].clone(), ("expect", "text".into())]);
    assert!(both.contains("a run differs from the first"), "what is expected is compared: {both}");
}

#[test]
fn standard_input_is_a_file_or_ends_at_once() {
    let reads = command("", "(loop $again (br_if $again (call $read)))");
    check(&mut reads.load(), &[], &["ok exit-status"]);
    let copies = command("", "(call $print (call $read))");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input");
    std::fs::write(&file, "from a file\n").unwrap();
    let stdin = Value::from(file.to_str().unwrap());
    check(&mut copies.load(), &[("stdin", stdin), ("expect", "from a file".into())], &["ok standard-output"]);
    let missing = run(&mut copies.load(), &[("stdin", "no-such-file".into())]);
    assert!(missing.contains("parameter `stdin`: no-such-file: No such file"), "{missing}");
    for parameter in ["stdin", "expect"] {
        let file = if parameter == "stdin" { "/dev/zero" } else { "@/dev/zero" };
        let endless = run(&mut copies.load(), &[(parameter, file.into())]);
        assert!(
            endless.contains(&format!("parameter `{parameter}`: /dev/zero: it is a folder, a pipe or a device")),
            "{endless}"
        );
    }
}

#[test]
fn large_output_is_not_kept() {
    let loops = "(local $n i32) (loop $again (call $print (i32.const 32768))
        (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $again (i32.lt_u (local.get $n) (i32.const 512))))";
    let text = run(&mut command("x", loops).load(), &[]);
    assert!(text.contains("ok exit-status") && text.contains(" bytes, \"x"), "{text}");
}

#[test]
fn command_has_all_of_its_memory() {
    // As allocators do that count the pages that they asked for, and never read where they are: those of Go, and of earlier C libraries.
    let body = "(call $print (i32.const 5)) (drop (memory.grow (i32.const 16)))
        (memory.fill (i32.const 65536) (i32.const 255) (i32.const 1048576)) (call $print (i32.const 5))";
    let mut command = command("done\\n", body).load();
    check(&mut command, &[("expect", "done\ndone".into())], &["ok exit-status", "ok standard-output"]);
    assert_eq!(command.imports(), ["wasi_snapshot_preview1"]);
}

#[test]
fn function_is_imported_twice() {
    // As the modules of Go do.
    let field = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit_again (param i32)))"#;
    let mut twice = command_with(field, "", "(call $exit_again (i32.const 3))").load();
    check(&mut twice, &[("exit", 3.into())], &["ok exit-status: expected 3, found 3"]);
    assert_eq!(twice.imports(), ["wasi_snapshot_preview1"]);
}

#[test]
fn stages_are_recorded_and_instructions_counted() {
    // Counting reads the file again.
    let fixture = command("hello\\n", "(call $print (i32.const 6))");
    let mut hello = fixture.load();
    let mut session = open(&mut hello, "run", &[]).unwrap();
    session.iterate(3).unwrap();
    let series = session.sink().series().iter();
    let stages: Vec<_> = series.map(|series| (series.labels[0].1.clone(), series.count())).collect();
    assert_eq!(stages, ["instantiate", "run", "drop"].map(|name| (name.to_owned(), 3)));
    let (scenario, arguments) = scenario(&hello, "run", &[]);
    let counts = hello.count(&scenario, &arguments, 2).unwrap();
    assert!(counts.instructions.is_some_and(|instructions| instructions > 0), "{counts:?}");
    assert_eq!(counts.lifted_bytes, None, "each run has a store of its own");
}

#[test]
fn run_has_a_cost_breakdown_in_which_its_instance_is_a_part() {
    let fixture = command("hello\\n", "(call $print (i32.const 6))");
    let mut hello = fixture.load();
    let (scenario, arguments) = scenario(&hello, "run", &[]);
    let task = LedgerTask { scenario: &scenario, arguments: &arguments, batch: 64, time_ns: 200_000_000, seed: 7 };
    let ledger = hello.ledger(&task).expect("it can be observed").expect("a run is shorter than the time");
    let names: Vec<_> = ledger.terms.iter().map(|term| term.name.as_str()).collect();
    let expect = ["entry", "instance", "lower", "guest", "host-calls", "host-transition", "lift", "residual"];
    assert_eq!((names, ledger.batch), (expect.to_vec(), 1));
    // The run is entered and left, and so is the host, once.
    assert!(ledger.events >= 4.0, "{ledger:?}");
    let sum: f64 = ledger.terms.iter().map(|term| term.ns).sum();
    assert!((sum - ledger.total_ns).abs() <= 1e-9 * ledger.total_ns, "{ledger:?}");
    let short = LedgerTask { time_ns: 0, ..task };
    assert_eq!(hello.ledger(&short).expect("that is no error"), None, "there is no time for a run");
}

#[test]
fn program_does_the_same_as_its_component() {
    let mut hello = command("hello\\n", "(call $print (i32.const 6))").load();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("hello");
    std::fs::write(&program, "#!/bin/sh\necho hello\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let native = |program: &Path| {
        let made = Components.native_program(program, hello.descriptor(), &Grants::default());
        made.expect("it is a command").expect("the program is there")
    };
    let mut native = native(&program);
    let checksum = |module: &mut dyn Module| open(module, "run", &[]).unwrap().iterate(2).unwrap().checksum;
    assert_eq!(checksum(native.as_mut()), checksum(&mut hello));
    check(native.as_mut(), &[("expect", "hello".into())], &["ok exit-status", "ok standard-output"]);
    std::fs::write(&program, "#!/bin/sh\nkill -9 $$\n").unwrap();
    let error = run(native.as_mut(), &[]);
    assert!(error.ends_with("was killed by signal 9"), "{error}");
}

#[test]
fn program_starts_in_the_folder_that_its_component_sees_as_its_own() {
    let hello = command("hello\\n", "(call $print (i32.const 6))").load();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("shows");
    std::fs::write(&program, "#!/bin/sh\ncat input\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.path().join("input"), "granted\n").unwrap();
    let ran = |guest: &str| {
        let granted = DirectoryGrant { host: folder.path().to_owned(), guest: guest.to_owned(), read_only: true };
        let grants = Grants { directories: vec![granted], ..Grants::default() };
        let made = Components.native_program(&program, hello.descriptor(), &grants);
        let mut native = made.expect("it is a command").expect("the program is there");
        run(native.as_mut(), &[("expect", "granted".into())])
    };
    let own = ran(".");
    assert!(own.contains("ok standard-output"), "{own}");
    let elsewhere = ran("/input");
    assert!(elsewhere.contains("sees") && elsewhere.contains("as /input, and a program cannot"), "{elsewhere}");
}

#[test]
fn module_that_times_itself_has_the_time_between_its_two_calls() {
    let text = |body: &str| {
        format!(
            r#"(module (import "bench" "start" (func $start)) (import "bench" "end" (func $end))
              (memory (export "memory") 1) (func (export "_start") {body}))"#
        )
    };
    let mut timed = Fixture::of(&text("call $start call $end")).load();
    assert!(timed.descriptor().scenarios[0].has_own_clock());
    let mut session = open(&mut timed, "bench", &[]).unwrap();
    session.iterate(3).unwrap();
    let series = session.sink().series().iter().find(|series| series.metric == "bench").expect("it is timed");
    assert_eq!(series.count(), 3);
    assert!(session.verify().unwrap().iter().all(|check| check.passed));
    for (body, reason) in [
        ("nop", "did not call `bench.start` and `bench.end`"),
        ("call $end", "`bench.end` was called before `bench.start`"),
        ("call $start call $end call $end", "`bench.end` was called twice"),
    ] {
        let mut module = Fixture::of(&text(body)).load_with(Grants::default(), &Settings::default()).unwrap();
        let error = open(&mut module, "bench", &[]).unwrap().iterate(1).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

/// A command of WASI 0.3 whose `run` returns this case of `result`, and may time itself.
#[cfg(feature = "wasi-0-3")]
fn concurrent(case: u32, is_timed: bool) -> Fixture {
    let if_timed = |text: &'static str| if is_timed { text } else { "" };
    let import = if_timed(r#"(import "bench" (instance $bench (export "start" (func)) (export "end" (func))))"#);
    let imports = if_timed(r#"(import "" "start" (func $start)) (import "" "end" (func $end))"#);
    let start = if_timed(r#"(core func $start (canon lower (func $bench "start")))"#);
    let end = if_timed(r#"(core func $end (canon lower (func $bench "end")))"#);
    let given = if_timed(r#"(export "start" (func $start)) (export "end" (func $end))"#);
    let timed = if_timed("(call $start) (call $end)");
    Fixture::of(&format!(
        r#"(component
  {import}
  (core module $module
    (import "" "task.return" (func $return (param i32))) {imports}
    (func (export "run") (result i32) {timed} (call $return (i32.const {case})) (i32.const 0))
    (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
  (core func $return (canon task.return (result (result)))) {start} {end}
  (core instance $i (instantiate $module (with "" (instance (export "task.return" (func $return)) {given}))))
  (func $run async (result (result))
    (canon lift (core func $i "run") async (callback (core func $i "callback"))))
  (component $interface
    (import "run" (func $run async (result (result))))
    (export "run" (func $run)))
  (instance $instance (instantiate $interface (with "run" (func $run))))
  (export "wasi:cli/run@0.3.0" (instance $instance)))"#
    ))
}

#[cfg(feature = "wasi-0-3")]
#[test]
fn command_of_wasi_0_3_runs_on_an_engine_of_its_own() {
    let mut succeeds = concurrent(0, false).load();
    check(&mut succeeds, &[], &["ok exit-status: expected 0, found 0", "ok standard-output: 0 bytes"]);
    assert!(succeeds.note().is_some_and(|note| note.starts_with("built for WASI 0.3")), "{:?}", succeeds.note());
    check(&mut concurrent(1, false).load(), &[], &["FAILED exit-status: expected 0, found 1"]);
}

#[cfg(feature = "wasi-0-3")]
#[test]
fn command_of_wasi_0_3_that_times_itself_has_the_time_between_its_two_calls() {
    let mut timed = concurrent(0, true).load();
    let mut session = open(&mut timed, "bench", &[]).unwrap();
    session.iterate(3).unwrap();
    let series = session.sink().series().iter().find(|series| series.metric == "bench").expect("it is timed");
    assert_eq!(series.count(), 3);
}
