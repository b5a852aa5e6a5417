//! Merges shards that were made up, and every kind of directory that does not fit.

use super::*;
use crate::Spec;
use crate::made_up;
use bench_model::Arm;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    FILE_NAME, ModuleRecord, OutcomeRecord, PartRecord, Planned, RawLine, RunFile, RunWriter, Status,
};
use proptest::prelude::*;
use std::fs;

/// A shard to be written.
#[derive(Clone)]
struct Made {
    number: u32,
    of: u32,
    cells: Vec<u32>,
    seed: u64,
    kernel: &'static str,
    boot_id: &'static str,
    /// The times of the begin and of the end; no end if it was killed.
    times: (&'static str, Option<&'static str>),
    /// An operation count, so that two shards with the same cells can differ.
    recorded: u64,
}

impl Made {
    fn new(number: u32, of: u32, cells: impl IntoIterator<Item = u32>) -> Self {
        let cells = cells.into_iter().collect();
        let boot_id = ["a", "b", "c", "d"][number as usize % 4];
        Self { number, of, cells, seed: 7, kernel: "6", boot_id, times: ("1", Some("2")), recorded: 10 }
    }

    fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let directory = folder.join(name);
        let mut writer = RunWriter::create(&directory).unwrap();
        let fingerprint = Fingerprint { kernel: self.kernel.to_owned(), ..Fingerprint::default() };
        let shard = format!("{}/{}", self.number, self.of);
        let command = ["bench-host", "run", "s", "--shard", &shard].map(str::to_owned).to_vec();
        let spec = Spec { id: name.to_owned(), seed: self.seed, command, ..made_up::spec() };
        let run = RunRecord {
            started: self.times.0.to_owned(),
            fingerprint: fingerprint.clone(),
            ..made_up::run(spec, Planned { time_ns: Some(1), ..made_up::planned(6, 2) })
        };
        let part = PartRecord {
            number: self.number,
            of: self.of,
            run: name.to_owned(),
            started: self.times.0.to_owned(),
            fingerprint,
            boot_id: Some(self.boot_id.to_owned()),
            clock: Vec::new(),
        };
        let (sha256, descriptor, refused) = (Some("d".to_owned()), None, None);
        let module = ModuleRecord {
            file: "m.wasm".to_owned(),
            sha256,
            arm: Some(Arm::Wasm),
            descriptor,
            granted: Vec::new(),
            compiler: None,
            note: None,
            refused,
        };
        writer.append(&[Record::Run(run), Record::Part(part), Record::Module(module)]).unwrap();
        for process in 0..2 {
            for cell in &self.cells {
                writer.append(&block(*cell, process, self.recorded)).unwrap();
            }
        }
        if let Some(finished) = self.times.1 {
            writer.append(&[Record::End(EndRecord { finished: finished.to_owned(), stopped: None })]).unwrap();
        }
        directory
    }
}

fn block(cell: u32, process: u32, recorded: u64) -> [Record; 2] {
    let outcome = OutcomeRecord { recorded, ..OutcomeRecord::without_figures(cell, process, Status::Ok) };
    [Record::Cell(made_up::cell(cell, process, "m.wasm")), Record::Outcome(outcome)]
}

/// The result of merging `shards`, or the text of the error with the folder left out.
fn merged(shards: &[Made], checks: Checks) -> (tempfile::TempDir, Result<Merged, String>) {
    let folder = tempfile::tempdir().unwrap();
    let name = |index: usize| ["p", "q", "r", "s", "t"][index];
    let write = |(index, shard): (usize, &Made)| shard.write(folder.path(), name(index));
    let directories: Vec<_> = shards.iter().enumerate().map(write).collect();
    let found = merge(&directories, &folder.path().join("out"), checks);
    let prefix = format!("{}/", folder.path().display());
    let found = found.map_err(|error| error.to_string().replace(&prefix, ""));
    assert!(found.is_ok() || !folder.path().join("out").exists(), "nothing is written after an error");
    (folder, found)
}

#[track_caller]
fn check(shards: &[Made], checks: Checks, expect: Result<usize, &str>) {
    let (_folder, found) = merged(shards, checks);
    match (found, expect) {
        (Ok(merged), Ok(copies)) => assert_eq!(merged.copies.len(), copies),
        (Err(error), Err(text)) => assert_eq!(error, text),
        (found, _) => panic!("{found:?}, expected {expect:?}"),
    }
}

fn lines(directory: &Path) -> Vec<Vec<u8>> {
    RawLine::read_all(directory).unwrap().into_iter().map(|line| line.text).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn each_line_is_there_once_and_unchanged_in_any_order_of_directories(
        owners in prop::collection::vec(1u32..=3, 6),
        order in Just([0usize, 1, 2]).prop_shuffle(),
    ) {
        let shard = |number: u32| {
            Made::new(number, 3, (0..6).filter(|cell| owners[*cell as usize] == number).collect::<Vec<_>>())
        };
        let folder = tempfile::tempdir().unwrap();
        let directories = [1, 2, 3].map(|number| shard(number).write(folder.path(), &format!("shard-{number}")));
        let in_order = merge(&directories, &folder.path().join("a"), Checks::default()).unwrap();
        let shuffled = order.map(|index| directories[index].clone());
        let mixed = merge(&shuffled, &folder.path().join("b"), Checks::default()).unwrap();
        prop_assert_eq!(fs::read(in_order.directory.join(FILE_NAME)).unwrap(), fs::read(mixed.directory.join(FILE_NAME)).unwrap());
        let whole = lines(&in_order.directory);
        for directory in &directories {
            let own = lines(directory);
            let is_outcome = |line: &&Vec<u8>| line.windows(9).any(|part| part == b"\"outcome\"");
            for line in own.iter().filter(is_outcome) {
                prop_assert_eq!(whole.iter().filter(|other| *other == line).count(), 1);
            }
        }
        let outcomes = RunFile::read(&in_order.directory).unwrap().records;
        let outcomes = outcomes.iter().filter(|record| matches!(record, Record::Outcome(_))).count();
        prop_assert_eq!(outcomes, 12, "6 cells in 2 processes");
    }
}

#[test]
fn head_is_that_of_the_whole_run() {
    let (_folder, merged) = merged(&[Made::new(2, 2, [3, 4]), Made::new(1, 2, [0, 1])], Checks::default());
    let directory = merged.unwrap().directory;
    let records = RunFile::read(&directory).unwrap().records;
    let Some(Record::Run(run)) = records.first() else { panic!("{records:?}") };
    assert_eq!((run.id.as_str(), run.command.join(" ").as_str()), ("q-merged", "bench-host run s"));
    assert_eq!(records.iter().filter(|record| matches!(record, Record::Module(_))).count(), 1);
    assert_eq!(records.iter().filter(|record| matches!(record, Record::Part(_))).count(), 2);
    assert!(matches!(records.last(), Some(Record::End(EndRecord { stopped: None, .. }))));
}

#[test]
fn copy_of_a_shard_is_left_out_and_another_result_is_refused() {
    let (one, two) = (Made::new(1, 2, [0, 1]), Made::new(2, 2, [2]));
    let folder = tempfile::tempdir().unwrap();
    let directories = [one.write(folder.path(), "p"), two.write(folder.path(), "q"), folder.path().join("copy")];
    fs::create_dir(&directories[2]).unwrap();
    fs::copy(directories[0].join(FILE_NAME), directories[2].join(FILE_NAME)).unwrap();
    let merged = merge(&directories, &folder.path().join("out"), Checks::default()).unwrap();
    assert_eq!(merged.copies, [directories[2].clone()]);
    let other = Made { recorded: 11, ..one.clone() };
    let twice = "p and r both hold shard 1, with different results; merge only one of them";
    check(&[one, two, other], Checks::default(), Err(twice));
}

#[test]
fn directories_that_do_not_belong_together_are_refused() {
    let (one, two) = (Made::new(1, 2, [0, 1]), Made::new(2, 2, [2, 3]));
    let strict = |shards: &[Made], expect| check(shards, Checks::default(), expect);
    strict(&[one.clone(), two.clone()], Ok(0));
    let missing = "shard 2 of 2 is missing; measure it with `--shard 2/2`, then merge all shards";
    strict(std::slice::from_ref(&one), Err(missing));
    let different = |what: &str| {
        format!(
            "p and q are shards of different runs: {what}; merge only shards of one command line, program and set of modules"
        )
    };
    let (seed, of) = (different("the seed"), different("the number of shards"));
    strict(&[one.clone(), Made { seed: 8, ..two.clone() }], Err(&seed));
    strict(&[one.clone(), Made { of: 3, ..two.clone() }], Err(&of));
    let overlap = "p and q both hold cell 1, process 0; merge only shards of one run";
    strict(&[one.clone(), Made { cells: vec![1], ..two.clone() }], Err(overlap));
    let killed = Made { times: ("1", None), ..two.clone() };
    strict(&[one, killed], Err("q: the shard did not end; finish it with `--resume q`"));
}

#[test]
fn unlike_and_shared_machines_need_an_option() {
    let (one, two) = (Made::new(1, 2, [0, 1]), Made::new(2, 2, [2, 3]));
    let other = Made { kernel: "7", ..two.clone() };
    let unlike =
        "p and q were measured on unlike machines: kernel 6 and 7; give --across-machines to merge them nevertheless";
    check(&[one.clone(), other.clone()], Checks::default(), Err(unlike));
    check(&[one.clone(), other], Checks { across_machines: true, ..Checks::default() }, Ok(0));
    let same = |times| Made { boot_id: one.boot_id, times, ..two.clone() };
    let shared = "p and q were measured at the same time on one machine, so they disturbed each other; give --share-machine to merge them nevertheless";
    check(&[one.clone(), same(("1", Some("3")))], Checks::default(), Err(shared));
    check(&[one.clone(), same(("1", Some("3")))], Checks { share_machine: true, ..Checks::default() }, Ok(0));
    check(&[one.clone(), same(("2", Some("3")))], Checks::default(), Ok(0));
}

#[test]
fn run_that_is_no_shard_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let directory = Made::new(1, 1, [0]).write(folder.path(), "p");
    let path = directory.join(FILE_NAME);
    let text = fs::read_to_string(&path).unwrap();
    let whole: String =
        text.lines().filter(|line| !line.contains("\"part\"")).map(|line| format!("{line}\n")).collect();
    fs::write(&path, whole).unwrap();
    let refused = |directory: &Path| {
        merge(&[directory.to_owned()], &folder.path().join("out"), Checks::default()).unwrap_err().to_string()
    };
    assert!(refused(&directory).ends_with("p: not a shard; run each shard with `--shard K/N`"));
    fs::write(&path, "").unwrap();
    assert!(refused(&directory).contains("interrupted before it measured anything"));
    assert!(refused(&folder.path().join("nowhere")).contains("cannot read"));
}

#[test]
fn merged_run_is_in_its_place_when_it_is_complete_and_replaced_by_its_coordinator_only() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (Made::new(1, 2, [0, 1]), Made::new(2, 2, [2]));
    let directories = [one.write(folder.path(), "p"), two.write(folder.path(), "q")];
    let out = folder.path().join("out");
    // The merge fails in the middle: the second shard changes after it was read.
    let text = fs::read(directories[1].join(FILE_NAME)).unwrap();
    let cut = |parts: &[Part], writer: &mut RunWriter| {
        fs::write(directories[1].join(FILE_NAME), &text[..text.len() / 2]).unwrap();
        parts.iter().try_for_each(|part| part.copy_body(writer))
    };
    let parts = read(&directories).unwrap().parts;
    let (aside, mut writer) = Aside::begin(&out, "p-merged", Existing::Replaced).unwrap();
    assert!(cut(&parts, &mut writer).is_err());
    drop((aside, writer));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0, "nothing is left of it");
    fs::write(directories[1].join(FILE_NAME), &text).unwrap();
    let merged = merge(&directories, &out, Checks::default()).unwrap().directory;
    let whole = fs::read(merged.join(FILE_NAME)).unwrap();
    assert!(matches!(merge(&directories, &out, Checks::default()), Err(MergeError::Write(_))));
    let again = merge_stopped(&directories, &out, Checks::default(), None).unwrap().directory;
    assert_eq!((&again, fs::read(merged.join(FILE_NAME)).unwrap()), (&merged, whole));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
}
