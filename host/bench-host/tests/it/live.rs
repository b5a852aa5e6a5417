//! `--live` on a terminal, which `script` provides: the screen is drawn, and the terminal is left as it was, whatever ends the run.

use crate::host::{Host, PROGRAM, Ran, eventually, skip};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::{Command, Stdio};

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// A command that runs the program with the arguments in `line` on a terminal of 100 columns, and writes its process number to `pid`.
fn on_terminal(host: &Host, line: &str) -> Command {
    let script = format!("stty rows 30 cols 100; echo $$ > pid; exec {PROGRAM} {line}");
    let mut command = crate::host::command("script");
    command.args(["-qefc", &script, "/dev/null"]).current_dir(host.path(""));
    command
}

fn has_terminal(host: &Host) -> bool {
    let has = Command::new("script").args(["-qefc", "stty size", "/dev/null"]).stdin(Stdio::null()).output();
    let has = has.is_ok_and(|output| output.status.success());
    if !has {
        skip("`script` and `stty` are needed for a terminal");
    }
    has && host.path("").is_dir()
}

/// Checks that the screen was entered once and left once, and returns what came after it.
#[track_caller]
fn after_screen(output: &str) -> &str {
    assert_eq!((output.matches(ENTER).count(), output.matches(LEAVE).count()), (1, 1), "{output:?}");
    let (before, after) = output.split_once(LEAVE).expect("it was left");
    assert!(before.contains(ENTER) && before.contains("hostile/good"), "{before:?}");
    after
}

#[test]
fn table_is_printed_after_the_screen_was_left() {
    let host = Host::with_hostile();
    if !has_terminal(&host) {
        return;
    }
    let line = "load hostile.wasm --filter hostile/good --quick --time 60ms --live";
    let ran = Ran::of(&mut on_terminal(&host, line)).check(line, 0);
    let after = after_screen(&ran.stdout);
    assert!(after.contains("p50") && after.contains("run directory"), "{after:?}");
    assert!(ran.stdout.contains("samples, up to p99"), "the histogram was drawn: {:?}", ran.stdout);
}

#[test]
fn interrupt_leaves_the_screen_and_keeps_the_results() {
    let host = Host::with_hostile();
    if !has_terminal(&host) {
        return;
    }
    let line = "load hostile.wasm --filter hostile/good --quick --time 600s --processes 3 --live";
    let child = on_terminal(&host, line).stdout(Stdio::piped()).spawn().unwrap();
    let has_cell = || {
        host.runs()
            .iter()
            .any(|run| fs::read_to_string(run.join("run.jsonl")).is_ok_and(|text| text.contains("calibration")))
    };
    eventually("the rooflines are measured", has_cell);
    let pid: i32 = fs::read_to_string(host.path("pid")).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    // It may have been interrupted before the screen was entered.
    assert_eq!(text.matches(ENTER).count(), text.matches(LEAVE).count(), "{text:?}");
    assert_eq!(output.status.code(), Some(2), "{text:?}");
}

#[test]
fn live_without_a_terminal_is_refused() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --quick --live", 2).one_line(&["--live needs a terminal"]);
    assert!(host.runs().is_empty());
}
