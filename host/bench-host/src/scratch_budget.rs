//! A bound on what modules write into scratch folders: a worker that exceeds it is ended. While it runs, this process asks once a second
//! how much room the file system has, and counts the files only if there is less by more than the bound.

use crate::scratch::ScratchFolder;
use bench_engine::Interrupt;
use bench_engine::worker::{WorkerEnd, WorkerError};
use bench_report::scale;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

/// The time between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// The bound without `--scratch`, where the file system has twice as much room.
const BYTES_MAX: u64 = 64 << 30;

/// More entries than this are not counted, and exceed every bound.
const ENTRIES_MAX: usize = 100_000;

/// The unit of `st_blocks` (stat(2)).
const BLOCK_BYTES: u64 = 512;

/// A folder, and what it may hold.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    free_before: u64,
    bytes_max: u64,
}

/// Calls a worker that writes into `folders`. It is ended if one of them holds more than `given` bytes; without, more than half of the
/// room that there was, or 64 GiB.
pub(crate) fn within<'a, Reply>(
    folders: impl IntoIterator<Item = &'a ScratchFolder>,
    given: Option<u64>,
    interrupt: &Interrupt,
    call: impl FnOnce(&Interrupt) -> WorkerEnd<Reply>,
) -> WorkerEnd<Reply> {
    let paths = folders.into_iter().flat_map(|folder| [folder.path(), folder.beside()]);
    let watched: Vec<_> = paths.filter_map(|path| Watched::begin(path, given)).collect();
    if watched.is_empty() {
        return call(interrupt);
    }
    // Raised with the user's, and by the watch.
    let either = Arc::new(Interrupt::new());
    let (of_user, of_watch) = (Arc::clone(&either), Arc::clone(&either));
    let _subscription = interrupt.subscribe(move || {
        of_user.raise();
    });
    let (running, ended) = mpsc::channel();
    let watch = std::thread::spawn(move || watch(&watched, &ended, &of_watch));
    let mut end = call(&either);
    drop(running);
    let exceeded = watch.join().unwrap_or_default();
    let is_interrupted = matches!(end.result, Err(WorkerError::Interrupted));
    if let Some(reason) = exceeded.filter(|_| is_interrupted) {
        end.result = Err(WorkerError::Stopped(reason));
    }
    end
}

/// Looks until the other end of `ended` is dropped; raises the interrupt once a folder holds too much, and returns the reason.
fn watch(watched: &[Watched], ended: &Receiver<()>, interrupt: &Interrupt) -> Option<String> {
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(EVERY) {
        if let Some(exceeded) = watched.iter().find(|watched| watched.is_exceeded(free_bytes(&watched.path))) {
            interrupt.raise();
            return Some(exceeded.reason());
        }
    }
    None
}

impl Watched {
    fn begin(path: &Path, given: Option<u64>) -> Option<Self> {
        let free_before = free_bytes(path)?;
        let bytes_max = given.unwrap_or_else(|| BYTES_MAX.min(free_before / 2));
        Some(Self { path: path.to_owned(), free_before, bytes_max })
    }

    /// Whether the folder holds too much, now that the file system has `free` bytes.
    fn is_exceeded(&self, free: Option<u64>) -> bool {
        let is_possible = free.is_none_or(|free| self.free_before.saturating_sub(free) > self.bytes_max);
        is_possible && size(&self.path).is_none_or(|bytes| bytes > self.bytes_max)
    }

    fn reason(&self) -> String {
        format!(
            "it wrote more than {} into its scratch folder, which is the maximum; allow more with --scratch",
            scale::bytes(self.bytes_max as f64)
        )
    }
}

/// The room that the file system of `path` has for this user.
fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The room that everything in `folder` takes. `None` if there are too many entries to count.
fn size(folder: &Path) -> Option<u64> {
    let (mut bytes, mut entries, mut folders) = (0_u64, 0, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            entries += 1;
            if entries > ENTRIES_MAX {
                return None;
            }
            // Of a link itself. What was removed meanwhile takes no room.
            let Ok(found) = entry.metadata() else { continue };
            bytes = bytes.saturating_add(found.blocks().saturating_mul(BLOCK_BYTES));
            if found.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A folder with a file of `bytes` bytes further down, and a link to a larger one outside.
    fn folder(bytes: usize) -> (tempfile::TempDir, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("scratch");
        fs::create_dir_all(folder.join("deep")).unwrap();
        let write = |path: PathBuf, bytes: usize| {
            let mut file = fs::File::create(path).unwrap();
            file.write_all(&(0..bytes).map(|byte| (byte * byte) as u8).collect::<Vec<_>>()).unwrap();
            file.sync_all().unwrap();
        };
        write(folder.join("deep/file"), bytes);
        write(parent.path().join("outside"), 1 << 20);
        std::os::unix::fs::symlink("../outside", folder.join("link")).unwrap();
        (parent, folder)
    }

    #[test]
    fn only_what_is_in_the_folder_counts() {
        let (_parent, folder) = folder(64 << 10);
        let bytes = size(&folder).unwrap();
        assert!((32 << 10..1 << 20).contains(&bytes), "{bytes}");
        let watched = |bytes_max| Watched { path: folder.clone(), free_before: 1 << 30, bytes_max };
        assert!(watched(16 << 10).is_exceeded(Some(0)) && watched(16 << 10).is_exceeded(None));
        assert!(!watched(16 << 10).is_exceeded(Some(1 << 30)), "the file system has as much room as before");
        assert!(!watched(1 << 20).is_exceeded(Some(0)), "others have written");
    }

    #[test]
    fn watch_raises_the_interrupt_once_a_folder_holds_too_much() {
        let (_parent, folder) = folder(64 << 10);
        let watched = |bytes_max| [Watched { path: folder.clone(), free_before: u64::MAX, bytes_max }];
        let (running, ended) = mpsc::channel();
        let interrupt = Interrupt::new();
        let reason = watch(&watched(1), &ended, &interrupt).unwrap();
        assert!(reason.starts_with("it wrote more than 1 B into its scratch folder"), "{reason}");
        assert!(interrupt.is_raised());
        drop(running);
        let interrupt = Interrupt::new();
        assert_eq!(watch(&watched(1), &ended, &interrupt), None, "the worker has ended");
        assert!(!interrupt.is_raised());
    }
}
