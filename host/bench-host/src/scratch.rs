//! Scratch folders: an empty one for each worker, below one root per run and parent folder. They are removed even if workers or hosts
//! are killed.

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The prefix of the name of every root.
const PREFIX: &str = "bench-host-scratch-";

/// The file in a root that its host keeps locked while it runs.
const LOCK: &str = "lock";

/// How many names are tried for a root.
const ATTEMPTS_MAX: u32 = 100;

/// The roots that this process has created. Copies share them; they are removed with the last copy and the last folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    roots: Arc<Mutex<Vec<Arc<Root>>>>,
}

/// An empty folder for one worker, which is removed with its contents on drop.
#[must_use = "the folder is removed when this is dropped"]
#[derive(Debug)]
pub(crate) struct ScratchFolder {
    path: PathBuf,
    beside: PathBuf,
    /// The root, which outlives the folder.
    _root: Arc<Root>,
}

#[derive(Debug)]
struct Root {
    parent: PathBuf,
    path: PathBuf,
    next: AtomicU64,
    /// Locked until it is dropped or this process has died.
    _lock: File,
}

impl Scratch {
    /// Creates an empty folder below `parent`, which must exist. The first call for a parent also removes what killed hosts have
    /// left there.
    pub(crate) fn folder(&self, parent: &Path) -> io::Result<ScratchFolder> {
        let root = self.root(&parent.canonicalize()?)?;
        let number = root.next.fetch_add(1, Ordering::Relaxed);
        let folder = ScratchFolder {
            path: root.path.join(number.to_string()),
            beside: root.path.join(format!("{number}-host")),
            _root: root,
        };
        fs::create_dir(&folder.path)?;
        fs::create_dir(&folder.beside)?;
        Ok(folder)
    }

    fn root(&self, parent: &Path) -> io::Result<Arc<Root>> {
        let mut roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(root) = roots.iter().find(|root| root.parent == parent) {
            return Ok(root.clone());
        }
        sweep(parent);
        let root = Arc::new(Root::make(parent)?);
        roots.push(root.clone());
        Ok(root)
    }
}

impl ScratchFolder {
    /// The absolute path, without symbolic links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A second folder, for what the host keeps for the worker. A component that is granted only [`Self::path`] cannot reach it.
    pub(crate) fn beside(&self) -> &Path {
        &self.beside
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        for path in [&self.path, &self.beside] {
            match fs::remove_dir_all(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    tracing::warn!(%error, folder = %path.display(), "cannot remove a scratch folder");
                }
                _ => {}
            }
        }
    }
}

impl Root {
    /// Creates a folder that only this user can access.
    fn make(parent: &Path) -> io::Result<Self> {
        for attempt in 0..ATTEMPTS_MAX {
            let path = parent.join(format!("{PREFIX}{}-{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            // Before the lock is taken, another host may remove the folder as abandoned; then the next name is tried.
            if let Some(lock) = lock_new(&path)? {
                return Ok(Self { parent: parent.to_owned(), path, next: AtomicU64::new(0), _lock: lock });
            }
        }
        let reason = format!("no free name for a folder `{PREFIX}…`; remove the unused ones");
        Err(io::Error::new(ErrorKind::AlreadyExists, reason))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if let Err(error) = remove_root(&self.path) {
            tracing::warn!(%error, folder = %self.path.display(), "cannot remove the folder of scratch folders");
        }
    }
}

/// Locks a root that was just created; `None` if another host was faster.
fn lock_new(root: &Path) -> io::Result<Option<File>> {
    let path = root.join(LOCK);
    let lock = match File::options().write(true).create_new(true).open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if !try_lock(&lock)? {
        return Ok(None);
    }
    // Another host has locked and removed it in the meantime.
    let same = |found: Metadata, ours: Metadata| (found.dev(), found.ino()) == (ours.dev(), ours.ino());
    match fs::metadata(&path) {
        Ok(found) => Ok(same(found, lock.metadata()?).then_some(lock)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the lock; `false` if another process has it.
fn try_lock(lock: &File) -> io::Result<bool> {
    match flock(lock, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Ok(false),
        locked => Ok(locked.map(|()| true)?),
    }
}

/// Removes the roots in `parent` whose hosts have died. Failures are ignored.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        if let Err(error) = remove_abandoned(&entry.path()) {
            tracing::debug!(%error, folder = %entry.path().display(), "cannot remove a scratch folder of another run");
        }
    }
}

fn remove_abandoned(root: &Path) -> io::Result<()> {
    // In a folder that all users can write to, the name is not a proof: only folders of this user count, and no links.
    let found = fs::symlink_metadata(root)?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    // A link in place of the lock must not be followed, and a pipe must not block.
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    match File::options().read(true).custom_flags(flags).open(root.join(LOCK)) {
        Ok(lock) if try_lock(&lock)? => remove_root(root),
        Ok(_) => Ok(()),
        // Its host died before the lock was created or after it was removed, so the folder is empty. Otherwise it is not removed.
        Err(error) if error.kind() == ErrorKind::NotFound => fs::remove_dir(root),
        Err(error) => Err(error),
    }
}

/// Removes a root. The lock is removed after all other contents, so that it exists as long as they do.
fn remove_root(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => fs::remove_dir_all(entry.path())?,
            _ if entry.file_name() == LOCK => {}
            _ => fs::remove_file(entry.path())?,
        }
    }
    fs::remove_file(root.join(LOCK))?;
    match fs::remove_dir(root) {
        // Another host has removed it, because it saw it without a lock.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn folder_is_empty_and_is_removed_with_its_contents() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::default();
        let (first, second) = (scratch.folder(parent.path()).unwrap(), scratch.folder(parent.path()).unwrap());
        assert_ne!(first.path(), second.path());
        for folder in [&first, &second] {
            assert!(
                names(folder.path()).is_empty() && folder.path().starts_with(parent.path().canonicalize().unwrap())
            );
            fs::create_dir(folder.path().join("a")).unwrap();
            fs::write(folder.path().join("a/b"), "c").unwrap();
            fs::write(folder.beside().join("a"), "b").unwrap();
        }
        let gone = [first.path().to_owned(), first.beside().to_owned()];
        drop(first);
        assert!(gone.iter().all(|gone| !gone.exists()));
        assert!(second.path().join("a/b").exists() && second.beside().join("a").exists());
        drop(scratch);
        assert_eq!(names(parent.path()).len(), 1, "the root exists as long as a folder does");
        drop(second);
        assert_eq!(names(parent.path()), [""; 0]);
    }

    #[test]
    fn only_roots_of_dead_hosts_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = parent.path().join(name);
            fs::create_dir_all(path.join("0/a")).unwrap();
            path
        };
        // One of a dead host, one of a host that died before it had a lock, and three that only look like one.
        fs::write(make("bench-host-scratch-1-0").join(LOCK), "").unwrap();
        fs::create_dir(parent.path().join("bench-host-scratch-2-0")).unwrap();
        make("bench-host-scratch-full-and-never-locked");
        make("another-folder");
        symlink(parent.path().join("another-folder"), parent.path().join("bench-host-scratch-link")).unwrap();
        let living = Scratch::default();
        let folder = living.folder(parent.path()).unwrap();
        fs::write(folder.path().join("a"), "b").unwrap();
        sweep(parent.path());
        assert_eq!(
            names(parent.path()),
            [
                "another-folder".to_owned(),
                format!("bench-host-scratch-{}-0", std::process::id()),
                "bench-host-scratch-full-and-never-locked".to_owned(),
                "bench-host-scratch-link".to_owned(),
            ]
        );
        assert!(folder.path().join("a").exists() && parent.path().join("another-folder/0/a").exists());
    }

    #[test]
    fn root_is_of_this_user_alone_and_a_name_that_is_taken_is_not_used() {
        let parent = tempfile::tempdir().unwrap();
        let elsewhere = parent.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let name = |attempt: u32| parent.path().join(format!("{PREFIX}{}-{attempt}", std::process::id()));
        // What another user may have put there, who can guess the names.
        symlink(&elsewhere, name(0)).unwrap();
        fs::write(name(1), "").unwrap();
        let folder = Scratch::default().folder(parent.path()).unwrap();
        let root = folder.path().parent().unwrap();
        assert_eq!(root, name(2).canonicalize().unwrap());
        assert_eq!(fs::metadata(root).unwrap().mode() & 0o777, 0o700);
        assert_eq!(names(&elsewhere), [""; 0]);
        drop(folder);
        assert!(elsewhere.is_dir() && name(0).is_symlink() && name(1).is_file() && !name(2).exists());
    }

    #[test]
    fn missing_parent_is_an_error() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("file"), "").unwrap();
        let check = |name: &str, kind: ErrorKind| {
            let error = Scratch::default().folder(&parent.path().join(name)).unwrap_err();
            assert_eq!(error.kind(), kind, "{name}: {error}");
        };
        check("absent", ErrorKind::NotFound);
        check("file", ErrorKind::NotADirectory);
    }
}
