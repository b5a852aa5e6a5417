//! The configuration a log is opened with.

use crate::boundary::{FileBoundary, OperatingSystem};
use crate::{LogError, PageState, header};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The configuration of a log. [`Config::new`] sets defaults for a durability; every field may be changed afterwards.
#[derive(Clone, Debug)]
pub struct Config {
    /// The log's directory, created where it is missing. It should contain nothing else.
    pub directory: PathBuf,
    /// What is guaranteed when an append returns.
    pub durability: Durability,
    /// Bytes of a new segment, a multiple of the page size from [`Config::SEGMENT_BYTES_MIN`] to
    /// [`Config::SEGMENT_BYTES_MAX`]. Existing segments keep their size.
    pub segment_bytes: u64,
    /// The state of a segment's pages before its first record.
    pub page_state: PageState,
    /// How many segments are kept.
    pub retention: Retention,
    /// How many segments are made ready ahead of the current one, from 1 to 64.
    pub segments_ahead: u32,
    /// Bytes between two entries of the index of a segment, from 64 on: 8 bytes of memory each. A random read walks over
    /// half as many on average.
    pub index_stride_bytes: u32,
    /// What recovery checks.
    pub recovery: RecoveryMode,
    /// What recovery does about damage.
    pub policy: Policy,
    /// How many threads recovery scans with, from 1 to 64; one segment is scanned by one thread.
    pub recovery_threads: u32,
    /// The system calls that can fail because of the disk. Tests replace them.
    pub boundary: Arc<dyn FileBoundary>,
}

/// When an append returns. In every mode, readers see an append at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As soon as the record is written, without a guarantee: neither files nor the directory are synced, not even when the log
    /// is closed, unless [`Log::sync`](crate::Log::sync) is called.
    None,
    /// As soon as the record is in the page cache, which survives the process but not the kernel. Files are synced when
    /// the log is closed.
    ProcessCrash,
    /// As [`Durability::ProcessCrash`], and a thread syncs new records after each interval.
    Interval(Duration),
    /// When the record is on the disk, by group commit: one appender syncs for all that wait, and each waits for at most one
    /// running sync and its own. In this mode and the next, records are written to the file instead of stored to the mapping.
    Group,
    /// When the record is on the disk, by a sync of its own.
    Each,
}

impl Durability {
    /// Whether an append returns only after a sync.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Self::Group | Self::Each)
    }

    /// Whether records are synced while the log is in use.
    pub(crate) fn syncs(self) -> bool {
        !matches!(self, Self::None | Self::ProcessCrash)
    }
}

impl From<vocabulary::log::Durability> for Durability {
    fn from(durability: vocabulary::log::Durability) -> Self {
        match durability {
            vocabulary::log::Durability::None => Self::None,
            vocabulary::log::Durability::ProcessCrash => Self::ProcessCrash,
            vocabulary::log::Durability::Group => Self::Group,
            vocabulary::log::Durability::Each => Self::Each,
        }
    }
}

/// Which segments are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// All segments.
    All,
    /// This many, including the current one. The oldest is recycled as soon as no reader holds it.
    Segments(u32),
}

/// What recovery checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecoveryMode {
    /// Every record's checksum and place in the sequence up to the last valid record.
    #[default]
    Fast,
    /// In addition: spare segments, the bytes after the last record of every segment, and whether the start times of segments
    /// ever go backwards.
    Thorough,
}

/// What recovery does about damage. A torn tail, as a crash leaves it, is cut under every policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Fails, changes nothing, and reports what was found and where.
    #[default]
    Fail,
    /// Keeps everything before the first damage and removes the rest.
    Truncate,
    /// Keeps every valid record. Damaged ranges are marked as lost, so that the next open finds no damage. Where the last segments
    /// are lost as a whole, their sequences are unknown and are used again.
    Skip,
}

impl Config {
    /// The smallest size of a segment.
    pub const SEGMENT_BYTES_MIN: u64 = 4 << 10;
    /// The largest size of a segment: a record's length has 32 bits.
    pub const SEGMENT_BYTES_MAX: u64 = (4 << 30) - (64 << 10);

    /// Segments of 64 MiB, all kept, one made ready ahead, in the page state that suits the durability; fast recovery
    /// that fails on damage.
    pub fn new(directory: impl Into<PathBuf>, durability: Durability) -> Self {
        let page_state = if durability.syncs() { PageState::Written } else { PageState::Resident };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            directory: directory.into(),
            durability,
            segment_bytes: 64 << 20,
            page_state,
            retention: Retention::All,
            segments_ahead: 1,
            index_stride_bytes: 1 << 10,
            recovery: RecoveryMode::default(),
            policy: Policy::default(),
            recovery_threads: processors.min(4) as u32,
            boundary: Arc::new(OperatingSystem),
        }
    }

    /// The longest payload that fits a segment of this configuration.
    pub fn payload_bytes_max(&self) -> u64 {
        self.segment_bytes - (header::HEADER_BYTES + crate::record::HEAD_BYTES) as u64
    }

    pub(crate) fn validate(&self) -> Result<(), LogError> {
        let page = rustix::param::page_size() as u64;
        let bytes = self.segment_bytes;
        let sizes = Self::SEGMENT_BYTES_MIN.max(page)..=Self::SEGMENT_BYTES_MAX;
        if !sizes.contains(&bytes) || !bytes.is_multiple_of(page) {
            let (least, most) = sizes.into_inner();
            let wanted = format!("a multiple of {page} from {least} to {most}");
            return Err(LogError::Config { field: "segment_bytes", value: bytes, wanted });
        }
        let ranges = [
            ("segments_ahead", self.segments_ahead, 1..=64),
            ("index_stride_bytes", self.index_stride_bytes, 64..=u32::MAX),
            ("recovery_threads", self.recovery_threads, 1..=64),
        ];
        for (field, value, range) in ranges {
            if !range.contains(&value) {
                let wanted = format!("from {} to {}", range.start(), range.end());
                return Err(LogError::Config { field, value: value.into(), wanted });
            }
        }
        match self.retention {
            Retention::Segments(0) => {
                let wanted = "1 or more, because the segment that is written counts".to_owned();
                Err(LogError::Config { field: "retention", value: 0, wanted })
            }
            _ => Ok(()),
        }
    }
}
