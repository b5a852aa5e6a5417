//! Start methods of the function. They neither time a start nor know the expected response.

mod restore;
mod script;
mod spawn;
mod zygote;

pub(crate) use restore::Restore;
pub(crate) use script::{Language, Script};
pub(crate) use spawn::{Exec, Spawn};
pub(crate) use zygote::Zygote;

use crate::listener::Listener;
use bench_model::ModuleError;
use rustix::fd::BorrowedFd;
use std::time::Instant;

/// A start method. The function that it starts listens on the session's socket and answers the request that waits
/// there. It is gone after [`Start::end`], and when this is dropped.
pub(crate) trait Start {
    /// Runs the baseline of a start once; returns its metric and nanoseconds.
    fn bare(&mut self, _listener: &Listener) -> Result<Option<(&'static str, u64)>, ModuleError> {
        Ok(None)
    }

    /// Prepares a start. Not timed.
    fn prepare(&mut self) -> Result<(), ModuleError>;

    /// Starts the function, and may return before it is ready. Timed.
    fn start(&mut self) -> Result<(), ModuleError>;

    /// A descriptor that becomes readable when the state of the start has changed, which may be a failure.
    fn watch(&self) -> Option<BorrowedFd<'_>>;

    /// Handles that change; an error if the function will not respond.
    fn handle_change(&mut self, asked: Instant) -> Result<(), ModuleError>;

    /// The state of the function, as the end of an error message.
    fn failure(&mut self) -> String {
        String::new()
    }

    /// Ends the function and waits until it has exited; returns the stages of its start by name, in nanoseconds.
    fn end(&mut self, asked: Instant) -> Result<Vec<(&'static str, u64)>, ModuleError>;
}

/// A system error that makes measuring impossible here.
fn system_error(what: &str) -> impl FnOnce(std::io::Error) -> ModuleError {
    move |error| ModuleError::Other(format!("{what}: {error}"))
}
