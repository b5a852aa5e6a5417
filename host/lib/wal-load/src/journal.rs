//! The log under test, as sessions see it.

use bench_model::ModuleError;

/// A log that one thread writes to.
pub trait Journal {
    /// A batch in the form that the log takes, made of payloads before the clock starts.
    type Batch<'a>;

    /// Appends one payload, and returns when it is as durable as the journal was opened for.
    fn append(&mut self, payload: &[u8]) -> Result<(), ModuleError>;

    /// Converts payloads to the form that the log takes. Not timed.
    fn prepare<'a>(payloads: &[&'a [u8]]) -> Self::Batch<'a>;

    /// Appends the payloads of a batch in order, durable together where the log can do that.
    fn append_batch(&mut self, batch: &Self::Batch<'_>) -> Result<(), ModuleError>;

    /// Prepares the log for `payloads` payloads of `payload_bytes` bytes. Called between operations, not timed. A log whose files
    /// would grow without bound starts anew here.
    fn make_way(&mut self, payloads: u64, payload_bytes: usize) -> Result<(), ModuleError>;

    /// The number, from 0, of the first payload that the log must still have: 0 unless it was started anew.
    fn kept_from(&self) -> u64 {
        0
    }

    /// Reads the last `count` payloads, none before [`Journal::kept_from`], back from the log and passes them to `read`, oldest
    /// first.
    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError>;
}
