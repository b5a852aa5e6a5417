//! A run directory that is written aside and gets its place when it is complete: what a kill or a full disk leaves is never taken for a run, and is
//! in the way of no other attempt.

use bench_sink::runfile::{FILE_NAME, RawLines, Record, RunWriter, WriteError};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Whether a run that is in the place already is given up for the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and the new one is an error.
    Stays,
    /// It is replaced, if it is the result of an earlier attempt: a run of the same name, or one that was not begun.
    Replaced,
}

/// A run that is being written aside. What is there is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Aside {
    /// Where the run belongs.
    directory: PathBuf,
    /// Where it is written, and where the one that it replaces is kept until then.
    new: PathBuf,
    old: PathBuf,
}

/// The folder of runs that are being written, next to where they belong. It holds no run file itself, so that nothing lists it as a run.
const FOLDER: &str = ".merging";

impl Aside {
    /// Begins the run `id` in the folder `out`, and removes what an attempt that was killed has left aside.
    pub(crate) fn begin(out: &Path, id: &str, existing: Existing) -> Result<(Self, RunWriter), WriteError> {
        let folder = out.join(FOLDER);
        let aside = |name: String| folder.join(name);
        let (directory, new, old) = (out.join(id), aside(id.to_owned()), aside(format!("{id}.old")));
        let fail = |path: &Path, source| WriteError { path: path.to_owned(), source };
        let may_write = !is_there(&directory) || (existing == Existing::Replaced && is_earlier(&directory, id));
        if !may_write {
            return Err(fail(&directory, io::ErrorKind::AlreadyExists.into()));
        }
        clear(&new).map_err(|source| fail(&new, source))?;
        let aside = Self { directory, new, old };
        let writer = RunWriter::create(&aside.new)?;
        Ok((aside, writer))
    }

    /// Gives the run its place. Returns it.
    pub(crate) fn finish(self, writer: RunWriter) -> Result<PathBuf, WriteError> {
        drop(writer);
        let moved = if is_there(&self.directory) { self.replace() } else { fs::rename(&self.new, &self.directory) };
        // Without the sync, the names may be lost in a crash although what they name was written.
        let synced = moved.and_then(|()| sync(&self.directory));
        synced.map_err(|source| WriteError { path: self.directory.clone(), source })?;
        Ok(self.directory.clone())
    }

    /// The same where the result of an earlier attempt is.
    fn replace(&self) -> io::Result<()> {
        remove(&self.old)?;
        fs::rename(&self.directory, &self.old)?;
        fs::rename(&self.new, &self.directory).inspect_err(|_| {
            // The first error says more.
            let _ = fs::rename(&self.old, &self.directory);
        })
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.new);
        if is_there(&self.directory) {
            let _ = fs::remove_dir_all(&self.old);
        }
        // Another run may be written next to it.
        let _ = self.new.parent().map(fs::remove_dir);
    }
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether `directory` is of an earlier attempt to write the run `id`.
fn is_earlier(directory: &Path, id: &str) -> bool {
    let first = RawLines::open(directory).map(|mut lines| lines.next());
    match first {
        Ok(Some(Ok(line))) => matches!(line.record, Some(Record::Run(run)) if run.id == id),
        Ok(None) => true,
        Ok(Some(Err(_))) | Err(_) => false,
    }
}

/// Removes what is at `path`, unless another process still writes to it.
fn clear(path: &Path) -> io::Result<()> {
    let held = File::options().read(true).write(true).open(path.join(FILE_NAME));
    if let Ok(file) = &held
        && matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    {
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    remove(path)
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Syncs the folder that `directory` is in.
fn sync(directory: &Path) -> io::Result<()> {
    let folder = directory.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up;

    const ID: &str = "r-merged";

    /// Writes the head of the run `id`, with this seed.
    fn write(writer: &mut RunWriter, id: &str, seed: u64) {
        let run = made_up::run(crate::Spec { id: id.to_owned(), seed, ..made_up::spec() }, made_up::planned(1, 1));
        writer.append(&[Record::Run(run)]).unwrap();
    }

    /// Writes the run with this seed to its place.
    fn finish(out: &Path, seed: u64, existing: Existing) -> Result<PathBuf, WriteError> {
        let (aside, mut writer) = Aside::begin(out, ID, existing)?;
        assert!(is_there(&aside.new), "it is written aside");
        write(&mut writer, ID, seed);
        aside.finish(writer)
    }

    /// The names in a folder.
    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Checks that the only thing in `out` is the run with this seed.
    #[track_caller]
    fn check(out: &Path, seed: u64) {
        assert_eq!(names(out), [ID]);
        let text = fs::read_to_string(out.join(ID).join(FILE_NAME)).unwrap();
        assert!(text.contains(&format!("\"seed\":{seed},")), "{text}");
    }

    #[test]
    fn run_that_is_not_finished_leaves_nothing() {
        let out = tempfile::tempdir().unwrap();
        let (aside, mut writer) = Aside::begin(out.path(), ID, Existing::Stays).unwrap();
        write(&mut writer, ID, 1);
        assert!(!is_there(&out.path().join(ID)), "half a run is not in its place");
        drop((aside, writer));
        assert_eq!(names(out.path()), [""; 0]);
    }

    #[test]
    fn what_a_killed_attempt_has_left_is_no_obstacle() {
        let out = tempfile::tempdir().unwrap();
        for name in [ID, "r-merged.old"] {
            drop(RunWriter::create(&out.path().join(FOLDER).join(name)).unwrap());
        }
        finish(out.path(), 1, Existing::Stays).unwrap();
        check(out.path(), 1);
    }

    #[test]
    fn attempt_that_another_process_still_makes_is_not_disturbed() {
        let out = tempfile::tempdir().unwrap();
        let (aside, mut writer) = Aside::begin(out.path(), ID, Existing::Stays).unwrap();
        let error = Aside::begin(out.path(), ID, Existing::Stays).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::ResourceBusy);
        write(&mut writer, ID, 1);
        aside.finish(writer).unwrap();
        check(out.path(), 1);
    }

    #[test]
    fn only_the_result_of_an_earlier_attempt_is_replaced() {
        let out = tempfile::tempdir().unwrap();
        finish(out.path(), 1, Existing::Stays).unwrap();
        let error = finish(out.path(), 2, Existing::Stays).unwrap_err();
        assert_eq!((error.path, error.source.kind()), (out.path().join(ID), io::ErrorKind::AlreadyExists));
        finish(out.path(), 3, Existing::Replaced).unwrap();
        check(out.path(), 3);
        // It was killed before it had written anything.
        fs::write(out.path().join(ID).join(FILE_NAME), "").unwrap();
        finish(out.path(), 4, Existing::Replaced).unwrap();
        check(out.path(), 4);
        fs::remove_dir_all(out.path().join(ID)).unwrap();
        write(&mut RunWriter::create(&out.path().join(ID)).unwrap(), "other", 5);
        assert!(finish(out.path(), 6, Existing::Replaced).is_err());
        check(out.path(), 5);
    }
}
