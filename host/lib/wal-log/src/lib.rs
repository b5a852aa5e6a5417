//! A write-ahead log in memory-mapped files: an append is a copy into the page cache and a release store, and survives the
//! death of the process at any moment.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use wal_log::{Config, Durability, Entry, Log, StreamId};
//!
//! let directory = tempfile::tempdir()?;
//! let mut config = Config::new(directory.path(), Durability::ProcessCrash);
//! config.segment_bytes = 1 << 20;
//! let log = Log::open(config)?;
//! let sequence = log.append(Entry { stream: StreamId(7), kind: 0, payload: b"first" })?;
//! assert_eq!(log.read(sequence)?.record().payload, b"first");
//!
//! let mut transaction = log.transaction();
//! transaction.append(Entry { stream: StreamId(7), kind: 0, payload: b"both" });
//! transaction.append(Entry { stream: StreamId(8), kind: 0, payload: b"or none" });
//! transaction.commit()?;
//!
//! let snapshot = log.snapshot();
//! let payloads: Vec<_> = snapshot.iter(0)?.map(|record| record.map(|record| record.payload)).collect::<Result<_, _>>()?;
//! assert_eq!(payloads, [&b"first"[..], b"both", b"or none"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Files
//! A directory holds `lock` (held with flock while the log is open, with the process id of the holder for messages),
//! `identity` (which log it is), `heads` (streams whose records are recycled), and segments `0000000000000001.wal` and up.
//! `*.new` are unfinished files, which the next open removes; `*.damaged` were set aside by recovery.
//!
//! A segment has a fixed size. All numbers are little-endian:
//!
//! ```text
//!    0  magic "wal-log\0"      8   ┐
//!    8  format version         4   │
//!   12  was recycled           4   │ identity, written before the file gets its name
//!   16  log id                16   │
//!   32  segment number         8   │
//!   40  segment bytes          8   │
//!   48  epoch                  8   │
//!   56  zero                   4   │
//!   60  CRC32C of 0..60        4   ┘
//!   64  first sequence         8   ┐
//!   72  when, ns since 1970    8   │ activation, written when the segment begins to be written to;
//!   80  follows a gap          8   │ the last word last. All zero in a spare segment.
//!   88  1                      4   │
//!   92  CRC32C of epoch, 64..88 4  ┘
//!  128  record, record, …
//!
//!    0  length                 4   head and payload without padding, so never 0
//!    4  CRC32C                 4   over epoch, sequence, length, kind, flags, stream, payload, padding
//!    8  sequence               8
//!   16  kind                   2   the application's
//!   18  flags                  2   0 entry, 1 of a transaction, 3 its first, 4 commit, 8 gap
//!   20  stream                 4
//!   24  payload, zeros to a multiple of 8
//! ```
//!
//! The epoch is drawn at random for each use of a file. It goes through the CRC first, so nothing that was written in an
//! earlier use is a record of this one, and the tail of a recycled segment need not be zeroed. The first word of a record,
//! length and CRC, is stored last and with release: a killed process leaves whole records, or an invalid range. A
//! commit record and a gap record have the sequence of the entry that comes next; a commit's payload is the number of its
//! entries, a gap's stream is the number of lost sequences.
//!
//! # Durability
//! Appends store to a shared mapping, or, in the modes in which each waits for a sync, write to the file; Linux keeps one
//! page cache for both. Data in the page cache survives the death of the process. fdatasync makes it survive a crash of the kernel,
//! because it also writes back pages that were dirtied through mappings. Blocks are reserved when a segment is made: a full disk
//! fails the making of the next segment, never a store.
//!
//! # Recovery
//! An invalid record ends the log where nothing valid follows it, and is damage where something does. This is exact after the
//! death of a process. After a crash of the kernel, pages of one unfinished sync may have reached the disk in any order, so recovery
//! may see damage in records that were never acknowledged as durable: policy `truncate` then loses nothing that was guaranteed. A
//! segment whose records end early is damaged where the next one does not begin with the next sequence. Records that vanish from
//! the end without a trace, zeroed or truncated with their file, cannot be told from the end of the log.
//!
//! # Limits
//! A transaction must fit one segment, so that recovery and readers need not look beyond its end. Each segment is mapped as long as it
//! is in the log. The mapping is trusted: another program that writes to the files while the log is open can change borrowed
//! records, and one that truncates them can kill the process, as can a sector that became unreadable after recovery. Linux only.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "segments are mapped files")]

mod boundary;
mod checksum;
mod committer;
mod config;
mod damage;
mod directory;
mod error;
mod header;
mod heads;
mod helper;
mod index;
mod log;
mod mapping;
mod message;
mod preparer;
mod provision;
mod record;
mod records;
mod recovery;
mod repair;
mod scan;
mod segment;
mod shared;
mod snapshot;
mod streams;
mod subscription;
mod survey;
mod tail;
mod ticker;
mod transaction;
mod turn;
mod watch;

pub use boundary::{FileBoundary, OperatingSystem};
pub use config::{Config, Durability, Policy, RecoveryMode, Retention};
pub use damage::{BadRecord, Damage, Finding};
pub use error::{LogError, ReadError};
pub use header::LogId;
pub use log::{Log, Usage};
pub use message::{Message, MessageError};
pub use record::{Entry, Record, StreamId};
pub use records::Records;
pub use recovery::Recovery;
pub use snapshot::{HeldEntry, Snapshot};
pub use subscription::Subscription;
pub use transaction::Transaction;
pub use vocabulary::log::PageState;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, WaitTimeoutResult};
use std::time::Duration;

/// Locks, also what a panicking thread left locked: everything under a lock here is whole between two statements.
#[inline]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

fn wait_timeout<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
    timeout: Duration,
) -> (MutexGuard<'a, T>, WaitTimeoutResult) {
    condition.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner)
}
