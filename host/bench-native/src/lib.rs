//! Native probes, dynamic libraries behind the C ABI of `probe-abi`, as the modules that the drivers know. It must not
//! know any probe or family, nor how a worker process is watched.

#![expect(unsafe_code, reason = "a probe is a dynamic library behind a C ABI")]

mod arg;
mod batches;
mod connector;
mod context;
mod error;
mod extension;
mod function;
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
mod text;

pub use error::LoadError;
pub use probe::Probe;
pub use reclaim::reclaim;
