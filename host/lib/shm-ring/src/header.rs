//! The page in front of the data, which both ends share.

use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::{Integrity, RingError, Waking, record};

/// How messages lie in the data, which is the first word of a ring's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Records of any length, one behind the other: a [`crate::Ring`].
    Records,
    /// A cache line for each message: a [`crate::Cells`].
    Cells,
}

impl Form {
    const fn magic(self) -> u64 {
        u64::from_le_bytes(match self {
            Self::Records => *b"bh-ring\0",
            Self::Cells => *b"bh-cell\0",
        })
    }
}

const VERSION: u32 = 1;

/// No ring lives for so many bytes, and no sum of a position and a capacity overflows below it.
const POSITION_END: u64 = 1 << 62;

/// Two cache lines, because processors fetch lines in adjacent pairs.
#[repr(C, align(128))]
#[derive(Debug, Default)]
pub(crate) struct Line<T>(pub(crate) T);

/// Lives at the start of the shared memory. The identity is written once, before any peer can see it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Header {
    identity: Line<Identity>,
    /// Written by the producer after each publication. It is not read while a producer lives, so its line stays in the
    /// producer's cache; the next producer starts from it.
    pub(crate) tail: Line<AtomicU64>,
    /// Written by the consumer after each release, read by a producer that believes the ring is full.
    pub(crate) head: Line<AtomicU64>,
    pub(crate) producer: Line<Seat>,
    pub(crate) consumer: Line<Seat>,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    magic: u64,
    version: u32,
    integrity: u32,
    capacity: u64,
    waking: u32,
    reserved: u32,
}

/// What one end tells the other about itself.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct Seat {
    /// The process that holds this end, or 0.
    pub(crate) owner: AtomicU32,
    /// A futex word: 1 while this end sleeps or is about to.
    pub(crate) asleep: AtomicU32,
}

impl Header {
    pub(crate) fn new(capacity: usize, form: Form, integrity: Integrity, waking: Waking) -> Self {
        let identity = Identity {
            magic: form.magic(),
            version: VERSION,
            integrity: integrity as u32,
            capacity: capacity as u64,
            waking: waking as u32,
            reserved: 0,
        };
        Self {
            identity: Line(identity),
            tail: Line::default(),
            head: Line::default(),
            producer: Line::default(),
            consumer: Line::default(),
        }
    }

    /// Checks the identity against the memory it was found in. `capacity` is what the memory has room for.
    pub(crate) fn validate(&self, capacity: usize, form: Form) -> Result<(Integrity, Waking), RingError> {
        let (identity, magic) = (&self.identity.0, form.magic());
        if identity.magic != magic {
            return Err(RingError::NotARing(format!("it starts with {:#018x}, not {magic:#018x}", identity.magic)));
        }
        if identity.version != VERSION {
            return Err(RingError::Version { found: identity.version, known: VERSION });
        }
        if identity.capacity != capacity as u64 {
            let claimed = identity.capacity;
            return Err(RingError::Damaged(format!("it claims {claimed} bytes, the memory has room for {capacity}")));
        }
        let integrity = match identity.integrity {
            0 => Integrity::None,
            1 => Integrity::Crc32c,
            other => return Err(RingError::Damaged(format!("integrity {other} is not known"))),
        };
        let waking = match identity.waking {
            0 => Waking::Never,
            1 => Waking::Futex,
            other => return Err(RingError::Damaged(format!("waking {other} is not known"))),
        };
        Ok((integrity, waking))
    }

    /// Head and tail for an end that is about to start from them. The consumer may be ahead of the tail by one record,
    /// the one whose producer died between publication and the store of the tail.
    pub(crate) fn positions(&self, capacity: usize) -> Result<(u64, u64), RingError> {
        let head = self.head.0.load(Ordering::Acquire);
        let tail = self.tail.0.load(Ordering::Acquire);
        let sane = |position: u64| position < POSITION_END && position.is_multiple_of(record::WORD_BYTES as u64);
        if sane(head) && sane(tail) && head.abs_diff(tail) <= capacity as u64 {
            return Ok((head, tail));
        }
        Err(RingError::Damaged(format!("its head is {head} and its tail {tail}")))
    }
}

const _: () = assert!(size_of::<Header>() <= 4096 && std::mem::offset_of!(Header, tail) == 128);
