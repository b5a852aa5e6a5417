//! The log under test, as sessions see it.

use bench_model::ModuleError;
use std::ops::Range;

/// A log that one thread writes to. The first payload has sequence number 0, and each further one the next number.
pub trait Journal {
    /// The form in which the log takes a batch, made from payloads before the clock starts.
    type Batch<'a>;

    /// Appends one payload and returns its sequence number, once it is as durable as the journal was opened for.
    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError>;

    /// Converts payloads to the form that the log takes. Not timed by self-timed sessions.
    fn prepare(payloads: &[Vec<u8>]) -> Self::Batch<'_>;

    /// Appends the payloads of a batch in order, durable together where the log supports that, and returns their sequence
    /// numbers.
    fn append_batch(&mut self, batch: &Self::Batch<'_>) -> Result<Range<u64>, ModuleError>;

    /// Maintenance between operations, called before `payloads` further payloads of `payload_bytes` bytes and not timed by
    /// self-timed sessions. A log whose files would grow without bound starts over here.
    fn make_way(&mut self, payloads: u64, payload_bytes: usize) -> Result<(), ModuleError> {
        let _ = (payloads, payload_bytes);
        Ok(())
    }

    /// The sequence numbers that can be read back. A log that can discard its caches does so first, so that the payloads come
    /// from where they were stored. Not timed.
    fn readable(&mut self) -> Result<Range<u64>, ModuleError>;

    /// Reads the last `count` payloads back from the log and passes them to `read`, oldest first. `count` is at most the
    /// length of [`Journal::readable`].
    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError>;
}

/// A log that can read any payload by its sequence number.
pub trait RandomRead: Journal {
    /// Reads the payload with this sequence number and passes it to `read`.
    fn read(&mut self, sequence: u64, read: impl FnOnce(&[u8])) -> Result<(), ModuleError>;
}
