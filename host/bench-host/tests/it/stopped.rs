//! Runs that end early: by Ctrl-C, by a kill, in the middle of a line. Finished results are readable, and no process is left.
#![cfg(target_os = "linux")]

use crate::host::{Host, Ran, cells, eventually};
use crate::modules::plugins;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

/// A run of which `good` has been finished and `loop` is going on, with its worker.
struct Going {
    host: Host,
    child: Child,
    worker: u32,
}

fn start() -> Going {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/{good,loop} --arm native --quick --time 20ms --deadline 10m";
    let good_first = |seed: &u32| {
        let plan = host.check(&format!("{line} --dry-run --seed {seed}"), 0).stdout;
        plan.starts_with("hostile/good")
    };
    let seed = (0..100).find(good_first).expect("one of two cells is first for some seed");
    let mut command = host.command(&format!("{line} --seed {seed}"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let outcomes = || {
        let text = host.runs().first().and_then(|run| fs::read_to_string(run.join("run.jsonl")).ok());
        text.is_some_and(|text| text.contains("\"record\":\"outcome\""))
    };
    eventually("the first cell has been finished", outcomes);
    let mut worker = None;
    // The worker of the finished cell has ended before its outcome was written, so this is the next one.
    eventually("the second cell has a worker", || {
        worker = workers(child.id()).first().copied();
        worker.is_some()
    });
    Going { worker: worker.unwrap(), host, child }
}

impl Going {
    /// Sends `signal` to the parent alone and waits until it has ended, and its worker with it.
    fn stop(self, signal: Signal) -> (Host, Ran) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let ran = Ran::from(self.child.wait_with_output().unwrap());
        eventually("the worker has gone", || !is_running(self.worker));
        (self.host, ran)
    }
}

/// The fields of `/proc/PID/stat` after the name: the state, the parent, and so on.
fn stat(process: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(process.join("stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split_whitespace().map(str::to_owned).collect())
}

/// The workers of the program, each of which has a supervisor in between.
pub(crate) fn workers(program: u32) -> Vec<u32> {
    children(program).into_iter().flat_map(children).collect()
}

/// The processes that `parent` has started.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let children = processes.filter(|path| stat(path).is_some_and(|stat| stat[1] == parent.to_string()));
    children.filter_map(|path| path.file_name()?.to_str()?.parse().ok()).collect()
}

/// Whether the process exists and is not a zombie.
fn is_running(process: u32) -> bool {
    stat(&Path::new("/proc").join(process.to_string())).is_some_and(|stat| stat[0] != "Z")
}

/// Checks that the run file has `good` with its figures, and a reason with `part` for missing cells.
#[track_caller]
fn check_kept(host: &Host, part: &str) {
    let line = format!("list --run {}", host.run().display());
    let table = host.check(&line, 0).stdout;
    assert!(table.contains("1 of 2 cells were not run") && table.contains(part), "{table}");
    let document = host.check(&format!("{line} --format json"), 0).json();
    assert!(document["run"]["interrupted"].as_str().unwrap().contains(part), "{:#}", document["run"]);
    let good = cells(&document, "hostile/good");
    assert_eq!((good.len(), &good[0]["status"]), (1, &"ok".into()));
    assert!(good[0]["series"][0]["count"].as_u64().unwrap() > 0);
    assert!(cells(&document, "hostile/loop").is_empty(), "the cell in flight does not count");
}

#[test]
fn interrupt_keeps_and_shows_finished_results() {
    for signal in [Signal::INT, Signal::TERM] {
        let (host, ran) = start().stop(signal);
        let ran = ran.check("interrupted", 2);
        assert!(ran.stdout.contains("hostile/good") && ran.stdout.contains("\n  native"), "{}", ran.stdout);
        assert!(ran.stdout.contains("1 of 2 cells were not run: interrupted"), "{}", ran.stdout);
        check_kept(&host, "interrupted");
    }
}

/// As by Ctrl-Z, or by a machine that freezes the programs of a user who is away.
#[test]
#[expect(clippy::disallowed_methods, reason = "a time has to pass in which nothing happens")]
fn cell_is_void_if_the_program_was_stopped_beyond_its_deadline() {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/good --arm native --quick --processes 1 --time 2s --deadline 1s";
    let child = host.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the machine's limits have been measured", || {
        let text = host.runs().first().and_then(|run| fs::read_to_string(run.join("run.jsonl")).ok());
        text.is_some_and(|text| text.contains("\"record\":\"calibration\""))
    });
    eventually("the cell has a worker", || !workers(child.id()).is_empty());
    kill_process(Pid::from_child(&child), Signal::STOP).unwrap();
    thread::sleep(Duration::from_secs(6));
    kill_process(Pid::from_child(&child), Signal::CONT).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).check("stopped and continued", 2);
    let is_said =
        |line: &str| line.contains("void: the machine stood still: ") && line.contains("bench-host was stopped for ");
    assert!(ran.stdout.lines().any(is_said), "{}", ran.stdout);
}

#[test]
fn kill_loses_only_the_cell_in_flight() {
    let (host, ran) = start().stop(Signal::KILL);
    assert_eq!((ran.status, ran.stdout.as_str()), (None, ""));
    check_kept(&host, "the run file has no end");
}

#[test]
fn incomplete_last_line_is_reported_and_the_rest_is_shown() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --quick --time 20ms", 0);
    let file = host.run().join("run.jsonl");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 7]).unwrap();
    let line = format!("list --run {}", host.run().display());
    let table = host.check(&line, 0).stdout;
    assert!(table.contains("was never finished"), "{table}");
    assert!(
        ["hostile/good", "  wasm", "  native"].iter().all(|begin| table.contains(&format!("\n{begin}"))),
        "{table}"
    );
    let document = host.check(&format!("{line} --format json"), 0).json();
    assert!(document["run"]["torn"]["bytes"].as_u64().unwrap() > 0);
    // The file that was cut is read, not repaired.
    assert_eq!(fs::read(&file).unwrap().len(), whole.len() - 7);
}

/// Whether it has a ring open.
fn has_ring(process: u32) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let mut targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    targets.any(|target| target.to_string_lossy().contains("bench-host-ring"))
}

/// Starts a run whose worker has a second process, and kills the parent, or the worker, or the second process.
fn check_peer(scenario: &str, arm: &str, victim: impl Fn(u32, u32, u32) -> u32) -> Option<Ran> {
    let files = plugins(&["ring-client"])?;
    let host = Host::new();
    let words = "-p transport=shm-ring-futex -p placement=same -p payload_bytes=64 --quick --processes 1";
    let line = format!("load --filter ring-client/{scenario} --arm {arm} {words} --time 10m --deadline 10m");
    let mut command = host.command(&line);
    let child = command.args(files).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut worker, mut peer) = (0, 0);
    eventually("the worker has a second process", || {
        let pairs = workers(child.id())
            .into_iter()
            .flat_map(|worker| children(worker).into_iter().map(move |peer| (worker, peer)));
        // The machine's limits are measured with processes too.
        let found = pairs.into_iter().find(|(_, peer)| has_ring(*peer));
        (worker, peer) = found.unwrap_or_default();
        found.is_some()
    });
    let victim = victim(child.id(), worker, peer);
    kill_process(Pid::from_raw(victim.cast_signed()).unwrap(), Signal::KILL).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    eventually("nobody is left", || !is_running(worker) && !is_running(peer));
    Some(ran)
}

#[test]
fn second_process_ends_with_its_parent() {
    for scenario in ["ping-pong", "two-process-stream"] {
        for arm in ["wasm", "native"] {
            check_peer(scenario, arm, |parent, _, _| parent);
            check_peer(scenario, arm, |_, worker, _| worker);
        }
    }
}

#[test]
fn killed_second_process_fails_its_cell_with_the_reason() {
    for (scenario, arm) in [("ping-pong", "wasm"), ("two-process-stream", "native")] {
        let Some(ran) = check_peer(scenario, arm, |_, _, peer| peer) else { return };
        let ran = ran.check(scenario, 1);
        assert!(ran.stdout.contains("was killed by signal 9, and "), "{}", ran.stdout);
    }
}

#[test]
fn processes_that_a_module_leaves_end_with_its_worker() {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/{good,orphan} --quick --time 20ms --deadline 60s";
    let table = host.check(line, 0).stdout;
    assert!(table.contains("hostile/orphan"), "{table}");
    // Another test may have such a process, but in another folder.
    let folder = host.path(".").canonicalize().unwrap();
    let is_in_folder = |process: &u32| fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|found| found == folder);
    // The name of a process has at most fifteen bytes.
    let is_orphan = |process: &u32| {
        is_in_folder(process)
            && fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name == "hostile-orphan\n")
    };
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let left: Vec<u32> = processes.filter(|process| is_orphan(process) && is_running(*process)).collect();
    assert!(left.is_empty(), "{left:?}");
}
