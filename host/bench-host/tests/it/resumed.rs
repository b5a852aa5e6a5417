//! Resuming interrupted runs: the result is the same as without the interruption, no repetition is executed twice, and a run is refused
//! and left unchanged if something has changed.
#![cfg(target_os = "linux")]

use crate::host::{Host, Ran, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

/// Two cells that are ok in both arms, one that fails, one with different results, and one that is skipped.
const WORDS: &str =
    "--filter hostile/{good,litter,bad-verify,arms-differ,unavailable} --quick --processes 2 --time 40ms";

/// The records of the only run, line by line.
fn records(host: &Host) -> Vec<Value> {
    let text = fs::read_to_string(host.run().join("run.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The repetitions in the order in which they were written.
fn order(host: &Host) -> Vec<(u64, u64)> {
    let records = records(host);
    let cells = records.iter().filter(|record| record["record"] == "cell");
    cells.map(|cell| (cell["cell"].as_u64().unwrap(), cell["process"].as_u64().unwrap())).collect()
}

/// The contents of a document about each cell, without times.
fn ends(document: &Value) -> BTreeMap<String, String> {
    let end = |cell: &Value| {
        let name = format!("{} {} {}", cell["scenario"], cell["arm"], cell["arguments"]);
        let series: Vec<_> = cell["series"].as_array().unwrap().iter().map(|series| &series["metric"]).collect();
        (name, format!("{} {} {} {} {series:?}", cell["status"], cell["reason"], cell["processes"], cell["checksum"]))
    };
    document["cells"].as_array().unwrap().iter().map(end).collect()
}

/// The result of an uninterrupted run of `WORDS`.
struct Uninterrupted {
    id: String,
    text: String,
    ends: BTreeMap<String, String>,
    order: Vec<(u64, u64)>,
}

/// The seed of all interrupted runs.
const SEED: u32 = 3;

fn uninterrupted() -> &'static Uninterrupted {
    static MADE: OnceLock<Uninterrupted> = OnceLock::new();
    MADE.get_or_init(|| {
        let host = Host::with_hostile();
        let document = host.check(&format!("load hostile.wasm {WORDS} --seed {SEED} --format json"), 1).json();
        let id = host.run().file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(host.run().join("run.jsonl")).unwrap();
        Uninterrupted { id, text, ends: ends(&document), order: order(&host) }
    })
}

/// Its folder, with so many bytes of its run file.
fn cut(bytes: usize) -> (Host, PathBuf) {
    let (host, made) = (Host::with_hostile(), uninterrupted());
    let run = host.path("results").join(&made.id);
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("run.jsonl"), &made.text[..bytes]).unwrap();
    (host, run)
}

fn outcomes(host: &Host) -> usize {
    written(host).matches("\"record\":\"outcome\"").count()
}

fn written(host: &Host) -> String {
    let file = host.runs().first().map(|run| run.join("run.jsonl"));
    file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default()
}

/// Starts `line`, and sends `signal` when so many outcomes have been written.
#[track_caller]
fn stop(host: &Host, line: &str, after: usize, signal: Signal) {
    let mut child = host.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("so much has been written", || written(host).contains('\n') && outcomes(host) >= after);
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap();
}

/// Checks that the only run of `host`, which `ran` has finished, is equal to an uninterrupted one.
#[track_caller]
fn check_whole(host: &Host, ran: &Ran) {
    let expect = uninterrupted();
    assert_eq!(ends(&ran.json()), expect.ends);
    assert_eq!(order(host), expect.order);
    // n is of both parts.
    let document = ran.json();
    for cell in document["cells"].as_array().unwrap().iter().filter(|cell| cell["status"] == "ok") {
        let is_of_cell = |record: &&Value| record["record"] == "series" && record["cell"] == number(host, cell);
        let written: u64 =
            records(host).iter().filter(is_of_cell).map(|series| series["count"].as_u64().unwrap()).sum();
        let shown: u64 = cell["series"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum();
        assert_eq!((cell["processes"].as_u64(), shown), (Some(2), written), "{cell:#}");
    }
}

/// The number that `cell` of a document has in the file.
fn number(host: &Host, cell: &Value) -> Value {
    let records = records(host);
    let is_it = |record: &&Value| {
        record["record"] == "cell" && ["scenario", "arm", "arguments"].iter().all(|name| record[*name] == cell[*name])
    };
    records.iter().find(is_it).unwrap()["cell"].clone()
}

#[test]
fn resumed_run_has_the_result_of_an_uninterrupted_one() {
    for (after, signal) in [(0, Signal::KILL), (1, Signal::KILL), (5, Signal::KILL), (3, Signal::INT)] {
        let host = Host::with_hostile();
        stop(&host, &format!("load hostile.wasm {WORDS} --seed {SEED}"), after, signal);
        let ran = host.check("load hostile.wasm --resume --format json", 1);
        ran.check_first_line(&["resuming ", &host.run().file_name().unwrap().to_string_lossy()]);
        check_whole(&host, &ran);
        assert_eq!(ran.json()["run"]["resumed"].as_array().map(Vec::len), Some(1));
        let kinds = |kind: &str| records(&host).iter().filter(|record| record["record"] == kind).count();
        assert_eq!((kinds("run"), kinds("resumed")), (1, 1));
    }
}

#[test]
fn run_interrupted_twice_is_resumed_twice() {
    let host = Host::with_hostile();
    stop(&host, &format!("load hostile.wasm {WORDS} --seed {SEED}"), 2, Signal::KILL);
    stop(&host, "load --resume", 6, Signal::INT);
    let table = host.check(&format!("list --run {}", host.run().display()), 0).stdout;
    assert!(table.contains("interrupted") && table.contains(", in 2 parts"), "{table}");
    let left = host.check("load --resume --dry-run", 0).stdout;
    assert!(left.lines().count() < uninterrupted().order.len(), "{left}");
    let ran = host.check("load --resume --format json", 1);
    check_whole(&host, &ran);
    assert_eq!(ran.json()["run"]["interrupted"], Value::Null);
}

#[test]
fn incomplete_file_is_resumed_after_its_last_complete_block() {
    let text = &uninterrupted().text;
    let cell = text.rfind("{\"v\":1,\"record\":\"cell\"").unwrap();
    let line_end = |from: usize| from + text[from..].find('\n').unwrap() + 1;
    let outcome = cell + text[cell..].find("{\"v\":1,\"record\":\"outcome\"").unwrap();
    // Within the head, within the cell's line, behind it, before the end of the outcome's line, within the machine's limits.
    for bytes in [line_end(line_end(0)), cell + 9, line_end(cell), line_end(outcome) - 1, line_end(outcome) + 30] {
        let (host, run) = cut(bytes);
        let ran = host.check(&format!("load --resume {} --format json", run.display()), 1);
        check_whole(&host, &ran);
        assert_eq!(ran.json()["run"]["torn"], Value::Null, "cut at {bytes}");
    }
}

#[test]
fn finished_run_has_nothing_left_to_do() {
    let made = uninterrupted();
    let (host, run) = cut(made.text.len());
    let named = format!("load --resume {} --seed {SEED}", run.display());
    for line in ["load --resume", "load hostile.wasm --resume", &named] {
        let ran = host.check(&format!("{line} --format json"), 1);
        ran.check_first_line(&["is finished", "nothing is left to measure"]);
        assert_eq!(ends(&ran.json()), made.ends);
    }
    assert_eq!(fs::read_to_string(run.join("run.jsonl")).unwrap(), made.text);
}

impl Ran {
    #[track_caller]
    fn check_first_line(&self, parts: &[&str]) {
        let first = self.stderr.lines().next().unwrap_or_default();
        parts.iter().for_each(|part| assert!(first.contains(part), "{part:?} is not in: {}", self.stderr));
    }
}

/// A run of `good` that is cut after its first block.
fn cut_off(line: &str) -> Host {
    let host = Host::with_hostile();
    fs::write(host.path("mine.toml"), "summary = \"\"\n[[cells]]\nscenario = \"hostile/good\"\n").unwrap();
    host.check(line, 0);
    let file = host.run().join("run.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let outcome = text.find("{\"v\":1,\"record\":\"outcome\"").unwrap();
    fs::write(&file, &text[..outcome + text[outcome..].find('\n').unwrap() + 1]).unwrap();
    host
}

const SUITE: &str = "run mine.toml --modules . --quick --time 20ms --seed 1";

/// Checks that `line` is refused with one line that contains `parts`, after `change` was made to the run file or other files, and that
/// the run file is not changed.
#[track_caller]
fn check_refused(line: &str, change: impl Fn(&Host, String) -> String, parts: &[&str]) {
    let host = cut_off(SUITE);
    let file = host.run().join("run.jsonl");
    let changed = change(&host, fs::read_to_string(&file).unwrap());
    fs::write(&file, &changed).unwrap();
    host.check(line, 2).one_line(parts);
    assert_eq!(fs::read_to_string(&file).unwrap(), changed, "`{line}`");
    assert_eq!(host.runs().len(), 1, "`{line}`");
}

#[test]
fn resume_is_refused_if_something_has_changed() {
    let same = |_: &Host, text: String| text;
    let without = |name: &'static str| {
        move |_: &Host, text: String| {
            let from = text.find(&format!(",\"{name}\":\"")).unwrap();
            let to = from + text[from + 1..].find([',', '}']).unwrap() + 1;
            format!("{}{}", &text[..from], &text[to..])
        }
    };
    let cpus = |_: &Host, text: String| text.replacen("\"cpus\":", "\"cpus\":7", 1);
    check_refused(
        "run mine.toml --resume",
        cpus,
        &["on another machine", "cpus 7", "start a new run without --resume"],
    );
    check_refused("run --resume", without("program_sha256"), &["that cannot resume runs", "start a new run"]);
    let program = |_: &Host, text: String| text.replacen("\"program_sha256\":\"", "\"program_sha256\":\"0", 1);
    check_refused("run --resume", program, &["another build of bench-host", "start a new run"]);
    let suite = |host: &Host, text: String| {
        fs::write(host.path("mine.toml"), "summary = \"\"\n[[cells]]\nscenario = \"hostile/shout\"\n").unwrap();
        text
    };
    check_refused("run --resume", suite, &["now selects other cells", "start a new run"]);
    let input = |_: &Host, text: String| {
        let input = "\"inputs\":[{\"path\":\"table.csv\",\"sha256\":\"00ff\"}],\"planned\":";
        text.replacen("\"planned\":", input, 1)
    };
    check_refused("run --resume", input, &["table.csv no longer exists", "start a new run"]);
    let probe = |host: &Host, text: String| {
        let file = host.path(format!("hostile.{}", std::env::consts::DLL_EXTENSION));
        fs::write(&file, [fs::read(&file).unwrap(), vec![0]].concat()).unwrap();
        text
    };
    check_refused("run --resume", probe, &["hostile.", "was built again", "then, ", "start a new run"]);
    let gone = |host: &Host, text: String| {
        fs::remove_file(host.path(format!("hostile.{}", std::env::consts::DLL_EXTENSION))).unwrap();
        text
    };
    check_refused("run --resume", gone, &["no longer exists", "start a new run"]);
    check_refused("run --resume --time 30ms", same, &["--time 20ms", "--time 30ms", "remove the option"]);
    check_refused("run other.toml --resume", same, &["no run of `other.toml` in results", "start a new run"]);
    check_refused("run --resume --out nowhere", same, &["no run of `bench-host run` in nowhere", "start a new run"]);
    check_refused("run --resume mine.toml", same, &["mine.toml is not a run directory", "before --resume"]);
    let later = |_: &Host, text: String| text.replace("{\"v\":1,\"record\":\"cell\"", "{\"v\":2,\"record\":\"cell\"");
    check_refused("run --resume", later, &["record version 2"]);
}

#[test]
fn run_interrupted_before_measuring_is_refused() {
    let begun = |_: &Host, text: String| text[..20].to_owned();
    let host = cut_off(SUITE);
    let line = format!("run --resume results/{}", host.run().file_name().unwrap().display());
    fs::write(host.run().join("run.jsonl"), begun(&host, fs::read_to_string(host.run().join("run.jsonl")).unwrap()))
        .unwrap();
    host.check(&line, 2).one_line(&["interrupted before it measured anything", "start a new run"]);
}

#[test]
fn newest_unfinished_run_with_the_same_arguments_is_resumed() {
    let host = cut_off(SUITE);
    let unfinished = host.run();
    host.check("run hostile/litter --modules . --quick --time 20ms", 0);
    host.check("run mine.toml --modules . --quick --time 20ms", 0);
    let runs = host.runs();
    let ran = host.check("run mine.toml --resume --quiet", 0);
    ran.one_line(&[&*unfinished.file_name().unwrap().to_string_lossy(), "1 of 2 repetitions are left"]);
    assert_eq!(host.runs(), runs, "nothing is made anew");
    let text = fs::read_to_string(unfinished.join("run.jsonl")).unwrap();
    assert!(text.lines().last().unwrap().contains("\"record\":\"end\""), "{text}");
}

#[test]
fn resumed_run_becomes_the_baseline_and_not_the_newest_one() {
    let host = cut_off(SUITE);
    let unfinished = host.run();
    host.check("run hostile/litter --modules . --quick --time 20ms", 0);
    let baseline = |name: &str| {
        let text = fs::read_to_string(host.path(format!("results/baselines/{name}.json"))).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["run"].as_str().unwrap().to_owned()
    };
    let expect = unfinished.file_name().unwrap().to_string_lossy().into_owned();
    // One that was not asked for when it was started, and one of the run that is finished by then.
    for name in ["main", "later"] {
        host.check(&format!("run --resume results/{expect} --save-baseline {name}"), 0);
        assert_eq!(baseline(name), expect);
    }
}

#[test]
fn active_run_is_not_resumed() {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/loop --arm native --quick --deadline 10m";
    let mut child = host.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_begun =
        |run: &Path| fs::read_to_string(run.join("run.jsonl")).is_ok_and(|text| text.contains("calibration"));
    eventually("the run has begun", || host.runs().first().is_some_and(|run| is_begun(run)));
    let ran = Ran::of(&mut host.command("load --resume"));
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    ran.check("load --resume", 2).one_line(&["another bench-host is writing to this run", "wait until"]);
}
