//! The C ABI between the host and a native probe (`include/bench_probe.h`), its Rust twin in [`raw`], and a safe way to write a probe in
//! Rust: implement [`Probe`] and call [`export_probe!`].

#![expect(unsafe_code, reason = "the ABI is C")]

mod author;
pub mod extension;
pub mod function;
pub mod log;
pub mod operator;
pub mod peer;
pub mod pipeline;
pub mod raw;
pub mod ring;
#[cfg(feature = "tabular")]
pub mod tabular;

#[doc(hidden)]
pub use author::export;
pub use author::{Host, Probe, Series};
pub use bench_model as model;
