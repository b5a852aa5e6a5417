//! Loads native probes, which are dynamic libraries behind the C ABI of `probe-abi`, as modules. A family gets its extension table from
//! a [`Probe`] and calls it with a [`HostSide`].

#![expect(unsafe_code, reason = "a probe is a dynamic library behind a C ABI")]

pub mod arg;
mod capability;
mod compiler;
mod context;
mod error;
mod extension;
#[cfg(target_os = "linux")]
mod fork;
mod host_side;
mod load;
mod notes;
mod probe;
mod reclaim;
mod session;
mod sniff;
mod table;
pub mod text;

pub use compiler::compiler;
pub use error::LoadError;
#[cfg(target_os = "linux")]
pub use fork::fork;
pub use host_side::HostSide;
pub use probe::Probe;
pub use reclaim::reclaim;
