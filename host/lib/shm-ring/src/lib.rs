//! A single-producer single-consumer ring of variable-length messages in shared memory, usable between processes by passing
//! its file descriptor.
//!
//! # Layout
//! One page of shared header, then `capacity` bytes of records, mapped twice back to back so that a message is always
//! contiguous. A record is an 8-byte word and the payload, padded to 8 bytes. The word *is* the publication: the
//! consumer polls the word at its own position, so a message costs the cache lines it occupies and no index line.
//! Before a record is published, the word after it is zeroed, which ends the sequence; that is why a ring of
//! `capacity` bytes takes messages of up to `capacity - 16` bytes.
//!
//! [`Cells`] is the form for messages of up to 56 bytes that are awaited one by one: each has a cache line of its own with its
//! number in it, so that nothing but this line is moved from one core to the other.
//!
//! # Trust
//! Whatever the peer writes, the consumer stays within the mapping: a word that does not describe a record at its
//! position is an error. Payload bytes are lent in place, so a peer that changes a message after it published it breaks
//! the lender's contract; both ends are expected to run this code. Linux only: elsewhere a ring cannot be created.

#![expect(unsafe_code, reason = "a ring lies in memory shared between processes")]

#[cfg_attr(not(target_os = "linux"), path = "memory_unsupported.rs")]
mod memory;

mod cells;
mod claim;
mod consumer;
mod error;
mod header;
mod producer;
mod record;
mod ring;
mod rings;
mod sync;
mod wait;

pub use cells::{CellConsumer, CellProducer, Cells};
pub use consumer::Consumer;
pub use error::{Corrupt, PushError, RingError, Role};
pub use producer::Producer;
pub use ring::{Integrity, Ring, Waking};
pub use rings::{OpenError, RING_BYTES_MAX, RINGS_MAX, Rings};
pub use wait::Wait;
