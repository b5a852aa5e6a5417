//! The scenarios that every write-ahead log is measured with, whether a component, a plug-in or a native probe keeps it. A log
//! implements [`Journal`]; this library appends payloads that it can check, reads them back and says what is wrong.
//!
//! - [`host_timed`]: the host times calls. Works in both arms and needs nothing of the system.
//! - [`self_timed`] (feature `self-timed`, Linux): sessions read the clock around each append, keep an open loop, and
//!   interleave raw baselines with the log.

pub mod host_timed;
mod journal;
mod payload;
mod read_back;
pub mod scenario;
#[cfg(all(feature = "self-timed", target_os = "linux"))]
#[expect(unsafe_code, reason = "the bare loops write to mapped memory")]
pub mod self_timed;

pub use journal::{Journal, RandomRead};
pub use payload::{Payloads, pattern};
pub use read_back::{ReadBack, verify};
