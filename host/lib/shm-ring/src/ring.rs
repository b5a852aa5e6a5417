//! A ring as a whole: created or attached to, and the source of its two ends.

use crate::claim::Claim;
use crate::header::Form;
use crate::memory::Memory;
use crate::{Consumer, Producer, RingError, Role, record};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

/// A ring. Clones are the same ring; the memory is freed with the last clone and both ends.
#[derive(Clone, Debug)]
pub struct Ring {
    memory: Arc<Memory>,
    integrity: Integrity,
    waking: Waking,
}

/// How messages are protected between the two ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Integrity {
    /// No protection.
    #[default]
    None = 0,
    /// A CRC32C over each payload, computed by the producer and checked by the consumer.
    Crc32c = 1,
}

impl Integrity {
    /// The checksum in the record of `payload`.
    #[inline]
    pub(crate) fn digest(self, payload: &[u8]) -> u32 {
        match self {
            Self::None => 0,
            Self::Crc32c => checksum(payload),
        }
    }
}

/// Kept out of the callers, which mostly do without.
#[inline(never)]
fn checksum(payload: &[u8]) -> u32 {
    crc32c::crc32c(payload)
}

/// Whether an end wakes a sleeping peer after each message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waking {
    /// No: it costs nothing, and [`crate::Wait::Park`] sleeps for its whole timeout.
    #[default]
    Never = 0,
    /// Yes: each push and release costs a full fence, and a system call where the peer sleeps.
    Futex = 1,
}

impl Ring {
    /// The least capacity, where the page is not larger.
    pub const CAPACITY_MIN: usize = 4 << 10;
    /// The greatest capacity.
    pub const CAPACITY_MAX: usize = 64 << 20;

    /// Makes a ring of `capacity` bytes, a power of two from 4 KiB (or the page size, if that is larger) to 64 MiB,
    /// whose ends do not wake each other.
    pub fn create(capacity: usize, integrity: Integrity) -> Result<Self, RingError> {
        Self::create_with(capacity, integrity, Waking::Never)
    }

    /// As [`Ring::create`], with a choice of waking.
    pub fn create_with(capacity: usize, integrity: Integrity, waking: Waking) -> Result<Self, RingError> {
        let memory = Memory::create(capacity, Form::Records, integrity, waking)?;
        Ok(Self { memory: Arc::new(memory), integrity, waking })
    }

    /// Attaches to the ring behind `fd`, after checking its size, its seals and its header.
    pub fn attach(fd: OwnedFd) -> Result<Self, RingError> {
        let (memory, integrity, waking) = Memory::attach(fd, Form::Records)?;
        Ok(Self { memory: Arc::new(memory), integrity, waking })
    }

    /// The descriptor for another process to attach with. It is closed on exec; pass a duplicate.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    /// Bytes for records.
    pub fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    /// The length of the longest message: `capacity - 16`. It fits an empty ring only.
    pub fn message_max(&self) -> usize {
        message_max(&self.memory)
    }

    /// How messages are protected.
    pub fn integrity(&self) -> Integrity {
        self.integrity
    }

    /// Opens the writing end. If its last holder's process has ended, it continues after the last published message.
    pub fn producer(&self) -> Result<Producer, RingError> {
        Producer::new(Claim::acquire(&self.memory, Role::Producer)?, self.integrity, self.waking)
    }

    /// Opens the reading end. If its last holder's process has ended, it continues with the first message that was not released.
    pub fn consumer(&self) -> Result<Consumer, RingError> {
        Consumer::new(Claim::acquire(&self.memory, Role::Consumer)?, self.integrity, self.waking)
    }
}

/// A record and the end mark behind it must fit.
pub(crate) fn message_max(memory: &Memory) -> usize {
    memory.capacity() - 2 * record::WORD_BYTES
}
