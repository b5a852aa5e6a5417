//! Native probes, dynamic libraries behind the C ABI of `probe-abi`, as the modules that the drivers know. A family asks a
//! [`Probe`] for its further table and calls it with a [`HostSide`]; it must not know any probe, nor how a worker is watched.

#![expect(unsafe_code, reason = "a probe is a dynamic library behind a C ABI")]

pub mod arg;
mod batches;
mod connector;
mod context;
mod error;
mod extension;
mod host_side;
mod load;
mod log;
mod notes;
mod operator;
mod peer;
mod plane;
mod probe;
mod reclaim;
mod ring;
mod session;
mod sniff;
mod table;
pub mod text;

pub use error::LoadError;
pub use host_side::HostSide;
pub use probe::Probe;
pub use reclaim::reclaim;
