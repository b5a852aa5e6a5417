//! The state of a fleet run as a file in its folder, which other processes read, and the lock that tells whether the run goes on.

use crate::aside::remove;
use crate::collect::FleetFolder;
use crate::own::AgentCard;
use crate::protocol::Spec;
use crate::queue::Progress;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
const CARDS: &str = "agents.json";

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
        self.put(SPEC, spec, true)
    }

    /// Keeps which agents the run has, in the order of their numbers, for a process that goes on with it although some of them do not come again.
    pub fn keep_agents(&self, agents: &[AgentCard]) -> io::Result<()> {
        self.put(CARDS, agents, true)
    }

    /// The agents of the run; none if none have joined.
    pub fn agent_cards(&self) -> io::Result<Vec<AgentCard>> {
        Ok(self.find(CARDS)?.unwrap_or_default())
    }

    /// What the run measures, if another process has begun it. What that collected is removed: the agents send it again.
    pub fn resume_spec(&self) -> io::Result<Option<Spec>> {
        let Some(spec) = self.find(SPEC)? else { return Ok(None) };
        for folder in [self.collected(), self.shards()] {
            remove(&folder)?;
        }
        Ok(Some(spec))
    }

    /// Writes the state, so that a reader sees the one before or this one. The last one is durable, because it says that nothing else is needed.
    pub fn write(&self, status: &FleetStatus) -> io::Result<()> {
        self.put(STATUS, status, status.ended.is_some())
    }

    /// Reads the state that was written last.
    pub fn read(&self) -> io::Result<FleetStatus> {
        self.get(STATUS)
    }

    /// Whether the run has ended and its results are where its state says, so that it is not gone on with.
    pub fn has_ended(&self) -> bool {
        self.read().is_ok_and(|status| status.exit.is_some())
    }

    /// Whether there is anything that only the merge needs.
    pub fn has_parts(&self) -> bool {
        self.parts().iter().any(|folder| folder.exists())
    }

    /// Removes what only the merge needs, of a run that [has ended](Self::has_ended): shards, and what the agents of this machine kept. What the
    /// agents sent stays, with what does not count.
    pub fn remove_parts(&self) {
        // It is the only copy of what does not count, as soon as the agents' own is gone.
        if sync_all(&self.collected()).is_err() {
            return;
        }
        for folder in self.parts() {
            let _ = fs::remove_dir_all(folder);
        }
    }

    fn parts(&self) -> [PathBuf; 2] {
        [self.shards(), self.agents()]
    }

    /// Writes a file of this folder, so that a reader sees the one before or this one; one that `is_durable` also after a crash.
    fn put(&self, name: &str, content: &(impl Serialize + ?Sized), is_durable: bool) -> io::Result<()> {
        let new = self.path().join(name).with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(content)?)?;
        if is_durable {
            file.sync_all()?;
        }
        fs::rename(new, self.path().join(name))?;
        if is_durable { File::open(self.path())?.sync_all() } else { Ok(()) }
    }

    /// Reads such a file.
    fn get<T: DeserializeOwned>(&self, name: &str) -> io::Result<T> {
        Ok(serde_json::from_slice(&fs::read(self.path().join(name))?)?)
    }

    /// The same, if it is there.
    fn find<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        match self.get(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }
}

/// Syncs the files in the folders in `folder`, if there is one.
fn sync_all(folder: &Path) -> io::Result<()> {
    let folders = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        folders => folders?,
    };
    for folder in folders {
        for file in fs::read_dir(folder?.path())? {
            File::open(file?.path())?.sync_all()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up;
    use crate::protocol::HostCard;

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

    /// The state of a run that has ended in this way.
    fn status(folder: &FleetFolder, (ended, exit): (Option<&str>, Option<u8>)) -> FleetStatus {
        FleetStatus {
            id: folder.id(),
            process: 7,
            started: "1".to_owned(),
            written: "2".to_owned(),
            left_ns: None,
            ended: ended.map(str::to_owned),
            exit,
            directories: Vec::new(),
            classes: vec![ClassStatus { machine: "x".to_owned(), groups: Progress::default() }],
            agents: Vec::new(),
        }
    }

    #[test]
    fn what_the_merge_needs_stays_until_the_run_has_ended() {
        let out = tempfile::tempdir().unwrap();
        let folder = FleetFolder::new(out.path(), "r");
        drop(folder.begin().unwrap());
        assert!(!folder.has_ended() && !folder.has_parts());
        folder.remove_parts();
        for kept in [folder.collected(), folder.shards(), folder.agents()] {
            fs::create_dir_all(kept.join("a")).unwrap();
            fs::write(kept.join("a/run.jsonl"), "x").unwrap();
        }
        for going_on in [(None, None), (Some("the disk is full"), None)] {
            folder.write(&status(&folder, going_on)).unwrap();
            assert!(!folder.has_ended() && folder.has_parts(), "{going_on:?}");
        }
        folder.write(&status(&folder, (Some("r-merged"), Some(0)))).unwrap();
        assert!(folder.has_ended() && folder.has_parts());
        folder.remove_parts();
        assert!(!folder.has_parts());
        assert!(folder.collected().join("a/run.jsonl").exists(), "what the agents sent stays");
    }

    #[test]
    fn agents_are_kept_for_another_process() {
        let out = tempfile::tempdir().unwrap();
        let folder = FleetFolder::new(out.path(), "r");
        drop(folder.begin().unwrap());
        assert!(folder.agent_cards().unwrap().is_empty());
        let card = AgentCard { agent: "a".to_owned(), card: HostCard::of_version("1") };
        folder.keep_agents(std::slice::from_ref(&card)).unwrap();
        assert_eq!(folder.agent_cards().unwrap(), [card]);
        // A process that was killed while it wrote has left the file as it was before.
        fs::write(folder.path().join("agents.new"), "[").unwrap();
        assert_eq!(folder.agent_cards().unwrap().len(), 1);
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
        let status = status(&folder, (None, None));
        folder.write(&status).unwrap();
        assert_eq!(FleetFolder::all(out.path()).unwrap(), std::slice::from_ref(&folder));
        assert_eq!(folder.read().unwrap(), status);
        drop(lock);
        assert!(!folder.is_going_on().unwrap());
        assert_eq!(folder.process().unwrap(), None);
        assert!(!folder.path().join(RESERVE).exists(), "what is written last has room");
    }
}
