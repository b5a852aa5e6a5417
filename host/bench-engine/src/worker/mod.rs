//! Worker processes, in which the code of modules runs. At a deadline the process and all processes that it started are killed. Request
//! and reply are types of the caller.

mod exit;
mod isolation;
mod layout;
mod output;
mod process;
pub(crate) mod progress;
mod serve;
#[cfg(target_os = "linux")]
mod supervisor;
mod tree;

pub use isolation::{Isolation, Offered, ProbeLimits, confine};
pub use layout::{draw_layout, layout_variable};
pub use output::{Captured, OUTPUT_BYTES_MAX};
pub use process::{REPLY_BYTES_MAX, WorkerEnd, WorkerError, Workers};
pub use progress::{COMPILING, Doing, doing, expect_ns};
pub use serve::{ServeError, serve};
#[cfg(target_os = "linux")]
pub use supervisor::supervise;
