//! The host's shared-memory ring as a probe sees it: the extension `bench-host:ring/0.1` behind two safe types.

use crate::author::not_offered;
use crate::{Host, raw};
use bench_model::ModuleError;
use std::ptr::NonNull;
use vocabulary::ring::Integrity;

pub use vocabulary::ring::PushError;

/// The writing end of a ring.
#[derive(Debug)]
pub struct Producer {
    table: &'static raw::Ring,
    raw: NonNull<raw::RingProducer>,
}

/// The reading end of a ring.
#[derive(Debug)]
pub struct Consumer {
    table: &'static raw::Ring,
    raw: NonNull<raw::RingConsumer>,
}

impl Host {
    /// The writing end of the ring `name`, created with `capacity` bytes where it is not there yet.
    pub fn ring_producer(self, name: &str, capacity: u32, crc32c: bool) -> Result<Producer, ModuleError> {
        Producer::open(self.ring()?, name, capacity, crc32c)
    }

    /// The reading end of the ring `name`, which its producer has created.
    pub fn ring_consumer(self, name: &str) -> Result<Consumer, ModuleError> {
        Consumer::open(self.ring()?, name)
    }

    fn ring(self) -> Result<&'static raw::Ring, ModuleError> {
        let table: *const raw::Ring = self.extension(raw::EXTENSION_RING).cast();
        // SAFETY: an extension is valid until the process ends.
        let table = unsafe { table.as_ref() }.filter(|table| table.size >= size_of::<raw::Ring>());
        table.ok_or_else(|| not_offered(raw::EXTENSION_RING))
    }
}

impl Producer {
    fn open(table: &'static raw::Ring, name: &str, capacity: u32, crc32c: bool) -> Result<Self, ModuleError> {
        let mut out = std::ptr::null_mut();
        let integrity = if crc32c { Integrity::Crc32c } else { Integrity::None }.code();
        // SAFETY: the table is the host's; name and `out` outlive the call.
        let status = unsafe { (table.producer_open)(table.ctx, raw::Str::new(name), capacity, integrity, &mut out) };
        opened(status, name, out).map(|raw| Self { table, raw })
    }

    /// Publishes one message.
    #[inline]
    pub fn push(&mut self, message: &[u8]) -> Result<(), PushError> {
        // SAFETY: the producer is open, and the message outlives the call.
        match unsafe { (self.table.push)(self.raw.as_ptr(), message.as_ptr(), message.len()) } {
            raw::RING_OK => Ok(()),
            status => Err(PushError::from_code(status).unwrap_or(PushError::TooLarge)),
        }
    }

    /// Publishes messages in order until one does not fit, now or ever; returns how many were taken.
    #[inline]
    pub fn push_batch(&mut self, messages: &[Vec<u8>]) -> usize {
        messages.iter().take_while(|message| self.push(message).is_ok()).count()
    }
}

impl Consumer {
    fn open(table: &'static raw::Ring, name: &str) -> Result<Self, ModuleError> {
        let mut out = std::ptr::null_mut();
        // SAFETY: the table is the host's; name and `out` outlive the call.
        let status = unsafe { (table.consumer_open)(table.ctx, raw::Str::new(name), &mut out) };
        opened(status, name, out).map(|raw| Self { table, raw })
    }

    /// Hands the oldest message to `read`, if there is one, and frees its room.
    #[inline]
    pub fn pop<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, ModuleError> {
        let (mut message, mut message_len) = (std::ptr::null(), 0);
        // SAFETY: the consumer is open, and there is room for both results.
        match unsafe { (self.table.peek)(self.raw.as_ptr(), &mut message, &mut message_len) } {
            raw::RING_EMPTY => Ok(None),
            raw::RING_OK => {
                let release = Release(self);
                // SAFETY: the host lends the message until it is released, which happens after `read`.
                let result = read(unsafe { raw::slice(message, message_len) });
                drop(release);
                Ok(Some(result))
            }
            _ => Err(ModuleError::Other("the ring's message does not match its checksum".to_owned())),
        }
    }

    /// Hands up to `max` of the oldest messages to `read`, in order, and frees their room; returns how many there were.
    #[inline]
    pub fn pop_batch(&mut self, max: usize, mut read: impl FnMut(&[u8])) -> Result<usize, ModuleError> {
        for popped in 0..max {
            if self.pop(&mut read)?.is_none() {
                return Ok(popped);
            }
        }
        Ok(max)
    }
}

/// Frees the room of the borrowed message, also where reading it panics.
struct Release<'a>(&'a mut Consumer);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        // SAFETY: the consumer is open and has lent a message.
        unsafe { (self.0.table.release)(self.0.raw.as_ptr()) }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // SAFETY: the producer is open and is not used again.
        unsafe { (self.table.producer_close)(self.raw.as_ptr()) }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // SAFETY: the consumer is open and is not used again.
        unsafe { (self.table.consumer_close)(self.raw.as_ptr()) }
    }
}

fn opened<T>(status: raw::Status, name: &str, out: *mut T) -> Result<NonNull<T>, ModuleError> {
    match raw::error_of(status, format!("the host refused the ring `{name}`")) {
        Some(error) => Err(error),
        None => NonNull::new(out).ok_or_else(|| ModuleError::Other(format!("the host opened no ring `{name}`"))),
    }
}
