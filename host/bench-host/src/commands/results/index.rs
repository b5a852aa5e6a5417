//! The index of the runs in a folder: what the history keeps of each run, so that listing a thousand runs does not read a thousand run
//! files. It is derived data. A run whose file has changed is read again, and so is every run whose line cannot be read.

use bench_report::{RunEntry, RunView};
use bench_sink::regular;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The name of the file in the folder of the run directories.
const FILE: &str = ".index.jsonl";

/// A run takes some kilobytes. A larger index is made again.
const BYTES_MAX: u64 = 1 << 30;

/// The version of its lines: another one whenever the history keeps something else of a run, or in another way. A line of another version
/// is read again from its run.
const VERSION: u32 = 3;

/// The runs of a folder.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The runs that could be read, oldest first.
    pub(super) runs: Vec<RunEntry>,
    /// A line for each run that could not.
    pub(super) unreadable: Vec<String>,
}

/// One line of the index.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    v: u32,
    /// The name of the run directory.
    name: String,
    stamp: Stamp,
    found: Found,
}

/// What tells that a run file has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    /// Since 1970; 0 if the file system does not tell.
    modified_ns: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Found {
    Run(Box<RunEntry>),
    Unreadable(String),
}

impl Index {
    /// The runs in `directories`, which are in the folder `out`. Reads the runs that the index lacks, and writes it again if there
    /// were some. If it cannot be written, the next listing takes as long as this one.
    pub(super) fn open(out: &Path, directories: &[PathBuf]) -> Self {
        Self::open_counting(out, directories).0
    }

    /// The same, and how many run files were read.
    fn open_counting(out: &Path, directories: &[PathBuf]) -> (Self, usize) {
        let path = out.join(FILE);
        let mut known = read(&path);
        let known_before = known.len();
        let mut lines = Vec::with_capacity(directories.len());
        let mut read = 0;
        for directory in directories.iter().rev() {
            let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Ok(stamp) = stamp(directory) else { continue };
            lines.push(known.remove(&name).filter(|line| line.stamp == stamp).unwrap_or_else(|| {
                read += 1;
                Line { v: VERSION, name, stamp, found: find(directory) }
            }));
        }
        if (read > 0 || known_before != lines.len())
            && let Err(error) = write(&path, &lines)
        {
            tracing::warn!(%error, file = %path.display(), "the index of runs cannot be written; every listing reads all runs");
        }
        let mut index = Self::default();
        for Line { name, found, .. } in lines {
            match found {
                Found::Run(run) => index.runs.push(RunEntry { id: name, ..*run }),
                Found::Unreadable(why) => index.unreadable.push(format!("{name} is left out: {why}")),
            }
        }
        // Not by their names: a directory may be called anything.
        index.runs.sort_by_cached_key(|run| (run.started.parse::<Timestamp>().ok(), run.id.clone()));
        (index, read)
    }
}

fn find(directory: &Path) -> Found {
    match RunView::read(directory) {
        Ok(view) => Found::Run(Box::new(RunEntry::of(&view))),
        Err(error) => Found::Unreadable(chain(&error)),
    }
}

/// The error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn stamp(directory: &Path) -> io::Result<Stamp> {
    let metadata = fs::metadata(directory.join(bench_sink::runfile::FILE_NAME))?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ns = modified.and_then(|time| u64::try_from(time.as_nanos()).ok()).unwrap_or_default();
    Ok(Stamp { bytes: metadata.len(), modified_ns })
}

/// The lines of the index that can be read, by run. A torn or foreign line is left out.
fn read(path: &Path) -> HashMap<String, Line> {
    let bytes = regular::read(path, BYTES_MAX).unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok());
    lines.filter(|line| line.v == VERSION).map(|line| (line.name.clone(), line)).collect()
}

/// A reader finds the old index or the new one.
fn write(path: &Path, lines: &[Line]) -> io::Result<()> {
    let mut content = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut content, line)?;
        content.push(b'\n');
    }
    own_files::replace(path, &content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::{Arguments, Arm, Direction, Unit};
    use bench_sink::Series;
    use bench_sink::fingerprint::Fingerprint;
    use bench_sink::runfile::{
        CellRecord, EndRecord, FILE_NAME, ModuleRef, OutcomeRecord, Planned, Record, RunRecord, RunWriter, SeriesRecord,
    };

    /// Cells of each run.
    const CELLS: u32 = 10;

    /// A folder with so many runs.
    fn folder(runs: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        (0..runs).for_each(|run| add(folder.path(), &format!("2026-01-01T00-00-{run:04}Z")));
        folder
    }

    fn add(folder: &Path, name: &str) {
        add_begun(folder, name, "2026-01-01T00:00:00Z");
    }

    /// Adds a run that began at a time.
    fn add_begun(folder: &Path, name: &str, started: &str) {
        let mut records = vec![Record::Run(RunRecord { started: started.to_owned(), ..run(name) })];
        records.extend((0..CELLS).flat_map(cell));
        records.push(Record::End(EndRecord { finished: String::new(), stopped: None }));
        RunWriter::create(&folder.join(name)).unwrap().append(&records).unwrap();
    }

    fn run(name: &str) -> RunRecord {
        let planned = Planned {
            cells: CELLS,
            processes: 1,
            time_ns: None,
            iterations: None,
            within_ns: None,
            order_sha256: None,
        };
        RunRecord {
            id: name.to_owned(),
            started: "2026-01-01T00:00:00Z".to_owned(),
            seed: 1,
            command: vec!["bench-host".to_owned()],
            planned,
            fingerprint: Fingerprint::default(),
            program_sha256: None,
            warnings: Vec::new(),
            inputs: Vec::new(),
        }
    }

    /// The records of one repetition, whose operations took from 1 to 40 ns.
    fn cell(cell: u32) -> [Record; 3] {
        let mut arguments = Arguments::default();
        arguments.set("n", i64::from(cell));
        let identity = CellRecord {
            cell,
            process: 0,
            scenario: "m/s".to_owned(),
            family: "f".to_owned(),
            arm: Arm::Wasm,
            variant: None,
            arguments,
            module: ModuleRef { file: "m.wasm".to_owned(), sha256: String::new() },
            limit: None,
            cpu: None,
            conditions: Vec::new(),
        };
        let mut series = Series::new("s", Unit::Nanoseconds, Direction::LowerIsBetter);
        (1..=40).for_each(|sample| series.record(sample));
        [
            Record::Cell(identity),
            Record::Series(SeriesRecord::new(cell, 0, &series)),
            Record::Outcome(OutcomeRecord { recorded: 40, iterations: 40, ..OutcomeRecord::ok(cell, 0) }),
        ]
    }

    /// Opens the index, and checks how many runs it has and how many of them were read from their files.
    #[track_caller]
    fn check(folder: &Path, runs: usize, read: usize) -> Index {
        let (index, found) = Index::open_counting(folder, &crate::paths::runs(folder).unwrap());
        assert_eq!((index.runs.len(), found), (runs, read));
        index
    }

    fn names(index: &Index) -> Vec<&str> {
        index.runs.iter().map(|run| run.id.as_str()).collect()
    }

    #[test]
    fn runs_are_in_the_order_in_which_they_began() {
        let folder = folder(3);
        for (name, started) in [
            ("after", "2026-01-01T00:00:00.5Z"),
            ("z-before", "2025-12-31T23:59:59.999Z"),
            ("a-last", "2026-01-01T00:00:01Z"),
        ] {
            add_begun(folder.path(), name, started);
        }
        for read in [6, 0] {
            let index = check(folder.path(), 6, read);
            let same = ["2026-01-01T00-00-0000Z", "2026-01-01T00-00-0001Z", "2026-01-01T00-00-0002Z"];
            assert_eq!(names(&index), [&["z-before"][..], &same[..], &["after", "a-last"][..]].concat());
        }
    }

    #[test]
    fn thousand_runs_are_read_once() {
        let folder = folder(1_000);
        let read = check(folder.path(), 1_000, 1_000);
        let kept = check(folder.path(), 1_000, 0);
        assert!(read.runs == kept.runs, "the index holds what the runs do");
        let figures: Vec<_> = kept.runs[999].cells.iter().map(|cell| (cell.p50, cell.samples)).collect();
        assert_eq!(figures, [(Some(20.0), 40); CELLS as usize]);
    }

    #[test]
    fn new_changed_and_removed_runs_are_noticed() {
        let folder = folder(3);
        check(folder.path(), 3, 3);
        add(folder.path(), "2026-02-01T00-00-00Z");
        check(folder.path(), 4, 1);
        let first = folder.path().join("2026-01-01T00-00-0000Z");
        let text = fs::read_to_string(first.join(FILE_NAME)).unwrap();
        let changed = text.replace("\"seed\":1", "\"seed\":12").replace("\"digest\"", "\"was\"");
        fs::write(first.join(FILE_NAME), changed).unwrap();
        check(folder.path(), 4, 1);
        fs::remove_dir_all(first).unwrap();
        check(folder.path(), 3, 0);
        assert_eq!(read(&folder.path().join(FILE)).len(), 3, "the removed run is gone from the index too");
    }

    #[test]
    fn torn_or_foreign_index_only_costs_time() {
        let folder = folder(3);
        check(folder.path(), 3, 3);
        let path = folder.path().join(FILE);
        let bytes = fs::read(&path).unwrap();
        for (content, read) in [(&bytes[..bytes.len() - 9], 1), (&b"\0garbage\n{}\n"[..], 3), (&b""[..], 3)] {
            fs::write(&path, content).unwrap();
            check(folder.path(), 3, read);
            check(folder.path(), 3, 0);
        }
        // Whatever another version has written there, even if it looks like a line of this one.
        let text = String::from_utf8(bytes).unwrap().replace("\"p50\":20.0", "\"p50\":7.0");
        for version in [VERSION - 1, VERSION + 1] {
            let other = text.replace(&format!("\"v\":{VERSION}"), &format!("\"v\":{version}"));
            assert_ne!(other, text);
            fs::write(&path, other).unwrap();
            let index = check(folder.path(), 3, 3);
            assert_eq!(index.runs[0].cells[0].p50, Some(20.0));
            check(folder.path(), 3, 0);
        }
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        check(folder.path(), 3, 3);
        check(folder.path(), 3, 0);
    }

    #[test]
    fn unreadable_run_is_named_and_not_read_again() {
        let folder = folder(2);
        let broken = folder.path().join("2026-01-01T00-00-0001Z").join(FILE_NAME);
        fs::write(&broken, "garbage\n").unwrap();
        for read in [2, 0] {
            let index = check(folder.path(), 1, read);
            assert!(index.unreadable[0].starts_with("2026-01-01T00-00-0001Z is left out: "), "{:?}", index.unreadable);
        }
    }
}
