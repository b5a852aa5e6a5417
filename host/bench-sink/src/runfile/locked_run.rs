//! An interrupted run, locked against other writers until it is decided whether it is resumed, with the position where its last
//! complete block ends.

use super::blocks::whole_blocks;
use super::locked::Locked;
use super::reader::{FILE_BYTES_MAX, ReadError, lines};
use super::{FILE_NAME, RawLine, RawLines, RunFile, RunWriter, WriteError};
use crate::regular;
use rustix::process::{getegid, geteuid};
use std::fs::{Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A locked run file that has not been changed yet.
#[derive(Debug)]
pub struct LockedRun {
    file: Locked,
    run: RunFile,
    /// The size of the complete blocks in bytes.
    len: u64,
}

/// The reason why a run cannot be resumed.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// The process that writes it is still running.
    #[error("{}: another bench-host is writing to this run; wait until it has ended, or stop it", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Another user could have written the command that it is resumed with.
    #[error("{}: another user can write to this file, and a run is resumed with the command in it; resume it as its owner, and run `chmod go-w` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// It is not writable, or the file system does not support locks.
    #[error("cannot resume {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl LockedRun {
    /// Opens the run file in `directory` and locks it as long as this, or the writer made from it, exists. The lock ends when
    /// the process dies.
    pub fn open(directory: &Path) -> Result<Self, HoldError> {
        let path = directory.join(FILE_NAME);
        let mut file = lock(&path)?;
        let bytes = regular::read_from(&mut file, FILE_BYTES_MAX);
        let bytes = bytes.map_err(|source| HoldError::Io { path: path.clone(), source })?;
        let (lines, torn) = lines(&path, &bytes)?;
        let lines = whole_blocks(lines);
        let len = lines.last().map_or(0, |line| line.end as u64);
        let records = lines.into_iter().filter_map(|line| line.record).collect();
        Ok(Self { file, run: RunFile { directory: directory.to_owned(), records, torn }, len })
    }

    /// Locks and resumes the run in `directory` without holding more than a block of it. Before anything is changed, `each` gets every line of
    /// the complete blocks.
    pub fn resume_after<E: From<HoldError> + From<WriteError>>(
        directory: &Path,
        mut each: impl FnMut(RawLine) -> Result<(), E>,
    ) -> Result<RunWriter, E> {
        let file = lock(&directory.join(FILE_NAME))?;
        let mut len = 0;
        for line in RawLines::open(directory).map_err(HoldError::from)? {
            let line = line.map_err(HoldError::from)?;
            len += line.text.len() as u64;
            each(line)?;
        }
        Ok(RunWriter::behind(directory, file, len)?)
    }

    /// The records in the complete blocks of the file.
    pub fn run(&self) -> &RunFile {
        &self.run
    }

    /// Truncates the file after its last complete block, and returns a writer that appends to it.
    pub fn resume(self) -> Result<RunWriter, WriteError> {
        RunWriter::behind(&self.run.directory, self.file, self.len)
    }
}

/// Opens the file at `path`, and locks it if only this user can have written to it.
fn lock(path: &Path) -> Result<Locked, HoldError> {
    let fail = |source| HoldError::Io { path: path.to_owned(), source };
    let file = Locked(regular::open_no_link(path, OpenOptions::new().read(true).append(true)).map_err(fail)?);
    if !is_own(&file.metadata().map_err(fail)?) {
        return Err(HoldError::Exposed { path: path.to_owned() });
    }
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => HoldError::Busy { path: path.to_owned() },
        TryLockError::Error(source) => fail(source),
    })?;
    Ok(file)
}

/// Whether only this user can have written to the file. The user's own group is trusted, because many systems give each user one and let it
/// write.
fn is_own(found: &Metadata) -> bool {
    let is_open_to_group = found.mode() & 0o020 != 0 && found.gid() != getegid().as_raw();
    found.uid() == geteuid().as_raw() && found.mode() & 0o002 == 0 && !is_open_to_group
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use crate::runfile::{
        CellRecord, EndRecord, ModuleRef, OutcomeRecord, Planned, Record, ResumedRecord, RunRecord, RunSummary, Status,
    };
    use bench_model::{Arguments, Arm};
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown};

    fn block(cell: u32) -> Vec<Record> {
        let module = ModuleRef { file: "m".to_owned(), sha256: String::new() };
        let (scenario, family, arm) = ("m/s".to_owned(), String::new(), Arm::Wasm);
        let arguments = Arguments::default();
        let (variant, limit, cpu, conditions) = (None, None, None, Vec::new());
        let identity =
            CellRecord { cell, process: 0, scenario, family, arm, variant, arguments, module, limit, cpu, conditions };
        vec![Record::Cell(identity), Record::Outcome(OutcomeRecord::without_figures(cell, 0, Status::Ok))]
    }

    fn head() -> Record {
        let planned =
            Planned { cells: 3, processes: 1, time_ns: None, iterations: None, within_ns: None, order_sha256: None };
        let (id, started, command) = (String::new(), String::new(), vec!["bench-host".to_owned()]);
        let (fingerprint, program_sha256) = (Fingerprint::take("1"), None);
        Record::Run(RunRecord {
            id,
            started,
            seed: 1,
            command,
            planned,
            fingerprint,
            program_sha256,
            warnings: Vec::new(),
            inputs: Vec::new(),
        })
    }

    fn end(stopped: Option<&str>) -> Record {
        Record::End(EndRecord { finished: String::new(), stopped: stopped.map(str::to_owned) })
    }

    fn resumed() -> Record {
        let (started, command) = (String::new(), Vec::new());
        Record::Resumed(ResumedRecord { started, command, fingerprint: Fingerprint::take("1") })
    }

    /// Writes a run of so many blocks.
    fn stopped(blocks: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("run");
        let mut writer = RunWriter::create(&directory).unwrap();
        writer.append(&[head()]).unwrap();
        (0..blocks).for_each(|cell| writer.append(&block(cell)).unwrap());
        (folder, directory)
    }

    fn cells(records: &[Record]) -> Vec<u32> {
        let cell = |record: &Record| if let Record::Outcome(outcome) = record { Some(outcome.cell) } else { None };
        records.iter().filter_map(cell).collect()
    }

    #[test]
    fn cut_file_resumes_after_its_last_complete_block() {
        let (_folder, directory) = stopped(2);
        let path = directory.join(FILE_NAME);
        let bytes = fs::read(&path).unwrap();
        let until_last = bytes.len() - bytes.split_inclusive(|byte| *byte == b'\n').rev().take(2).flatten().count();
        for cut in until_last..=bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            let held = LockedRun::open(&directory).unwrap();
            let whole: &[u32] = if cut == bytes.len() { &[0, 1] } else { &[0] };
            assert_eq!(cells(&held.run().records), whole, "cut at {cut}");
            assert_eq!(fs::read(&path).unwrap().len(), cut, "the file is not changed yet");
            let mut writer = held.resume().unwrap();
            writer.append(&[resumed()]).unwrap();
            writer.append(&block(2)).unwrap();
            let file = RunFile::read(&directory).unwrap();
            assert_eq!((cells(&file.records), file.torn), ([whole, &[2]].concat(), None), "cut at {cut}");
            drop(writer);
            // The same, a block at a time.
            fs::write(&path, &bytes[..cut]).unwrap();
            let mut found = Vec::new();
            let resumed = LockedRun::resume_after(&directory, |line| {
                found.extend(line.record);
                Ok::<_, Box<dyn std::error::Error>>(())
            });
            let mut writer = resumed.unwrap();
            assert_eq!(cells(&found), whole, "cut at {cut}");
            writer.append(&block(2)).unwrap();
            assert_eq!(cells(&RunFile::read(&directory).unwrap().records), [whole, &[2]].concat(), "cut at {cut}");
        }
    }

    #[test]
    fn run_whose_lines_do_not_fit_is_not_changed() {
        let (_folder, directory) = stopped(2);
        let path = directory.join(FILE_NAME);
        let torn = [fs::read(&path).unwrap(), b"{".to_vec()].concat();
        fs::write(&path, &torn).unwrap();
        let refuse = |_: RawLine| Err(Box::<dyn std::error::Error>::from("no"));
        assert_eq!(LockedRun::resume_after(&directory, refuse).unwrap_err().to_string(), "no");
        assert_eq!(fs::read(&path).unwrap(), torn);
    }

    #[test]
    fn second_writer_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("run");
        let busy = || matches!(LockedRun::open(&directory), Err(HoldError::Busy { .. }));
        let writer = RunWriter::create(&directory).unwrap();
        assert!(busy());
        drop(writer);
        let held = LockedRun::open(&directory).unwrap();
        assert!(busy());
        let writer = held.resume().unwrap();
        assert!(busy());
        drop(writer);
        assert!(!busy());
    }

    #[test]
    fn file_permissions_are_kept() {
        let (_folder, directory) = stopped(1);
        let path = directory.join(FILE_NAME);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        LockedRun::open(&directory).unwrap().resume().unwrap().append(&block(1)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn run_that_another_user_can_write_to_is_not_resumed() {
        let (_folder, directory) = stopped(1);
        let path = directory.join(FILE_NAME);
        let is_exposed =
            || matches!(LockedRun::open(&directory), Err(HoldError::Exposed { path: found }) if found == path);
        for (mode, expect) in [(0o600, false), (0o644, false), (0o602, true), (0o666, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_exposed(), expect, "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        match chown(&path, Some(1), None) {
            Ok(()) => assert!(is_exposed(), "it belongs to another user"),
            Err(error) => eprintln!("skipped: only root can give files away ({error}); run the tests as root"),
        }
    }

    #[test]
    fn link_in_place_of_a_run_file_is_not_followed() {
        let (_folder, directory) = stopped(1);
        let path = directory.join(FILE_NAME);
        let elsewhere = directory.with_file_name("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let error = LockedRun::open(&directory).expect_err("it would be truncated and appended to");
        let reason = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(reason.as_deref(), Some("it is a symbolic link"), "{error}");
    }

    #[test]
    fn summary_tells_whether_the_run_was_finished() {
        let (_folder, directory) = stopped(3);
        let finished = || RunSummary::of(&directory).unwrap().map(|summary| summary.is_finished());
        assert_eq!(finished(), Some(false));
        let append = |record: Record| LockedRun::open(&directory).unwrap().resume().unwrap().append(&[record]).unwrap();
        for (record, expect) in [(end(Some("interrupted")), false), (resumed(), false), (end(None), true)] {
            append(record);
            assert_eq!(finished(), Some(expect));
        }
        let path = directory.join(FILE_NAME);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(finished(), Some(false), "an incomplete end record does not count");
        fs::write(&path, &bytes[..9]).unwrap();
        assert_eq!(finished(), None);
        fs::write(&path, &bytes[bytes.len() - 40..]).unwrap();
        assert!(RunSummary::of(&directory).is_err());
    }
}
