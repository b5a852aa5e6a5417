//! A scenario that is prepared to be run: the shape that plug-in authors implement and that every arm presents.

use crate::{Check, ModuleError, Outcome};

/// A scenario with its arguments, prepared.
pub trait Session {
    /// Performs `times` operations, which may be 0, and nothing else. This is what is timed.
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError>;

    /// Looks at the result of the operations so far. Not timed.
    fn verify(&mut self) -> Result<Vec<Check>, ModuleError>;
}
