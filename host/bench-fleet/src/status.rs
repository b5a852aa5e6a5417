//! The state of a fleet run as a file in its folder, which other processes read, and the lock that tells whether the run goes on.

use crate::collect::FleetFolder;
use crate::protocol::Spec;
use crate::queue::Progress;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::PathBuf;

/// The state of a fleet run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetStatus {
    /// The name of the run.
    pub id: String,
    /// The process that coordinates it.
    pub process: u32,
    /// The time at which it began: RFC 3339, UTC.
    pub started: String,
    /// The time of this state: RFC 3339, UTC.
    pub written: String,
    /// The estimated time until everything is measured; absent until something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_ns: Option<u64>,
    /// How the run ended: where its results are, or why there are none. Absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// The exit status of the run, before that of its results; absent while it goes on, and if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// The run directories of its results, in the folder of all run directories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directories: Vec<PathBuf>,
    /// The classes of machines.
    pub classes: Vec<ClassStatus>,
    /// The agents.
    pub agents: Vec<AgentStatus>,
}

/// The state of a class of machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassStatus {
    /// What the machines are.
    pub machine: String,
    /// Its groups of cells.
    pub groups: Progress,
}

/// The state of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStatus {
    /// The name.
    pub name: String,
    /// The number of its class, from 1.
    pub class: u32,
    /// What it is doing: `preparing`, `measuring`, `silent`, `idle`, `leaving`, `left`, `lost`, `excluded`.
    pub state: String,
    /// How long it had been doing that when this was written.
    pub for_ns: u64,
    /// The numbers of the groups that it measures.
    pub groups: Vec<u32>,
    /// The scenarios and arguments of these groups.
    #[serde(default)]
    pub scenarios: Vec<String>,
    /// How many groups of it count.
    pub finished: u32,
}

/// The names of the files.
const STATUS: &str = "status.json";
pub(crate) const LOCK: &str = "lock";
pub(crate) const LAUNCH: &str = "launch.json";
const SPEC: &str = "spec.json";

/// A file that keeps room for the last state and the last messages of a run whose disk is full.
pub(crate) const RESERVE: &str = "reserve";
const RESERVE_BYTES: usize = 32 << 10;

/// Held by the process that coordinates a run, as long as it lives.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    folder: FleetFolder,
}

impl Drop for RunLock {
    fn drop(&mut self) {
        self.folder.make_room();
        // A child process that has not yet become its program has a copy of the file, which would keep the lock.
        let _ = self.file.unlock();
    }
}

impl FleetFolder {
    /// Creates the folder, and locks it for this process.
    pub fn begin(&self) -> io::Result<RunLock> {
        fs::create_dir_all(self.path())?;
        let mut file = File::options().create(true).write(true).truncate(false).open(self.path().join(LOCK))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::from(io::ErrorKind::ResourceBusy),
            TryLockError::Error(error) => error,
        })?;
        // It may have the number of an earlier process.
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        let lock = RunLock { file, folder: self.clone() };
        fs::write(self.path().join(RESERVE), [0_u8; RESERVE_BYTES])?;
        Ok(lock)
    }

    /// Gives up the room that is kept for the last state and messages, before they are written.
    pub fn make_room(&self) {
        let _ = fs::remove_file(self.path().join(RESERVE));
    }

    /// Whether the process that coordinates the run still lives.
    pub fn is_going_on(&self) -> io::Result<bool> {
        let file = match File::options().read(true).write(true).open(self.path().join(LOCK)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        match file.try_lock_shared() {
            Ok(()) => file.unlock().map(|()| false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The process that coordinates the run, if it still lives.
    pub fn process(&self) -> io::Result<Option<u32>> {
        if !self.is_going_on()? {
            return Ok(None);
        }
        Ok(fs::read_to_string(self.path().join(LOCK))?.parse().ok())
    }

    /// The file that says how the process that coordinates the run is started.
    pub fn launch(&self) -> PathBuf {
        self.path().join(LAUNCH)
    }

    /// Whether the run has begun.
    pub(crate) fn has_spec(&self) -> bool {
        self.path().join(SPEC).exists()
    }

    /// Keeps what the run measures, for a process that goes on with it.
    pub fn keep_spec(&self, spec: &Spec) -> io::Result<()> {
        fs::write(self.path().join(SPEC), serde_json::to_vec(spec)?)
    }

    /// What the run measures, if another process has begun it. What that collected is removed: the agents send it again.
    pub fn resume_spec(&self) -> io::Result<Option<Spec>> {
        let spec = match fs::read(self.path().join(SPEC)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            spec => serde_json::from_slice(&spec?)?,
        };
        for folder in [self.collected(), self.shards()] {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(Some(spec))
    }

    /// Writes the state, so that a reader sees the one before or this one.
    pub fn write(&self, status: &FleetStatus) -> io::Result<()> {
        let new = self.path().join("status.new");
        fs::write(&new, serde_json::to_vec(status)?)?;
        fs::rename(new, self.path().join(STATUS))
    }

    /// Reads the state that was written last.
    pub fn read(&self) -> io::Result<FleetStatus> {
        Ok(serde_json::from_slice(&fs::read(self.path().join(STATUS))?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up;

    #[test]
    fn run_that_has_begun_is_kept_for_another_process() {
        let out = tempfile::tempdir().unwrap();
        let folder = FleetFolder::new(out.path(), "r");
        drop(folder.begin().unwrap());
        assert_eq!(folder.resume_spec().unwrap(), None);
        let spec = made_up::spec();
        folder.keep_spec(&spec).unwrap();
        fs::create_dir_all(folder.collected()).unwrap();
        fs::create_dir_all(folder.agents()).unwrap();
        folder.discard();
        assert_eq!(folder.resume_spec().unwrap(), Some(spec));
        assert!(!folder.collected().exists() && folder.agents().exists(), "agents send again what they have");
        let other = FleetFolder::new(out.path(), "s");
        drop(other.begin().unwrap());
        fs::write(other.launch(), "").unwrap();
        other.discard();
        assert!(!other.path().exists());
    }

    #[test]
    fn state_is_read_as_written_and_the_lock_tells_whether_the_run_goes_on() {
        let out = tempfile::tempdir().unwrap();
        let folder = FleetFolder::new(out.path(), "r");
        assert!(!folder.is_going_on().unwrap());
        assert!(FleetFolder::all(out.path()).unwrap().is_empty());
        let lock = folder.begin().unwrap();
        assert!(folder.is_going_on().unwrap());
        assert_eq!(folder.process().unwrap(), Some(std::process::id()));
        assert_eq!(fs::metadata(folder.path().join(RESERVE)).unwrap().len(), RESERVE_BYTES as u64);
        let status = FleetStatus {
            id: folder.id(),
            process: 7,
            started: "1".to_owned(),
            written: "2".to_owned(),
            left_ns: None,
            ended: None,
            exit: None,
            directories: Vec::new(),
            classes: vec![ClassStatus { machine: "x".to_owned(), groups: Progress::default() }],
            agents: Vec::new(),
        };
        folder.write(&status).unwrap();
        assert_eq!(FleetFolder::all(out.path()).unwrap(), std::slice::from_ref(&folder));
        assert_eq!(folder.read().unwrap(), status);
        drop(lock);
        assert!(!folder.is_going_on().unwrap());
        assert_eq!(folder.process().unwrap(), None);
        assert!(!folder.path().join(RESERVE).exists(), "what is written last has room");
    }
}
