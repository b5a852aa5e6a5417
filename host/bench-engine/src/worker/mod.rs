//! Worker processes, in which the code of modules runs. At a deadline the process and all processes that it started are killed. Request
//! and reply are types of the caller.

mod layout;
mod output;
mod process;
mod serve;

pub use layout::draw_layout;
pub use output::{Captured, OUTPUT_BYTES_MAX};
pub use process::{WorkerEnd, WorkerError, Workers};
pub use serve::{ServeError, serve};
