//! The queues: their names, and both sides of each.

use crate::queue::{self, Queue};
use crate::side::{Half, Side};
use bench_model::ModuleError;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// The ring in shared memory: records one behind the other.
    ShmRing,
    /// The ring in shared memory: a record for each burst of messages.
    ShmBatch,
    /// The ring in shared memory: a cache line for each message.
    ShmCell,
    /// `rtrb`: a single-producer single-consumer ring.
    Rtrb,
    /// `crossbeam-queue`: `ArrayQueue`, a bounded queue for many threads.
    CrossbeamQueue,
    /// `crossbeam-channel`: a bounded channel.
    CrossbeamChannel,
    /// `disruptor`: a single producer, and one consumer that polls.
    Disruptor,
    /// The standard library's bounded channel.
    StdChannel,
}

/// The side of the thread that measures, and that of the other thread.
pub(crate) type Sides = (Box<dyn Side>, Box<dyn Side + Send>);

impl QueueKind {
    /// All queues, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::ShmRing,
        Self::ShmBatch,
        Self::ShmCell,
        Self::Rtrb,
        Self::CrossbeamQueue,
        Self::CrossbeamChannel,
        Self::Disruptor,
        Self::StdChannel,
    ];

    /// The forms of the ring.
    pub const RINGS: [Self; 3] = [Self::ShmRing, Self::ShmBatch, Self::ShmCell];

    /// The queues of other crates.
    pub const PEERS: [Self; 5] =
        [Self::Rtrb, Self::CrossbeamQueue, Self::CrossbeamChannel, Self::Disruptor, Self::StdChannel];

    /// The name used in the descriptor.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ShmRing => "shm-ring",
            Self::ShmBatch => "shm-ring-batch",
            Self::ShmCell => "shm-ring-cell",
            Self::Rtrb => "rtrb",
            Self::CrossbeamQueue => "crossbeam-queue",
            Self::CrossbeamChannel => "crossbeam-channel",
            Self::Disruptor => "disruptor",
            Self::StdChannel => "std-channel",
        }
    }

    /// Opens a queue for each direction, for messages of `payload_bytes`. `ended` says that one of the threads has ended.
    pub(crate) fn open(self, payload_bytes: usize, ended: &Arc<AtomicBool>) -> Result<Sides, ModuleError> {
        match payload_bytes {
            8 => self.open_sized::<1>(ended),
            56 => self.open_sized::<7>(ended),
            other => {
                let reason = format!("`payload_bytes` is {other}; give 8 or 56");
                Err(ModuleError::InvalidArgument(reason))
            }
        }
    }

    fn open_sized<const W: usize>(self, ended: &Arc<AtomicBool>) -> Result<Sides, ModuleError> {
        match self {
            Self::ShmRing => sides::<queue::Records, W>(ended),
            Self::ShmBatch => sides::<queue::Batch, W>(ended),
            Self::ShmCell => sides::<queue::Cells, W>(ended),
            Self::Rtrb => sides::<queue::Rtrb, W>(ended),
            Self::CrossbeamQueue => sides::<queue::CrossbeamQueue, W>(ended),
            Self::CrossbeamChannel => sides::<queue::CrossbeamChannel, W>(ended),
            Self::Disruptor => sides::<queue::Disruptor, W>(ended),
            Self::StdChannel => sides::<queue::StdChannel, W>(ended),
        }
    }
}

fn sides<Q: Queue<W>, const W: usize>(ended: &Arc<AtomicBool>) -> Result<Sides, ModuleError> {
    let ((there, arriving), (back, answers)) = (Q::open()?, Q::open()?);
    let near = Half::<_, _, W>::new(there, answers, Arc::clone(ended));
    let far = Half::<_, _, W>::new(back, arriving, Arc::clone(ended));
    Ok((Box::new(near), Box::new(far)))
}
