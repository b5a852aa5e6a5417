//! `--live` on a terminal, which `script` provides: the screen is drawn, and the terminal is left as it was, whatever ends the run.

use crate::host::{Host, PROGRAM, Ran, cells, skip};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::Read;
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
    let line = "load hostile.wasm --filter hostile/{good,loop} --arm native --quick --time 20ms --deadline 10m";
    let is_good_first = |seed: &u32| {
        let plan = host.check(&format!("{line} --dry-run --seed {seed}"), 0).stdout;
        plan.starts_with("hostile/good")
    };
    let seed = (0..100).find(is_good_first).expect("one of two cells is first for some seed");
    // The shell takes braces for its own.
    let line = line.replace("hostile/{good,loop}", "'hostile/{good,loop}'");
    let mut command = on_terminal(&host, &format!("{line} --seed {seed} --live"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut terminal = child.stdout.take().expect("it is a pipe");
    let mut written = Vec::new();
    // The first cell is drawn with its figures before the second begins, which does not end by itself.
    let is_drawn = |screen: &str| screen.contains("hostile/good") && screen.contains("process 0 done");
    read_until(&mut terminal, &mut written, |text| text.split_once(ENTER).is_some_and(|(_, screen)| is_drawn(screen)));
    let pid: i32 = fs::read_to_string(host.path("pid")).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
    terminal.read_to_end(&mut written).unwrap();
    let text = String::from_utf8_lossy(&written);
    assert_eq!(child.wait().unwrap().code(), Some(2), "{text:?}");
    let after = after_screen(&text);
    assert!(after.contains("1 of 2 cells were not run: interrupted") && after.contains("run directory"), "{after:?}");
    let kept = host.check(&format!("list --run {} --format json", host.run().display()), 0).json();
    let good = cells(&kept, "hostile/good");
    assert_eq!((good.len(), &good[0]["status"]), (1, &"ok".into()), "{kept:#}");
}

/// Reads what is written to a terminal until `has` says that enough is there. The whole text stays in `written`.
#[track_caller]
fn read_until(terminal: &mut impl Read, written: &mut Vec<u8>, has: impl Fn(&str) -> bool) {
    let mut some = [0; 4096];
    while !has(&String::from_utf8_lossy(written)) {
        let count = terminal.read(&mut some).unwrap();
        assert!(count > 0, "it ended before: {:?}", String::from_utf8_lossy(written));
        written.extend_from_slice(&some[..count]);
    }
}

#[test]
fn live_without_a_terminal_is_refused() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --quick --live", 2).one_line(&["--live needs a terminal"]);
    assert!(host.runs().is_empty());
}
