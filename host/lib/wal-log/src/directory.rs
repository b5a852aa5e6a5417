//! The directory of a log: the names of its files, the identity of the log, and the lock that keeps other processes out.

use crate::boundary::FileBoundary;
use crate::damage::{Damage, Finding};
use crate::header::{LogId, VERSION};
use crate::{Config, Durability, LogError};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const LOCK: &str = "lock";
const IDENTITY: &str = "identity";
const HEADS: &str = "heads";
/// A file that is there where a sync or a write failed, and no recovery has written the records again since.
const POISONED: &str = "poisoned";
/// The extension of unfinished files.
const UNFINISHED: &str = "new";
const SEGMENT: &str = "wal";
/// The extension of files that recovery skipped.
const DAMAGED: &str = "damaged";

const IDENTITY_MAGIC: u64 = u64::from_le_bytes(*b"wal-id\0\0");
const IDENTITY_BYTES: usize = 40;

/// An open directory. It stays locked while this or a clone of its lock lives.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    boundary: Arc<dyn FileBoundary>,
    /// Whether file names are made durable.
    syncs: bool,
    names: Arc<Names>,
    lock: Arc<Lock>,
}

/// The names of a log's files, and the small files among them. In a mode in which nothing is synced they are not durable when they are made;
/// in others, those are not that a process in such a mode has left.
#[derive(Debug)]
pub(crate) struct Names {
    path: PathBuf,
    handle: File,
    boundary: Arc<dyn FileBoundary>,
    /// The directories in which the log's own, or one above it, was created.
    parents: Vec<PathBuf>,
    /// Whether those that are made from now on are durable at once.
    syncs: bool,
    is_synced: AtomicBool,
}

impl Names {
    /// Makes them durable. An error has the path of what could not be synced.
    pub(crate) fn sync(&self) -> Result<(), (PathBuf, io::Error)> {
        if self.is_synced.load(Ordering::Acquire) {
            return Ok(());
        }
        for path in [IDENTITY, HEADS].map(|name| self.path.join(name)) {
            let synced = match File::open(&path) {
                Ok(file) => self.boundary.sync_data(&file),
                // There are no heads before a segment was recycled.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            };
            synced.map_err(|error| (path, error))?;
        }
        self.boundary.sync_directory(&self.handle).map_err(|error| (self.path.clone(), error))?;
        for parent in &self.parents {
            let synced = File::open(parent).and_then(|parent| self.boundary.sync_directory(&parent));
            synced.map_err(|error| (parent.clone(), error))?;
        }
        self.is_synced.store(self.syncs, Ordering::Release);
        Ok(())
    }
}

/// That the directory is this log's. Whatever lends bytes of its files holds it too.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough while a process that another thread just forked has a copy of the descriptor.
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

/// The path of the file that tells that the log was poisoned.
pub(crate) fn poisoned(directory: &Path) -> PathBuf {
    directory.join(POISONED)
}

impl Directory {
    /// Opens the directory, created where it is missing, and removes unfinished files of an earlier process.
    pub(crate) fn open(config: &Config) -> Result<Self, LogError> {
        let path = config.directory.clone();
        let parents = parents_of_missing(&path);
        fs::create_dir_all(&path).map_err(LogError::system("mkdir", &path))?;
        let handle = File::open(&path).map_err(LogError::system("open", &path))?;
        let lock = Arc::new(Lock(take_lock(&path)?));
        let (syncs, boundary) = (config.durability != Durability::None, Arc::clone(&config.boundary));
        let names = Names {
            path: path.clone(),
            handle,
            boundary: Arc::clone(&boundary),
            parents,
            syncs,
            is_synced: AtomicBool::new(false),
        };
        let directory = Self { path, boundary, syncs, names: Arc::new(names), lock };
        for path in directory.list(UNFINISHED)? {
            fs::remove_file(&path).map_err(LogError::system("unlink", &path))?;
        }
        Ok(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn lock(&self) -> &Arc<Lock> {
        &self.lock
    }

    pub(crate) fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// Numbers and paths of the segments, in order.
    pub(crate) fn segments(&self) -> Result<Vec<(u64, PathBuf)>, LogError> {
        let number = |path: &Path| {
            let stem = path.file_stem()?.to_str()?;
            (stem.len() == 16).then(|| u64::from_str_radix(stem, 16).ok())?
        };
        let paths = self.list(SEGMENT)?.into_iter();
        let mut segments: Vec<_> = paths.filter_map(|path| Some((number(&path)?, path))).collect();
        segments.sort_unstable();
        Ok(segments)
    }

    /// The path of a segment.
    pub(crate) fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:016x}.{SEGMENT}"))
    }

    /// The path of a segment before it gets its name.
    pub(crate) fn unfinished(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:016x}.{UNFINISHED}"))
    }

    pub(crate) fn heads(&self) -> PathBuf {
        self.path.join(HEADS)
    }

    /// Renames a file, and makes the file and its name durable.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), LogError> {
        fs::rename(from, to).map_err(LogError::system("rename", from))?;
        self.sync()
    }

    pub(crate) fn remove(&self, path: &Path) -> Result<(), LogError> {
        fs::remove_file(path).map_err(LogError::system("unlink", path))?;
        self.sync()
    }

    /// Renames a damaged file, so that no log finds it.
    pub(crate) fn set_aside(&self, path: &Path) -> Result<(), LogError> {
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".{DAMAGED}"));
        self.rename(path, Path::new(&aside))
    }

    /// Replaces a small file as a whole.
    pub(crate) fn replace(&self, path: &Path, content: &[u8]) -> Result<(), LogError> {
        let unfinished = path.with_extension(UNFINISHED);
        let mut file = File::create(&unfinished).map_err(LogError::system("open", &unfinished))?;
        file.write_all(content).map_err(LogError::system("write", &unfinished))?;
        if self.syncs {
            self.boundary.sync_data(&file).map_err(LogError::system("fdatasync", &unfinished))?;
        }
        self.rename(&unfinished, path)
    }

    fn sync(&self) -> Result<(), LogError> {
        if !self.syncs {
            return Ok(());
        }
        self.boundary.sync_directory(&self.names.handle).map_err(LogError::system("fsync", &self.path))
    }

    fn list(&self, extension: &str) -> Result<Vec<PathBuf>, LogError> {
        let entries = fs::read_dir(&self.path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(LogError::system("readdir", &self.path))?;
        let paths = entries.into_iter().map(|entry| entry.path());
        Ok(paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
    }

    /// The log's identity from its file, or a new one for a directory without segments.
    pub(crate) fn identify(&self) -> Result<Result<LogId, Finding>, LogError> {
        let path = self.path.join(IDENTITY);
        match fs::read(&path) {
            Ok(bytes) => {
                if let Some(log) = decode_identity(&bytes) {
                    return Ok(Ok(log));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.segments()?.is_empty() {
                    let log = LogId(u128::from(random()?) << 64 | u128::from(random()?));
                    return self.set_identity(log).map(|()| Ok(log));
                }
            }
            Err(error) => return Err(LogError::system("read", &path)(error)),
        }
        Ok(Err(Finding { file: path, offset: 0, damage: Damage::NoIdentity }))
    }

    pub(crate) fn set_identity(&self, log: LogId) -> Result<(), LogError> {
        self.replace(&self.path.join(IDENTITY), &encode_identity(log))
    }
}

/// The directories that get a new name when `path` is created with those above it.
fn parents_of_missing(path: &Path) -> Vec<PathBuf> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let parents = path.ancestors().take_while(is_missing).filter_map(Path::parent);
    // That of a name without a directory is the current one.
    parents.map(|parent| if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() }).collect()
}

/// Takes the lock of a directory for as long as the file is open, also against another log in the same process.
fn take_lock(directory: &Path) -> Result<File, LogError> {
    let path = directory.join(LOCK);
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = options.map_err(LogError::system("open", &path))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim();
            let holder = if holder.is_empty() { "unknown" } else { holder }.to_owned();
            return Err(LogError::InUse { directory: directory.to_owned(), holder });
        }
        Err(errno) => return Err(LogError::system("flock", path)(errno.into())),
    }
    // For the error of a second process; only the lock counts.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

fn encode_identity(log: LogId) -> [u8; IDENTITY_BYTES] {
    let mut bytes = [0; IDENTITY_BYTES];
    bytes[..8].copy_from_slice(&IDENTITY_MAGIC.to_le_bytes());
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..32].copy_from_slice(&log.0.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..32]);
    bytes[32..36].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode_identity(bytes: &[u8]) -> Option<LogId> {
    let log = LogId(u128::from_le_bytes(bytes.get(16..32)?.try_into().ok()?));
    (encode_identity(log) == bytes).then_some(log)
}

/// A random number for identities and epochs.
pub(crate) fn random() -> Result<u64, LogError> {
    const SOURCE: &str = "/dev/urandom";
    let mut bytes = [0; 8];
    let read = File::open(SOURCE).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(LogError::system("read", SOURCE))?;
    Ok(u64::from_ne_bytes(bytes))
}
