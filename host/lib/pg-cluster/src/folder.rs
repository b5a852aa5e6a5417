//! The folder of a cluster: private to its owner, and removed with the process that made it. The next process removes what
//! dead ones left, with servers that still run.

use crate::account::Account;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The prefix of the name of every such folder.
const PREFIX: &str = "bench-host-postgres-";

/// The file that the owner keeps locked for as long as it lives.
const LOCK: &str = "lock";

/// How long an immediate shutdown of a server may take.
const STOP_SECONDS: i64 = 10;

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked until it is dropped or this process dies.
    _lock: File,
}

impl Folder {
    /// Creates a folder below `parent` for `account`, after removing those of dead processes.
    pub(crate) fn make(parent: &Path, account: Account) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        sweep(parent, account);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        let lock = File::options().write(true).create_new(true).mode(0o600).open(path.join(LOCK))?;
        if !try_lock(&lock)? {
            return Err(io::Error::new(ErrorKind::ResourceBusy, "another bench-host took it for an abandoned folder"));
        }
        account.own(&path)?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The cluster's data.
    pub(crate) fn data(&self) -> PathBuf {
        data(&self.path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, folder = %self.path.display(), "the folder of a PostgreSQL server is not removed");
            }
            _ => {}
        }
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Tries to lock it; returns whether no other process held the lock.
fn try_lock(lock: &File) -> io::Result<bool> {
    match flock(lock, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Ok(false),
        locked => Ok(locked.map(|()| true)?),
    }
}

/// Removes the folders in `parent` whose owners have died, and stops their servers. Folders that cannot be removed are ignored.
fn sweep(parent: &Path, account: Account) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        if let Err(error) = remove_abandoned(&entry.path(), account) {
            tracing::debug!(%error, folder = %entry.path().display(), "a server's folder of another run is not removed");
        }
    }
}

fn remove_abandoned(folder: &Path, account: Account) -> io::Result<()> {
    // `parent` may be writable by everybody, so a name proves nothing: only our own folders count, and no links.
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || !(account.may_own(found.uid()) || found.uid() == rustix::process::geteuid().as_raw()) {
        return Ok(());
    }
    // A link or a pipe in place of the lock must not redirect or block us.
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    let lock = match File::options().read(true).custom_flags(flags).open(folder.join(LOCK)) {
        // Its owner died before it made the lock, so the folder is empty; `remove_dir` fails if it is not.
        Err(error) if error.kind() == ErrorKind::NotFound => return fs::remove_dir(folder),
        lock => lock?,
    };
    if try_lock(&lock)? {
        stop_server(folder)?;
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// The process of the server in `folder`, where one runs.
pub(crate) fn server_process(folder: &Path) -> io::Result<Option<u32>> {
    let file = match fs::read_to_string(data(folder).join("postmaster.pid")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let Some(process) = file.lines().next().and_then(|line| line.trim().parse::<u32>().ok()) else { return Ok(None) };
    // The id may belong to another process by now. The working directory of a server is its data folder.
    let works_in = fs::read_link(format!("/proc/{process}/cwd")).ok();
    Ok((works_in == data(folder).canonicalize().ok()).then_some(process))
}

/// Stops the server in `folder` immediately, and waits for its end.
pub(crate) fn stop_server(folder: &Path) -> io::Result<()> {
    let Some(process) = server_process(folder)? else { return Ok(()) };
    let Some(process) = Pid::from_raw(process.cast_signed()) else { return Ok(()) };
    let handle = pidfd_open(process, PidfdFlags::empty())?;
    kill_process(process, Signal::QUIT)?;
    let mut ends = [PollFd::new(&handle, PollFlags::IN)];
    if poll(&mut ends, Some(&Timespec { tv_sec: STOP_SECONDS, tv_nsec: 0 }))? == 0 {
        kill_process(process, Signal::KILL)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account::for_server().unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_folders_of_dead_processes_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = parent.path().join(name);
            fs::create_dir_all(path.join("data/base")).unwrap();
            path
        };
        fs::write(make("bench-host-postgres-1-0").join(LOCK), "").unwrap();
        fs::create_dir(parent.path().join("bench-host-postgres-2-0")).unwrap();
        make("bench-host-postgres-full-and-never-locked");
        make("another");
        std::os::unix::fs::symlink(parent.path().join("another"), parent.path().join("bench-host-postgres-link"))
            .unwrap();
        let living = Folder::make(parent.path(), account()).unwrap();
        let other = Folder::make(parent.path(), account()).unwrap();
        let of = |folder: &Folder| folder.path().file_name().unwrap().to_string_lossy().into_owned();
        let (first, second) = (of(&living), of(&other));
        let full = "bench-host-postgres-full-and-never-locked".to_owned();
        let mut expect = vec!["another".to_owned(), first, second, full, "bench-host-postgres-link".to_owned()];
        expect.sort();
        assert_eq!(names(parent.path()), expect);
        drop((living, other));
        assert_eq!(names(parent.path()).len(), 3);
    }

    #[test]
    fn reused_process_id_is_not_taken_for_a_server() {
        let parent = tempfile::tempdir().unwrap();
        fs::create_dir(parent.path().join("data")).unwrap();
        let check = |content: &str| {
            fs::write(parent.path().join("data/postmaster.pid"), content).unwrap();
            assert_eq!(server_process(parent.path()).unwrap(), None, "{content}");
        };
        check(&std::process::id().to_string());
        check("");
        check("no number\n");
        check("999999999\n");
    }
}
