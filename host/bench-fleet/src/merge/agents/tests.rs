//! Merges what agents kept that were made up, in any order, and folders that do not belong together.

use crate::made_up;
use crate::merge::{Checks, Merged, merge};
use crate::own::CARD;
use crate::protocol::HostCard;
use crate::{AgentCard, MergeError, Spec};
use bench_model::Checksum;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    EndRecord, FILE_NAME, OutcomeRecord, PartRecord, RawLine, Record, RunFile, RunWriter, Status, encode,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What an agent keeps of a run with six cells, of which every two are a group, in two repetitions.
#[derive(Clone)]
struct Agent {
    name: &'static str,
    run: &'static str,
    boot_id: Option<&'static str>,
    /// The repetitions, as cell, process and status.
    repetitions: Vec<(u32, u32, Status)>,
    checksum: u64,
    has_end: bool,
}

impl Agent {
    /// One that measured the whole of these cells.
    fn new(name: &'static str, cells: &[u32]) -> Self {
        let whole = |cell: &u32| [(*cell, 0, Status::Ok), (*cell, 1, Status::Ok)];
        let repetitions = cells.iter().flat_map(whole).collect();
        Self { name, run: "r", boot_id: Some(name), repetitions, checksum: 5, has_end: true }
    }

    fn with(mut self, repetition: (u32, u32, Status)) -> Self {
        self.repetitions.push(repetition);
        self
    }

    /// Writes it to a folder in `folder` that is named as that of an agent.
    fn write(&self, folder: &Path) -> PathBuf {
        let directory = folder.join(format!("{}@{}", self.run, self.name));
        let mut writer = RunWriter::create(&directory).unwrap();
        let spec = Spec { id: self.run.to_owned(), seed: 7, ..made_up::spec() };
        let run = made_up::run(spec, made_up::planned(6, 2));
        writer.append(&[Record::Run(run)]).unwrap();
        for (cell, process, status) in &self.repetitions {
            writer.append_raw(&self.block(*cell, *process, *status)).unwrap();
        }
        if self.has_end {
            let stopped = Some("a part of the run".to_owned());
            writer.append(&[Record::End(EndRecord { finished: "3".to_owned(), stopped })]).unwrap();
        }
        let card = HostCard { boot_id: self.boot_id.map(str::to_owned), ..HostCard::of_version("1") };
        AgentCard { agent: self.name.to_owned(), card }.keep(&directory).unwrap();
        directory
    }

    /// The block of a repetition, which is of this agent only.
    fn block(&self, cell: u32, process: u32, status: Status) -> Vec<u8> {
        let mut identity = made_up::cell(cell, process, &format!("{}.wasm", self.name));
        identity.arguments.set("n", i64::from(cell / 2));
        let checksum = Some(Checksum(self.checksum));
        let outcome = OutcomeRecord { checksum, ..OutcomeRecord::without_figures(cell, process, status) };
        encode(&[Record::Cell(identity), Record::Outcome(outcome)])
    }
}

/// Merges these folders, and reads the result.
fn merged(directories: &[PathBuf], out: &Path) -> (Merged, RunFile) {
    let checks = Checks { share_machine: false, across_machines: false };
    let merged = merge(directories, out, checks).unwrap();
    let file = RunFile::read(&merged.directory).unwrap();
    (merged, file)
}

/// The agent that each cell is of.
fn owners(file: &RunFile) -> BTreeMap<u32, String> {
    let mut agent = String::new();
    let mut owners = BTreeMap::new();
    for record in &file.records {
        match record {
            Record::Part(part) => agent.clone_from(&part.run),
            Record::Outcome(outcome) => _ = owners.insert(outcome.cell, agent.clone()),
            _ => {}
        }
    }
    owners
}

#[test]
fn group_counts_from_the_first_agent_that_measured_all_of_it() {
    let a = Agent::new("a", &[0, 1, 2]).with((3, 0, Status::Ok)).with((5, 0, Status::Void));
    let b = Agent { has_end: false, ..Agent::new("b", &[0, 1, 2, 3, 5]) }.with((4, 0, Status::Failed));
    let folder = tempfile::tempdir().unwrap();
    let [a_folder, b_folder] = [&a, &b].map(|agent| agent.write(folder.path()));
    let (first, file) = merged(&[a_folder.clone(), b_folder.clone()], &folder.path().join("one"));
    let owners: Vec<String> = owners(&file).into_values().collect();
    assert_eq!(owners, ["r@a", "r@a", "r@b", "r@b", "r@b", "r@b"]);
    assert!(first.findings.is_empty() && first.copies.is_empty(), "{first:?}");
    assert!(matches!(file.records.last(), Some(Record::End(EndRecord { stopped: None, .. }))));
    let outcomes = file.records.iter().filter(|record| matches!(record, Record::Outcome(_))).count();
    assert_eq!(outcomes, 11, "two of each cell, but one of that which failed");
    // Each line is as an agent wrote it.
    let lines: Vec<_> = RawLine::read_all(&first.directory).unwrap().into_iter().map(|line| line.text).collect();
    let written = a.block(0, 1, Status::Ok);
    assert!(lines.concat().windows(written.len()).any(|part| part == written));
    let (second, _) = merged(&[b_folder, a_folder], &folder.path().join("other"));
    let read = |merged: &Merged| fs::read(merged.directory.join(FILE_NAME)).unwrap();
    assert_eq!(read(&first), read(&second), "whatever the order of the folders");
}

#[test]
fn group_that_no_agent_finished_counts_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let a = Agent::new("a", &[0, 1, 2]).with((3, 0, Status::Ok)).write(folder.path());
    let (_, file) = merged(&[a], &folder.path().join("out"));
    assert_eq!(owners(&file).into_keys().collect::<Vec<_>>(), [0, 1]);
    let Some(Record::End(EndRecord { stopped, .. })) = file.records.last() else { panic!("{:?}", file.records) };
    assert_eq!(stopped.as_deref(), Some("no agent has all of their repetitions"));
}

#[test]
fn different_results_of_equal_arguments_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let a = Agent::new("a", &[0, 1]).write(folder.path());
    let b = Agent { checksum: 6, ..Agent::new("b", &[0, 1]) }.write(folder.path());
    let (merged, _) = merged(&[a, b], &folder.path().join("out"));
    assert_eq!(merged.findings.len(), 1, "{merged:?}");
    let finding = &merged.findings[0];
    assert_eq!(finding, "m/s n=0 has different results on a and b: equal arguments must yield equal results");
}

#[test]
fn folder_without_a_card_is_known_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let a = Agent::new("a", &[0, 1, 2, 3, 4, 5]).write(folder.path());
    fs::remove_file(a.join(CARD)).unwrap();
    let (_, file) = merged(std::slice::from_ref(&a), &folder.path().join("out"));
    assert_eq!(owners(&file).len(), 6);
    let renamed = folder.path().join("renamed");
    fs::rename(&a, &renamed).unwrap();
    check_refused(std::slice::from_ref(&renamed), "renamed: not a shard; run each shard with `--shard K/N`");
    fs::write(renamed.join(CARD), "{").unwrap();
    check_refused(&[renamed], "cannot read ");
}

/// Checks that these folders cannot be merged, and nothing is written.
#[track_caller]
fn check_refused(directories: &[PathBuf], part: &str) {
    let out = tempfile::tempdir().unwrap();
    let error: MergeError = merge(directories, &out.path().join("out"), Checks::default()).unwrap_err();
    assert!(error.to_string().contains(part), "{error}");
    assert!(!out.path().join("out").exists(), "nothing is written after an error");
}

#[test]
fn folders_that_do_not_belong_together_are_refused() {
    let [one, other] = [1, 2].map(|_| tempfile::tempdir().unwrap());
    let a = Agent::new("a", &[0, 1]);
    let first = a.write(one.path());
    let copy = a.write(other.path());
    let (merged, _) = merged(&[first.clone(), copy.clone()], &other.path().join("out"));
    assert_eq!(merged.copies, std::slice::from_ref(&copy));
    fs::remove_dir_all(&copy).unwrap();
    let longer = a.clone().with((2, 0, Status::Ok)).write(other.path());
    check_refused(&[first.clone(), longer], "are both of agent a, with different content");
    let of_other_run = Agent { run: "s", ..Agent::new("b", &[2, 3]) }.write(other.path());
    check_refused(&[first.clone(), of_other_run], "are shards of different runs: the run of the fleet");
    let there = Agent { boot_id: Some("a"), ..Agent::new("c", &[2, 3]) }.write(other.path());
    check_refused(&[first.clone(), there], "were measured at the same time on one machine");
    let shard = other.path().join("shard");
    let mut writer = RunWriter::create(&shard).unwrap();
    let Some(Record::Run(run)) = RunFile::read(&first).unwrap().records.into_iter().next() else { panic!("no head") };
    let part = PartRecord {
        number: 1,
        of: 1,
        run: "shard".to_owned(),
        started: "1".to_owned(),
        fingerprint: Fingerprint::default(),
        boot_id: None,
        clock: Vec::new(),
    };
    writer.append(&[Record::Run(run), Record::Part(part)]).unwrap();
    check_refused(&[first, shard], "only the other was kept by an agent of a fleet");
}
