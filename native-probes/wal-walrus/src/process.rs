//! What walrus keeps once a process, or takes from the process's environment: set as an instance needs it. It must not know
//! what the instance is for.

use crate::Promise;
use bench_model::ModuleError;
use io_uring::IoUring;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use walrus_rust::{FsyncSchedule, ReadConsistency, Walrus};

/// How often walrus syncs in the background unless it is told otherwise.
const INTERVAL_MS: u64 = 200;

/// Which of walrus's schedules this process has. The first instance decides for all whether files are opened with O_SYNC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schedule {
    Never,
    Interval,
    Each,
}

impl Schedule {
    fn of(promise: Promise) -> Self {
        match promise {
            // A batch ends with fsync under every schedule; with O_SYNC, each of its records would be synced before.
            Promise::ProcessCrash | Promise::EachBatch => Self::Never,
            Promise::Interval => Self::Interval,
            Promise::Each => Self::Each,
        }
    }

    fn as_walrus(self) -> FsyncSchedule {
        match self {
            Self::Never => FsyncSchedule::NoFsync,
            Self::Interval => FsyncSchedule::Milliseconds(INTERVAL_MS),
            Self::Each => FsyncSchedule::SyncEach,
        }
    }
}

/// An instance whose files are in `folder`. Its thread and its open files stay until the process ends.
pub(crate) fn instance(folder: &Path, promise: Promise) -> Result<Walrus, ModuleError> {
    static FIRST: Mutex<Option<Schedule>> = Mutex::new(None);
    // One instance at a time may find its folder in the environment.
    let mut first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    let schedule = Schedule::of(promise);
    if let Some(first) = first.filter(|first| *first != schedule) {
        let reason =
            format!("walrus has one sync schedule a process, and this one's is {first:?}; begin another process");
        return Err(ModuleError::Unavailable(reason));
    }
    if matches!(promise, Promise::Interval | Promise::EachBatch) {
        // The thread that syncs would end at once where there is none, and nobody would be told.
        require_io_uring()?;
    }
    *first = Some(schedule);
    for (name, value) in [("WALRUS_DATA_DIR", folder.as_os_str()), ("WALRUS_QUIET", "1".as_ref())] {
        // SAFETY: std locks the environment, and everything that reads it in a worker is written in Rust and does so through
        // std: the host, this library, and walrus with its threads.
        unsafe { std::env::set_var(name, value) };
    }
    // A read position that is written to the disk at every read would only slow down looking at the result.
    let position = ReadConsistency::AtLeastOnce { persist_every: u32::MAX };
    Walrus::with_consistency_and_schedule(position, schedule.as_walrus())
        .map_err(|error| ModuleError::Other(format!("walrus cannot open a log in {}: {error}", folder.display())))
}

fn require_io_uring() -> Result<(), ModuleError> {
    // As many entries as walrus's thread asks for.
    match IoUring::new(2048) {
        Ok(_) => Ok(()),
        Err(error) => Err(ModuleError::Unavailable(format!(
            "walrus syncs and appends batches by io_uring, which does not work here ({error}): \
             sysctl kernel.io_uring_disabled=0, or durability=process-crash"
        ))),
    }
}
