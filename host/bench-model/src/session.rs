//! The trait of an opened scenario, which authors of plug-ins implement and every arm provides.

use crate::{Check, ModuleError, Outcome};

/// A scenario that is opened with arguments.
pub trait Session {
    /// Executes exactly `times` operations, which may be 0. This call is timed.
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError>;

    /// Checks the result of the operations so far. Not timed.
    fn verify(&mut self) -> Result<Vec<Check>, ModuleError>;
}
