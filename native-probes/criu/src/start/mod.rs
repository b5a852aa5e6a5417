//! Ways of starting the function. A way must not know how a start is timed, nor what the right answer is.

mod restore;
mod script;
mod spawn;
mod zygote;

pub(crate) use restore::Restore;
pub(crate) use script::{Language, Script};
pub(crate) use spawn::Spawn;
pub(crate) use zygote::Zygote;

use crate::listener::Listener;
use bench_model::ModuleError;
use rustix::fd::BorrowedFd;
use std::time::Instant;

/// A way of starting the function. What it has started listens at the session's socket, answers what waits there, and is gone
/// after [`Start::end`] and when this is dropped.
pub(crate) trait Start {
    /// The bare work that a start is compared with, done once and timed: the metric and nanoseconds.
    fn bare(&mut self, _listener: &Listener) -> Result<Option<(&'static str, u64)>, ModuleError> {
        Ok(None)
    }

    /// What must be there before a start is asked for. Not timed.
    fn prepare(&mut self) -> Result<(), ModuleError>;

    /// Starts the function, and returns while it may still be starting. Timed.
    fn start(&mut self) -> Result<(), ModuleError>;

    /// What becomes readable when there is news of the start, which may be that it has failed.
    fn watch(&self) -> Option<BorrowedFd<'_>>;

    /// Takes the news, once; an error where the function will not answer.
    fn news(&mut self, asked: Instant) -> Result<(), ModuleError>;

    /// What has become of the function, as the end of a message about it.
    fn fate(&mut self) -> String {
        String::new()
    }

    /// Ends what was started and waits for its end; parts of the start that was asked for then, by name, in nanoseconds.
    fn end(&mut self, asked: Instant) -> Result<Vec<(&'static str, u64)>, ModuleError>;
}

/// An error of the system's that nothing here can help.
fn failed(what: &str) -> impl FnOnce(std::io::Error) -> ModuleError {
    move |error| ModuleError::Other(format!("{what}: {error}"))
}
