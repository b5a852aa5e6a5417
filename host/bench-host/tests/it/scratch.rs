//! Scratch folders: there while a worker runs, gone when it has ended, and gone after the next run where the host itself was
//! killed. No test knows how they are named but for the prefix.

use crate::host::{Host, Ran, cells, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

/// A host with an empty folder `here` for scratch folders.
fn host() -> Host {
    let host = Host::with_hostile();
    fs::create_dir(host.path("here")).unwrap();
    host
}

/// The words of a run that puts its scratch folders into `here` and ends in this way.
fn line(end: &str) -> String {
    format!("load hostile.wasm --filter hostile/litter --quick --time 20ms -p directory=here -p end={end}")
}

/// What is in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[track_caller]
fn check_empty(host: &Host) {
    assert_eq!(names(&host.path("here")), [""; 0]);
}

/// A run whose worker has filled its scratch folder and does not end.
fn start(host: &Host) -> Child {
    let before = filled(host);
    let mut command = host.command(&format!("{} --arm native --deadline 10m", line("loop")));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the worker has filled its folder", || filled(host) > before);
    child
}

/// How many folders a worker has filled.
fn filled(host: &Host) -> usize {
    let roots = fs::read_dir(host.path("here")).unwrap().map(|root| root.unwrap().path());
    let folders = roots.flat_map(|root| fs::read_dir(root).into_iter().flatten());
    folders.filter(|folder| folder.as_ref().is_ok_and(|folder| folder.path().join("deep/down/file").is_file())).count()
}

fn stop(child: Child, signal: Signal) -> Ran {
    kill_process(Pid::from_child(&child), signal).unwrap();
    Ran::from(child.wait_with_output().unwrap())
}

#[test]
fn worker_has_its_own_folder_and_the_run_records_the_given_argument() {
    let host = host();
    let document = host.check(&format!("{} --format json --processes 2", line("well")), 0).json();
    let cells = cells(&document, "hostile/litter");
    assert_eq!(cells.len(), 2);
    for cell in cells {
        assert_eq!((&cell["status"], &cell["arguments"]["directory"]), (&"ok".into(), &"here".into()), "{cell:#}");
    }
    check_empty(&host);
    host.check("check hostile.wasm -p directory=here --deadline 1s", 1);
    check_empty(&host);
    host.check("compare hostile/litter --modules . --quick -p directory=here --time 20ms --processes 2", 0);
    check_empty(&host);
}

#[test]
fn default_is_the_folder_for_temporary_files() {
    let host = host();
    let mut command = host.command("load hostile.wasm --filter hostile/litter --quick --time 20ms --format json");
    let ran = Ran::of(command.env("TMPDIR", host.path("here"))).check("load", 0);
    assert_eq!(cells(&ran.json(), "hostile/litter")[0]["arguments"]["directory"], "@temp");
    check_empty(&host);
    // Shown to be the folder it was made in.
    let mut command = host.command("load hostile.wasm --filter hostile/litter --quick --time 20ms");
    Ran::of(command.env("TMPDIR", host.path("absent"))).check("load", 2);
}

#[test]
fn folder_is_removed_however_its_worker_ends() {
    let host = host();
    for end in ["trap", "exit", "loop"] {
        let document = host.check(&format!("{} --format json --deadline 1s", line(end)), 1).json();
        let cells = cells(&document, "hostile/litter");
        assert_eq!(cells.iter().filter(|cell| cell["status"] == "failed").count(), 2, "{end}: {document:#}");
        check_empty(&host);
    }
}

#[test]
fn interrupt_leaves_no_folder() {
    let host = host();
    let child = start(&host);
    stop(child, Signal::INT).check("interrupted", 2);
    check_empty(&host);
}

#[test]
fn folders_of_killed_hosts_are_removed_and_those_of_running_ones_are_not() {
    let host = host();
    let living = start(&host);
    let of_the_living = names(&host.path("here"));
    assert!(of_the_living.len() == 1 && of_the_living[0].starts_with("bench-host-scratch-"), "{of_the_living:?}");
    stop(start(&host), Signal::KILL);
    assert_eq!(names(&host.path("here")).len(), 2, "nobody was there to remove it");
    host.check(&line("well"), 0);
    assert_eq!(names(&host.path("here")), of_the_living);
    stop(living, Signal::TERM);
    check_empty(&host);
}

#[test]
fn cell_is_skipped_if_its_folder_cannot_be_created() {
    let host = host();
    fs::write(host.path("file"), "").unwrap();
    for (folder, why) in [("absent", "No such file"), ("file", "Not a directory")] {
        let asked = format!("load hostile.wasm --filter hostile/litter --quick -p directory={folder} --format json");
        let document = host.check(&asked, 2).json();
        let cell = cells(&document, "hostile/litter")[0];
        assert_eq!(cell["status"], "skipped", "{cell:#}");
        let reason = cell["reason"].as_str().unwrap();
        for part in ["parameter `directory`", folder, why, "give -p directory=FOLDER"] {
            assert!(reason.contains(part), "{part:?} is not in {reason}");
        }
    }
    let probe = format!("hostile.{}", std::env::consts::DLL_EXTENSION);
    let ran = host.check(&format!("check {probe} -p directory=absent --deadline 1s"), 1);
    assert!(ran.stdout.contains("skipped litter directory=absent: is tested: parameter `directory`"), "{}", ran.stdout);
}

#[test]
fn list_shows_granted_scratch_folders() {
    let host = host();
    let listed = host.check("list hostile.wasm", 0).stdout;
    let words = listed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("needs scratch:directory it is filled with litter"), "{listed}");
    let granted = |line: &str| line.contains("wasi:filesystem/types@") && line.ends_with("  scratch folders");
    assert!(listed.lines().any(granted), "{listed}");
}
