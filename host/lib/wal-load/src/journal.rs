//! The log under test, as sessions see it. It must not know how any log works.

use bench_model::ModuleError;

/// A log that one thread writes to.
pub trait Journal {
    /// What the log's own batch call takes, made out of payloads before the clock starts.
    type Batch<'a>;

    /// Appends one payload, and returns when it is as durable as the journal was opened for.
    fn append(&mut self, payload: &[u8]) -> Result<(), ModuleError>;

    /// Brings payloads into the form that the log takes. Not timed.
    fn prepare<'a>(payloads: &[&'a [u8]]) -> Self::Batch<'a>;

    /// Appends the payloads of a batch in order, durable together where the log can do that.
    fn append_batch(&mut self, batch: &Self::Batch<'_>) -> Result<(), ModuleError>;

    /// Does what a log must be given the time for: called between operations and not timed, before so many payloads of so
    /// many bytes. A log whose files would grow without end is begun anew here.
    fn make_way(&mut self, payloads: u64, payload_bytes: usize) -> Result<(), ModuleError>;

    /// The number of the first payload, counted from 0, that the log must still have: 0 unless it was begun anew.
    fn kept_from(&self) -> u64 {
        0
    }

    /// Hands the last `count` payloads, which are not before [`Journal::kept_from`], to `read`, oldest first. They are read
    /// back from the log, not from what was passed to it.
    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError>;
}
