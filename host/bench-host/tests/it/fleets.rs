//! Runs of fleets whose agents are processes of this machine: one run comes of it, each line as an agent wrote it.

use crate::host::{Host, PROGRAM, Ran, command};
use crate::modules::plugins;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) const WORDS: &str = "fleet run hostile/{good,litter} --modules . --quick --time 20ms --format json";

/// The names of the cells that are ok.
pub(crate) fn ok_cells(document: &Value) -> BTreeSet<String> {
    let cells = document["cells"].as_array().unwrap();
    let ok = cells.iter().filter(|cell| cell["status"] == "ok");
    ok.map(|cell| format!("{} {}", cell["scenario"].as_str().unwrap(), cell["arm"].as_str().unwrap())).collect()
}

pub(crate) fn all_cells() -> BTreeSet<String> {
    let names = ["hostile/good native", "hostile/good wasm", "hostile/litter native", "hostile/litter wasm"];
    names.map(str::to_owned).into()
}

/// The folder of the only fleet run, and the only merged run directory.
pub(crate) fn folders(host: &Host) -> (PathBuf, PathBuf) {
    let only = |folder: &Path, is_wanted: &dyn Fn(&str) -> bool| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let found: Vec<_> =
            entries.filter(|path| path.is_dir() && is_wanted(&path.file_name().unwrap().to_string_lossy())).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    };
    let results = host.path("results");
    (only(&results.join(".fleet"), &|_| true), only(&results, &|name| name.ends_with("-merged")))
}

/// The lines of a run file that are of cells.
fn lines(run: &Path) -> Vec<String> {
    let text = fs::read_to_string(run.join("run.jsonl")).unwrap();
    let kinds = ["cell", "series", "check", "outcome", "account", "calibration"];
    let is_wanted = |line: &&str| kinds.iter().any(|kind| line.contains(&format!("\"record\":\"{kind}\"")));
    text.lines().filter(is_wanted).map(str::to_owned).collect()
}

/// Checks that each line of cells and rooflines in the merged run was sent by an agent, and is there once.
#[track_caller]
pub(crate) fn check_bit_exact(fleet: &Path, merged: &Path, agents: &[&str]) {
    let sent: Vec<_> = agents.iter().flat_map(|agent| lines(&fleet.join("collected").join(agent))).collect();
    let merged = lines(merged);
    assert!(!merged.is_empty());
    for line in &merged {
        assert!(sent.contains(line), "{line}");
    }
    assert_eq!(merged.iter().collect::<BTreeSet<_>>().len(), merged.len());
}

#[test]
fn local_agents_measure_one_run() {
    let host = Host::with_hostile();
    let ran = host.check(&format!("{WORDS} --on local:2"), 0);
    assert!(ran.stderr.contains("2 agents share this machine and disturb each other's figures"), "{}", ran.stderr);
    assert!(ran.stderr.contains("class 1: its 2 agents differ by up to "), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("fewer than 3 processes do not tell whether that is more than chance"),
        "{}",
        ran.stderr
    );
    assert_eq!(ok_cells(&ran.json()), all_cells());
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["local-1", "local-2"]);
    // Both arms of a scenario are measured by one agent.
    let records: Vec<Value> = fs::read_to_string(merged.join("run.jsonl")).unwrap().lines().map(parse).collect();
    assert_eq!(records[0]["command"][2], "run", "{}", records[0]);
    let mut measured_by = BTreeSet::new();
    let mut part = 0;
    for record in &records {
        match record["record"].as_str() {
            Some("part") => part = record["number"].as_u64().unwrap(),
            Some("cell") => _ = measured_by.insert((record["scenario"].as_str().unwrap().to_owned(), part)),
            _ => {}
        }
    }
    assert_eq!(measured_by.len(), 2, "{measured_by:?}");
    let listed = host.check(&format!("list --run {}", merged.display()), 0).stdout;
    assert!(!listed.contains("were not run"), "{listed}");
    let status = host.check("fleet status --format json", 0).json();
    assert!(status["ended"].as_str().unwrap().ends_with("-merged"), "{status:#}");
    let finished = status["agents"].as_array().unwrap().iter().map(|agent| agent["finished"].as_u64().unwrap());
    assert_eq!((finished.sum::<u64>(), &status["classes"][0]["groups"]["finished"]), (2, &json!(2)));
    assert!(host.check("fleet status", 0).stdout.contains("local-2"));
    host.check("fleet stop", 2).one_line(&["is not going on"]);
    let verified = host.check("fleet verify", 0).stdout;
    assert!(
        verified.contains("blocks of the agents local-1, local-2; ") && verified.contains("all unchanged"),
        "{verified}"
    );
    assert_eq!(
        ok_cells(&host.check("fleet attach --format json", 0).json()),
        all_cells(),
        "the results are shown again"
    );
    let run = merged.join("run.jsonl");
    let changed = fs::read_to_string(&run).unwrap().replacen("\"iterations\":", "\"iterations\":1", 1);
    fs::write(&run, changed).unwrap();
    let changed = host.check("fleet verify", 1);
    changed.one_line(&["the line is not as the agent wrote it"]);
    assert!(changed.stdout.ends_with("1 finding\n"), "{}", changed.stdout);
}

/// What a document says of its cells besides figures: the rows in their order, with their numbers of processes, their results, and what was
/// measured and checked.
fn rows(document: &Value) -> Vec<Value> {
    let all = |cell: &Value, list: &str, fields: &[&str]| -> Value {
        let entries = cell[list].as_array().unwrap().iter();
        entries.map(|entry| fields.iter().map(|field| entry[field].clone()).collect::<Value>()).collect()
    };
    let fields = ["scenario", "family", "arm", "variant", "arguments", "status", "reason", "processes"];
    let numbers = ["planned_processes", "checksum"];
    let row = |cell: &Value| {
        let plain: Value = fields.iter().chain(&numbers).map(|field| cell[field].clone()).collect();
        json!([plain, all(cell, "checks", &["name", "passed"]), all(cell, "series", &["metric", "unit", "labels"])])
    };
    document["cells"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn table_of_a_fleet_has_the_rows_of_a_run_on_one_machine() {
    let host = Host::with_hostile();
    let words = "hostile/{good,litter} --modules . --quick --processes 2 --iterations 20 --format json";
    let alone = host.check(&format!("run {words} --out alone"), 0).json();
    let fleet = host.check(&format!("fleet run {words} --on local:2"), 0).json();
    assert_eq!(rows(&fleet), rows(&alone));
    assert_eq!(ok_cells(&fleet), all_cells());
    // More where the time of so few operations does not grow with their number.
    let cells = fleet["cells"].as_array().unwrap();
    assert!(cells.iter().all(|cell| cell["processes"] == 2 && cell["iterations"].as_u64() >= Some(20)), "{fleet:#}");
}

#[test]
fn suite_of_the_project_is_measured_without_a_server() {
    let Some(_) = plugins(&["kernels"]) else { return };
    let host = Host::new();
    let line = "fleet run kernels --on local:2 --quick --processes 1 --time 50ms --format json";
    let document = host.check(line, 0).json();
    let found = ok_cells(&document);
    for arm in ["wasm", "native"] {
        assert!(found.contains(&format!("kernels/crc32c {arm}")), "{found:?}");
    }
    let cells = document["cells"].as_array().unwrap();
    assert!(cells.iter().all(|cell| cell["status"] != "failed"), "{document:#}");
    assert!(host.check("fleet verify", 0).stdout.contains("all unchanged"));
}

#[test]
fn agent_of_the_scenario_joins_with_a_policy_and_a_component() {
    let Some(_) = plugins(&["kernels"]) else { return };
    let line = "run self/fleet-join -p queue=process --quick --iterations 1 --format json";
    let document = Host::new().check(line, 0).json();
    assert_eq!(ok_cells(&document), BTreeSet::from(["self/fleet-join native".to_owned()]), "{document:#}");
}

/// The process that coordinates the newest run.
#[cfg(target_os = "linux")]
fn coordinator(host: &Host) -> u32 {
    host.check("fleet status --format json", 0).json()["process"].as_u64().unwrap().try_into().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn interrupted_collector_leaves_the_run_going() {
    use crate::host::eventually;
    use rustix::process::{Pid, Signal, kill_process};

    let host = Host::with_hostile();
    let line = "fleet run hostile/{good,loop} --modules . --arm native --quick --time 20ms --deadline 10m";
    let child = host.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("an agent measures", || {
        let status = Ran::of(&mut host.command("fleet status --format json"));
        status.status == Some(0) && status.json()["classes"][0]["groups"]["finished"] == 1
    });
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).check(line, 2);
    assert!(ran.stderr.contains(" goes on; see it with `bench-host fleet attach "), "{}", ran.stderr);
    assert!(host.check("fleet status", 0).stdout.contains("going on"));
    let attached =
        host.command("fleet attach --format json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    host.check("fleet stop", 0);
    let ran = Ran::from(attached.wait_with_output().unwrap()).check("fleet attach", 2);
    assert!(ran.stderr.contains("interrupted"), "{}", ran.stderr);
    assert_eq!(ok_cells(&ran.json()), BTreeSet::from(["hostile/good native".to_owned()]));
}

#[cfg(target_os = "linux")]
#[test]
fn killed_coordinator_costs_nothing_that_an_agent_has_finished() {
    use crate::host::eventually;
    use rustix::process::{Pid, Signal, kill_process};

    let host = Host::with_hostile();
    let line = "fleet run hostile/{good,litter} --modules . --arm native --quick --processes 3 --time 3s";
    let child = host.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("one group is finished", || {
        let status = Ran::of(&mut host.command("fleet status --format json"));
        status.status == Some(0) && status.json()["classes"][0]["groups"]["finished"] == 1
    });
    let process = i32::try_from(coordinator(&host)).unwrap();
    kill_process(Pid::from_raw(process).unwrap(), Signal::KILL).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).check(line, 2);
    assert!(ran.stderr.contains("was killed") && ran.stderr.contains("bench-host fleet resume "), "{}", ran.stderr);
    // The agent may need a moment to notice.
    let mut resumed = None;
    eventually("the agent has ended and was started again", || {
        let ran = Ran::of(&mut host.command("fleet resume --format json"));
        let is_done = ran.status == Some(0);
        resumed = Some(ran);
        is_done
    });
    let cells = ok_cells(&resumed.unwrap().json());
    assert_eq!(cells, BTreeSet::from(["hostile/good native", "hostile/litter native"].map(str::to_owned)));
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["local-1"]);
    let collected = fs::read_to_string(fleet.join("collected/local-1/run.jsonl")).unwrap();
    assert!(collected.contains("\"record\":\"resumed\""), "it went on from its own run file");
    let outcomes = collected.lines().filter(|line| line.contains("\"record\":\"outcome\"")).count();
    assert_eq!(outcomes, 6, "no repetition was measured twice");
    host.check("fleet resume", 2).one_line(&["has ended"]);
}

#[cfg(target_os = "linux")]
#[test]
fn detached_run_is_shown_by_attach() {
    let host = Host::with_hostile();
    let started = host.check(&format!("{WORDS} --detach"), 0);
    assert!(started.stderr.contains(" goes on; see it with "), "{}", started.stderr);
    assert_eq!(started.stdout, "");
    // It may have ended or not.
    assert_eq!(ok_cells(&host.check("fleet attach --format json", 0).json()), all_cells());
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn dry_run_prints_groups_and_agents_and_starts_none() {
    let host = Host::with_hostile();
    let words = "fleet run hostile/good --modules . --on local:2 --on ssh:me@b --dry-run --quiet";
    let printed = host.check(words, 0).stdout;
    let expect = "group 0  hostile/good  wasm,native  n=1\nagent local-1\nagent local-2\nagent me@b (ssh me@b)\n";
    assert_eq!(printed, expect);
    assert!(!host.path("results").exists());
}

#[test]
fn manifest_for_a_cluster_has_the_arguments_of_the_run() {
    let host = Host::new();
    let line = "fleet run kernels/* --time 1s --on kubernetes:bench --nodes 3 --image=registry/b:1 --dry-run";
    let job = host.check(line, 0).json();
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&job["spec"]["completions"], &container["image"]), (&json!(3), &json!("registry/b:1")));
    let command = container["command"].as_array().unwrap();
    assert_eq!(command[4..], [json!("kernels/*"), json!("--time"), json!("1s")]);
}

#[test]
fn repetition_that_may_take_too_long_for_a_lease_is_refused_in_one_line() {
    let host = Host::with_hostile();
    let line = "fleet run hostile/good --modules . --arm native --quick --deadline 240m";
    let parts = ["a repetition may take ", "at most 21600 s", "give a shorter --deadline or --time"];
    host.check(line, 2).one_line(&parts);
}

#[test]
fn argument_that_is_not_text_is_refused_in_one_line() {
    let host = Host::with_hostile();
    for line in ["fleet run hostile/good --modules . --out", "fleet run hostile/good --modules . --dry-run --out"] {
        let mut command = host.command(line);
        command.arg(OsStr::from_bytes(b"results-\xff"));
        Ran::of(&mut command).check(line, 2).one_line(&["the argument results-", "is not UTF-8"]);
    }
    assert_eq!(fs::read_dir(host.path(".")).unwrap().filter(|entry| is_result(entry.as_ref().unwrap())).count(), 0);
}

fn is_result(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_bytes().starts_with(b"results")
}

/// In place of `ssh`: notes its arguments, and starts programs of this machine.
const SSH: &str = "#!/bin/sh\necho \"$*\" >>bin/arguments\necho welcome\nwhile [ \"$1\" != bench-host ]; do shift; done\nexec \"$@\"\n";

/// The program in a folder where `ssh` starts programs of this machine.
pub(crate) fn with_ssh(host: &Host, line: &str) -> Command {
    let mut command = host.command(line);
    add_ssh(host, &mut command);
    command
}

/// Has a command find an `ssh` that starts programs of this machine.
pub(crate) fn add_ssh(host: &Host, command: &mut Command) {
    let bin = host.path("bin");
    if !bin.exists() {
        fs::create_dir(&bin).unwrap();
        let ssh = bin.join("ssh");
        fs::write(&ssh, SSH).unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
        symlink(PROGRAM, bin.join("bench-host")).unwrap();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [bin].into_iter().chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap()).env("XDG_STATE_HOME", host.path("state"));
}

/// Checks that what agents kept in the folders `kept` is merged to the cells and lines of `merged`, except for the group that all of them
/// measured, which counts from the first of them.
#[track_caller]
fn check_kept(host: &Host, merged: &Path, kept: &[PathBuf]) {
    let folders: Vec<_> = kept.iter().rev().map(|folder| folder.display().to_string()).collect();
    let line = format!("fleet merge {} --out kept --format json", folders.join(" "));
    host.check(&line, 2).one_line(&["at the same time on one machine", "--share-machine"]);
    let document = host.check(&format!("{line} --share-machine"), 0).json();
    assert_eq!(ok_cells(&document), all_cells());
    let again = host.path("kept").join(merged.file_name().unwrap());
    let cells: Vec<Value> =
        lines(&kept[0]).iter().map(|line| parse(line)).filter(|record| record["record"] == "cell").collect();
    let first = cells.iter().find(|cell| cell["cell"] == 0).unwrap();
    let common: Vec<&Value> =
        cells.iter().filter(|cell| cell["scenario"] == first["scenario"]).map(|cell| &cell["cell"]).collect();
    let is_common = |line: &String| common.contains(&&parse(line)["cell"]);
    let split = |run: &Path| lines(run).into_iter().partition::<Vec<_>, _>(is_common);
    let (of_common, others) = split(&again);
    assert_eq!(of_common, split(&kept[0]).0, "it is that of the first agent, whole");
    assert!(!others.is_empty());
    assert_eq!(others, split(merged).1);
}

#[test]
fn what_local_agents_sent_is_merged_to_the_same_run() {
    let host = Host::with_hostile();
    host.check(&format!("{WORDS} --on local:2"), 0);
    let (fleet, merged) = folders(&host);
    check_kept(&host, &merged, &["local-1", "local-2"].map(|agent| fleet.join("collected").join(agent)));
    let mixed = format!("fleet merge {0}/collected/local-1 {1} --out other", fleet.display(), merged.display());
    host.check(&mixed, 2).one_line(&["only the other was kept by an agent of a fleet"]);
}

#[test]
fn only_agents_that_were_asked_for_together_share_a_machine() {
    let host = Host::with_hostile();
    let line = format!("{WORDS} --on local:2 --on ssh:a");
    let refused = Ran::of(&mut with_ssh(&host, &line)).check(&line, 2).stderr;
    assert!(refused.contains("agents local-1 and a run on the same machine"), "{refused}");
}

#[test]
fn plan_that_differs_is_refused_by_an_agent_and_by_a_coordinator_that_goes_on() {
    let host = Host::with_hostile();
    host.check(WORDS, 0);
    let (fleet, _) = folders(&host);
    let mut spec = parse(&fs::read_to_string(fleet.join("spec.json")).unwrap());
    spec["order_sha256"] = json!("0".repeat(64));
    fs::write(fleet.join("spec.json"), spec.to_string()).unwrap();
    // As if its process had been killed.
    fs::remove_file(fleet.join("status.json")).unwrap();
    let resumed = host.check("fleet resume", 2).stderr;
    let other = "the command line now selects other cells or modules than when the run began; start a new one";
    assert!(resumed.contains(other), "{resumed}");
    spec["message"] = json!("spec");
    let run = spec["id"].as_str().unwrap().to_owned();
    let reason = refusal(&host, ["--run", &run], spec);
    assert!(reason.contains("selects other cells here, although the modules are the same"), "{reason}");
}

#[test]
fn agents_over_ssh_keep_their_own_run_files() {
    let host = Host::with_hostile();
    let line = format!("{WORDS} --on ssh:a,b");
    let shared = Ran::of(&mut with_ssh(&host, &line)).check(&line, 2);
    shared.one_line(&["agents a and b run on the same machine", "give --share-machine"]);
    fs::remove_dir_all(host.path("results")).unwrap();
    let line = format!("{line} --share-machine");
    let document = Ran::of(&mut with_ssh(&host, &line)).check(&line, 0).json();
    assert_eq!(ok_cells(&document), all_cells());
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["a", "b"]);
    let id = fleet.file_name().unwrap().to_string_lossy().into_owned();
    let own = ["a", "b"].map(|agent| host.path(format!("state/bench-host/agent/{id}@{agent}")));
    for (agent, own) in ["a", "b"].iter().zip(&own) {
        assert_eq!(lines(own), lines(&fleet.join("collected").join(agent)), "{agent}");
    }
    check_kept(&host, &merged, &own);
}

#[test]
fn connection_of_an_agent_over_ssh_is_silent_while_it_measures() {
    let host = Host::with_hostile();
    let line = format!("{WORDS} --arm wasm --on ssh:b");
    Ran::of(&mut with_ssh(&host, &line)).check(&line, 0);
    let arguments = fs::read_to_string(host.path("bin/arguments")).unwrap();
    assert_eq!(arguments.lines().count(), 1, "it is started once: {arguments}");
    let (options, rest) = arguments.split_once(" b bench-host agent --stdio --run ").unwrap();
    assert!(rest.trim_end().ends_with(" --name b"), "{rest}");
    // ssh sends nothing by itself, and the kernel asks nothing for it.
    for silent in ["-o ServerAliveInterval=0", "-o TCPKeepAlive=no"] {
        assert!(options.contains(silent), "{options}");
    }
    assert!(options.starts_with("-T -o BatchMode=yes"), "{options}");
}

/// Has `ssh` start programs of this machine where another model of processor and another kernel seem to be, which are named after the machine.
/// `None`, with the reason, if that is not permitted here.
#[cfg(target_os = "linux")]
fn with_other_machines(host: &Host, machines: &[&str], line: &str) -> Option<Command> {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap();
    let model = cpus.lines().find(|line| line.starts_with("model name"));
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private", "mount", "--bind", "/proc/cpuinfo", "/proc/cpuinfo"]);
    let is_permitted = unshare.output().is_ok_and(|output| output.status.success());
    let Some(model) = model.filter(|_| is_permitted) else {
        crate::host::skip(
            "a file of /proc cannot be replaced; run the test as root, on a processor whose model is there",
        );
        return None;
    };
    let command = with_ssh(host, line);
    for (number, machine) in machines.iter().enumerate() {
        let other = format!("model name\t: {machine}");
        fs::write(host.path(format!("{machine}.cpus")), cpus.replace(model, &other)).unwrap();
        let boot_id = format!("00000000-0000-0000-0000-{number:012}\n");
        fs::write(host.path(format!("{machine}.boot_id")), boot_id).unwrap();
    }
    let ssh = "#!/bin/sh\nwhile [ \"$1\" != bench-host ]; do machine=$1; shift; done\nexec unshare --mount --propagation private sh -c 'mount --bind \"$0.cpus\" /proc/cpuinfo && mount --bind \"$0.boot_id\" /proc/sys/kernel/random/boot_id && exec \"$@\"' \"$machine\" \"$@\"\n";
    fs::write(host.path("bin/ssh"), ssh).unwrap();
    Some(command)
}

#[cfg(target_os = "linux")]
#[test]
fn machines_with_other_processors_are_classes_of_their_own() {
    let host = Host::with_hostile();
    let line = "fleet run hostile/{good,litter} --modules . --quick --time 20ms --on ssh:one,two,three";
    let Some(mut command) = with_other_machines(&host, &["one", "two", "three"], line) else { return };
    let ran = Ran::of(&mut command).check(line, 0);
    assert!(!ran.stderr.contains("differ by up to"), "no class has several agents: {}", ran.stderr);
    let classes = host.check("fleet status --format json", 0).json();
    let classes = classes["classes"].as_array().unwrap();
    let machines: Vec<_> = classes.iter().map(|class| class["machine"].as_str().unwrap()).collect();
    for (machine, name) in machines.iter().zip(["one", "two", "three"]) {
        assert!(machine.starts_with(&format!("{name} × ")), "{machine}");
    }
    assert!(classes.iter().all(|class| class["groups"]["finished"] == 2), "each measures the whole plan");
    // No ratio is formed between them.
    let merged: Vec<_> = (1..=3).map(|class| only_run(&host.path(format!("results/class-{class}")))).collect();
    for run in &merged {
        let listed = host.check(&format!("list --run {}", run.display()), 0).stdout;
        assert!(!listed.contains("were not run"), "{listed}");
        assert_eq!(measured_cells(run), all_cells());
    }
    let compared = host.check(&format!("compare {} {}", merged[0].display(), merged[1].display()), 2);
    compared.one_line(&["--across-machines"]);
}

/// The names of the cells in a run file.
#[cfg(target_os = "linux")]
fn measured_cells(run: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(run.join("run.jsonl")).unwrap();
    let cells = text.lines().map(parse).filter(|record| record["record"] == "cell");
    cells.map(|cell| format!("{} {}", cell["scenario"].as_str().unwrap(), cell["arm"].as_str().unwrap())).collect()
}

/// The only run directory in a folder.
#[cfg(target_os = "linux")]
fn only_run(folder: &Path) -> PathBuf {
    let runs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let runs: Vec<_> = runs.into_iter().filter(|run| run.join("run.jsonl").is_file()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.into_iter().next().unwrap()
}

#[test]
fn modules_that_a_machine_lacks_are_sent_by_digest() {
    let host = Host::with_hostile();
    // Where the agent's process is, there are no modules.
    fs::create_dir(host.path("elsewhere")).unwrap();
    let line = format!("{} --on ssh:a", WORDS.replace("--modules .", "--modules here"));
    fs::create_dir(host.path("here")).unwrap();
    for file in ["hostile.wasm", "hostile.so"] {
        fs::rename(host.path(file), host.path("here").join(file)).unwrap();
    }
    let mut command = with_ssh(&host, &line);
    let ssh = "#!/bin/sh\nwhile [ \"$1\" != bench-host ]; do shift; done\ncd elsewhere\nexec \"$@\"\n";
    fs::write(host.path("bin/ssh"), ssh).unwrap();
    command.env("XDG_CONFIG_HOME", host.path("config"));
    let refused = Ran::of(&mut command).check(&line, 2).stderr;
    assert!(refused.contains("native code that is sent runs only where its digest is trusted"), "{refused}");
    let digest = refused.split("registry trust ").nth(1).unwrap().split(' ').next().unwrap();
    let mut trust = host.command(&format!("registry trust {digest} --natives"));
    Ran::of(trust.env("XDG_CONFIG_HOME", host.path("config"))).check("registry trust", 0);
    fs::remove_dir_all(host.path("results")).unwrap();
    assert_eq!(ok_cells(&Ran::of(&mut command).check(&line, 0).json()), all_cells());
    let kept = fs::read_dir(host.path("state/bench-host/agent/modules")).unwrap().count();
    assert_eq!(kept, 3, "the component, the probe, and the folder of the run");
}

#[test]
fn machine_that_cannot_be_reached_is_named() {
    let host = Host::with_hostile();
    let line = format!("{WORDS} --on ssh:nowhere");
    let mut command = with_ssh(&host, &line);
    fs::write(host.path("bin/ssh"), "#!/bin/sh\necho 'ssh: no such host: nowhere' >&2\nexit 255\n").unwrap();
    let ran = Ran::of(&mut command).check(&line, 2);
    ran.one_line(&["agent nowhere did not join: ssh: no such host: nowhere", "leave it out of --on"]);
}

#[cfg(target_os = "linux")]
#[test]
fn killed_agent_is_started_again_and_loses_nothing() {
    use crate::host::eventually;
    use crate::stopped::children;
    use rustix::process::{Pid, Signal, kill_process};

    let host = Host::with_hostile();
    let line = "fleet run hostile/{good,litter} --modules . --quick --processes 3 --time 3s --on local:2 --format json";
    let child = host.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let is_agent = |process: &u32| {
        fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| line.windows(7).any(|word| word == b"--stdio"))
    };
    eventually("both agents measure", || {
        let status = Ran::of(&mut host.command("fleet status --format json"));
        status.status == Some(0) && status.stdout.matches("\"measuring\"").count() == 2
    });
    let agent = children(coordinator(&host)).into_iter().find(is_agent).unwrap();
    kill_process(Pid::from_raw(agent.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).check(line, 0);
    assert!(ran.stderr.contains("it was killed (signal: 9"), "{}", ran.stderr);
    assert!(ran.stderr.contains("was lost; "), "{}", ran.stderr);
    assert!(ran.stderr.contains("is started again; it goes on from its own run file"), "{}", ran.stderr);
    assert_eq!(ok_cells(&ran.json()), all_cells());
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["local-1", "local-2"]);
}

/// For how many seconds an agent is frozen; the variable asks for more, such as 40, which is longer than its lease.
#[cfg(target_os = "linux")]
const FREEZE: (&str, u64) = ("BENCH_HOST_TEST_FREEZE", 4);

#[cfg(target_os = "linux")]
#[test]
#[expect(clippy::disallowed_methods, reason = "a time has to pass in which nothing happens")]
fn frozen_agent_spoils_no_figure() {
    use crate::host::eventually;
    use crate::stopped::{children, workers};
    use rustix::process::{Pid, Signal, kill_process};

    let host = Host::with_hostile();
    let line = "fleet run hostile/{good,litter} --modules . --arm native --quick --processes 1 --time 2s --deadline 1s --on local:2 --format json";
    let child = host.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("both agents measure", || {
        let status = Ran::of(&mut host.command("fleet status --format json"));
        status.status == Some(0) && status.stdout.matches("\"measuring\"").count() == 2
    });
    let is_agent = |process: &u32| {
        fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| line.windows(7).any(|word| word == b"--stdio"))
    };
    let agent = children(coordinator(&host)).into_iter().find(is_agent).unwrap();
    eventually("the agent has a worker", || !workers(agent).is_empty());
    let process = Pid::from_raw(agent.try_into().unwrap()).unwrap();
    let (variable, few) = FREEZE;
    let seconds = std::env::var(variable).map_or(few, |seconds| seconds.parse().unwrap());
    kill_process(process, Signal::STOP).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(seconds));
    // One that was lost has been ended.
    let is_there = kill_process(process, Signal::CONT).is_ok();
    assert!(is_there || seconds > few, "it is waited for as long as its lease");
    let ran = Ran::from(child.wait_with_output().unwrap()).check(line, 0);
    assert_eq!(ok_cells(&ran.json()).len(), 2, "the other agent measures what counts");
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["local-1", "local-2"]);
    let is_void = |line: &str| line.contains("\"status\":\"void\"") && line.contains("\"stopped_ns\":");
    let is_told = ["local-1", "local-2"].iter().any(|agent| {
        fs::read_to_string(fleet.join("collected").join(agent).join("run.jsonl")).unwrap().lines().any(is_void)
    });
    let is_lost = ran.stderr.contains("has not answered for longer than what it does may take");
    // Its lease, which is longer than the few seconds, decides who notices.
    let expect = if seconds > few { is_lost } else { is_told };
    assert!(expect, "told: {is_told}, lost: {is_lost}: {}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn stopped_fleet_keeps_what_is_finished() {
    use crate::host::eventually;

    let host = Host::with_hostile();
    let line =
        "fleet run hostile/{good,loop} --modules . --arm native --quick --time 20ms --deadline 10m --format json";
    let child = host.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The groups are measured in their order: one is finished, and the other never ends.
    eventually("one group is finished, and the other is held", || {
        let status = Ran::of(&mut host.command("fleet status --format json"));
        status.status == Some(0)
            && status.json()["classes"][0]["groups"]["finished"] == 1
            && status.json()["agents"][0]["scenarios"] == json!(["hostile/loop"])
    });
    assert!(host.check("fleet status", 0).stdout.contains("hostile/loop"));
    let stop = host.check("fleet stop", 0);
    stop.one_line(&["asked run", "to stop"]);
    let ran = Ran::from(child.wait_with_output().unwrap()).check(line, 2);
    assert!(ran.stderr.contains("interrupted"), "{}", ran.stderr);
    let (_, merged) = folders(&host);
    let listed = host.check(&format!("list --run {}", merged.display()), 0).stdout;
    assert!(listed.contains("1 of 2 cells were not run: interrupted"), "{listed}");
}

#[test]
fn impossible_options_are_refused_in_one_line() {
    let host = Host::with_hostile();
    let check = |line: &str, parts: &[&str]| host.check(line, 2).one_line(parts);
    let run = "fleet run hostile/good --modules .";
    check(&format!("{run} --on kubernetes --on local --dry-run"), &["cannot be combined"]);
    check(&format!("{run} --on moon:2"), &["unknown place"]);
    check(&format!("{run} --shard 1/2"), &["leave out --shard"]);
    check(&format!("{run} --bench-json"), &["leave out --bench-json"]);
    check(&format!("{run} -p url=postgres://u:s3cret@h/d"), &["holds a password", "~/.pgpass"]);
    check("fleet status", &["results has no run of a fleet"]);
    check("fleet stop elsewhere --out there", &["there has no run elsewhere of a fleet"]);
    check("agent", &["started by `bench-host fleet run`"]);
    check("agent --stdio", &["--stdio needs --run ID"]);
    check("agent --on local:2 --run r", &["an agent connects to a server, --on nats://HOST"]);
}

/// Starts an agent with this option, sends it `spec`, and returns the reason for which it refuses, which it must.
#[track_caller]
fn refusal(host: &Host, option: [&str; 2], spec: Value) -> String {
    let mut agent = command(PROGRAM);
    agent.args(["agent", "--stdio", "--out", "own"]).args(option).current_dir(host.path("."));
    let mut child = agent.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Open until the agent has ended: its end would ask the agent to stop.
    let mut orders = child.stdin.take().unwrap();
    writeln!(orders, "{spec}").unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).check("agent", 2);
    let last = parse(ran.stdout.lines().last().unwrap());
    assert_eq!(last["message"], "failed", "{last}");
    assert!(!host.path("own").exists(), "nothing is written");
    last["reason"].as_str().unwrap().to_owned()
}

#[test]
fn agent_refuses_what_it_was_not_started_for() {
    let host = Host::with_hostile();
    let spec = json!({
        "message": "spec", "protocol": 3, "host_version": env!("CARGO_PKG_VERSION"), "id": "r",
        "words": ["hostile/good", "--modules", ".", "--quick", "--arm", "wasm"], "command": ["bench-host"], "seed": 1,
        "order_sha256": "0", "modules": [],
    });
    let with = |field: &str, value: Value| {
        let mut spec = spec.clone();
        spec[field] = value;
        spec
    };
    let check = |spec: Value, part: &str| {
        let reason = refusal(&host, ["--run", "r"], spec);
        assert!(reason.contains(part) && !reason.contains('\n'), "{reason}");
    };
    check(with("id", json!("x")), "started for the run r, but the spec is of x");
    check(with("host_version", json!("9.9.9")), "the spec is of bench-host 9.9.9");
    check(with("words", json!(["hostile/good", "--what"])), "unexpected argument '--what'");
    let module =
        |name: &str, file: &str| json!([{"name": name, "arm": "wasm", "sha256": "0".repeat(64), "file": file}]);
    let elsewhere = with("modules", module("other", "../other.wasm"));
    check(elsewhere.clone(), "the module other (wasm) with the digest 000000000000 is not on this machine");
    check(elsewhere, "cannot be sent as the file \"../other.wasm\"");
    check(
        with("modules", module("hostile", "")),
        "but that of the run is 000000000000; copy the file of the run to this machine",
    );
    let native = json!([{"name": "hostile", "arm": "native", "sha256": "0".repeat(64), "file": "hostile.so"}]);
    check(with("modules", native), "native code that is sent runs only where its digest is trusted");
    check(spec.clone(), "is on this machine, but not where the run was submitted");
    let policy = host.path("policy.toml");
    fs::write(&policy, "").unwrap();
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o600)).unwrap();
    let unsigned = refusal(&host, ["--policy", "policy.toml"], with("id", json!("any")));
    assert_eq!(unsigned, "this machine measures signed runs only; sign it with `fleet run --key FILE`");
}
