//! Sets the state that walrus keeps once per process, or reads from environment variables, for an instance.

use crate::Durability;
use bench_model::ModuleError;
use io_uring::IoUring;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use walrus_rust::{FsyncSchedule, ReadConsistency, Walrus};

/// The default interval of background syncs in walrus.
const INTERVAL_MS: u64 = 200;

/// The sync schedule of this process. The first instance decides for all whether files are opened with O_SYNC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schedule {
    Never,
    Interval,
    Each,
}

impl Schedule {
    fn of(durability: Durability) -> Self {
        match durability {
            // A batch ends with fsync under every schedule; with O_SYNC each record would be synced in addition.
            Durability::ProcessCrash | Durability::EachBatch => Self::Never,
            Durability::Interval => Self::Interval,
            Durability::Each => Self::Each,
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

/// Opens an instance whose files are in `folder`. Its thread and open files stay until the process exits.
pub(crate) fn instance(folder: &Path, durability: Durability) -> Result<Walrus, ModuleError> {
    static FIRST: Mutex<Option<Schedule>> = Mutex::new(None);
    // One instance at a time may read its folder from the environment.
    let mut first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    let schedule = Schedule::of(durability);
    if let Some(first) = first.filter(|first| *first != schedule) {
        let reason =
            format!("walrus has one sync schedule per process, which is {first:?} here; start another process");
        return Err(ModuleError::Unavailable(reason));
    }
    if matches!(durability, Durability::Interval | Durability::EachBatch) {
        // Without a schedule the syncing thread would exit at once, without an error.
        require_io_uring()?;
    }
    *first = Some(schedule);
    for (name, value) in [("WALRUS_DATA_DIR", folder.as_os_str()), ("WALRUS_QUIET", "1".as_ref())] {
        // SAFETY: std locks the environment, and all code that reads it in a worker does so through std: the host, this
        // library, and walrus.
        unsafe { std::env::set_var(name, value) };
    }
    // Writing the read position to disk at every read would only slow down the verification.
    let position = ReadConsistency::AtLeastOnce { persist_every: u32::MAX };
    Walrus::with_consistency_and_schedule(position, schedule.as_walrus())
        .map_err(|error| ModuleError::Other(format!("walrus cannot open a log in {}: {error}", folder.display())))
}

fn require_io_uring() -> Result<(), ModuleError> {
    // As many entries as walrus's thread submits.
    match IoUring::new(2048) {
        Ok(_) => Ok(()),
        Err(error) => Err(ModuleError::Unavailable(format!(
            "walrus needs io_uring for syncs and batches, which does not work here ({error}): \
             sysctl kernel.io_uring_disabled=0, or durability=process-crash"
        ))),
    }
}
