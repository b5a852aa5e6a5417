//! The host's shared-memory ring, for components. Each message is copied through the boundary.

use super::Host;
use bench_model::ModuleError;
use bindings::bench_host::ring::ring;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::cast_lossless,
    reason = "generated"
)]
#[path = "generated/ring.rs"]
pub(super) mod bindings;

pub use vocabulary::ring::PushError;

vocabulary::ring_conversions!(ring);

/// The writing end of a ring.
#[derive(Debug)]
pub struct Producer(ring::Producer);

/// The reading end of a ring.
#[derive(Debug)]
pub struct Consumer(ring::Consumer);

impl Host {
    /// The writing end of the ring `name`, created with `capacity` bytes where it is not there yet.
    pub fn ring_producer(self, name: &str, capacity: u32, crc32c: bool) -> Result<Producer, ModuleError> {
        Producer::open(name, capacity, crc32c)
    }

    /// The reading end of the ring `name`, which its producer has created.
    pub fn ring_consumer(self, name: &str) -> Result<Consumer, ModuleError> {
        Consumer::open(name)
    }
}

impl Producer {
    fn open(name: &str, capacity: u32, crc32c: bool) -> Result<Self, ModuleError> {
        let integrity = if crc32c { ring::Integrity::Crc32c } else { ring::Integrity::None };
        ring::Producer::open(name, capacity, integrity).map(Self).map_err(ModuleError::Other)
    }

    /// Publishes one message.
    pub fn push(&mut self, message: &[u8]) -> Result<(), PushError> {
        self.0.push(message).map_err(PushError::from)
    }

    /// Publishes messages in order until one does not fit; returns how many were published. This is one call through the
    /// boundary, without a copy before it: keep the messages and overwrite them with the next ones.
    pub fn push_batch(&mut self, messages: &[Vec<u8>]) -> usize {
        // The count is at most `messages.len()`, so it fits.
        self.0.push_batch(messages) as usize
    }
}

impl Consumer {
    fn open(name: &str) -> Result<Self, ModuleError> {
        ring::Consumer::open(name).map(Self).map_err(ModuleError::Other)
    }

    /// Passes the oldest message to `read`, if there is one, and frees its room.
    pub fn pop<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, ModuleError> {
        Ok(self.0.pop().map(|message| read(&message)))
    }

    /// Passes up to `max` of the oldest messages to `read`, in order, and frees their room; returns how many there were. This is
    /// one call through the boundary, whose messages are all in this component's memory at once.
    pub fn pop_batch(&mut self, max: usize, mut read: impl FnMut(&[u8])) -> Result<usize, ModuleError> {
        let messages = self.0.pop_batch(u32::try_from(max).unwrap_or(u32::MAX));
        messages.iter().for_each(|message| read(message));
        Ok(messages.len())
    }
}
