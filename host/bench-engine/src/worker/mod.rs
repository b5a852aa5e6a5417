//! Worker processes: whatever a module does, it does it in a process of its own, with a deadline at which the process and
//! all that it started are killed. This side knows nothing of modules; request and reply are the caller's types.

mod output;
mod process;
mod serve;

pub use output::{Captured, OUTPUT_BYTES_MAX};
pub use process::{WorkerEnd, WorkerError, Workers};
pub use serve::{ServeError, serve};
