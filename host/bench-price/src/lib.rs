//! The price list of a WIT: how many nanoseconds a call of each function takes, and how many more for each byte of its strings and lists,
//! between the host and a component and between two components.
//!
//! A worker process makes the components and measures them ([`measure`]); its parent estimates prices from the figures of several
//! workers ([`PriceList`]).

#![forbid(unsafe_code)]

mod call_path;
mod callee;
mod caller;
mod document;
mod measure;
mod prices;
mod reference;
mod relay;
mod timing;
mod values;

pub use call_path::{CallForm, CallPath, Direction};
pub use document::document;
pub use measure::{Measured, PayloadTimes, measure};
pub use prices::{Price, PriceList};
pub use relay::Relay;
pub use synthetic_component::{Api, PAYLOADS, WitError};
pub use timing::Effort;

use bench_sink::digest;
use bench_wasm::wasmtime::component::Component;
use bench_wasm::wasmtime::{Error, Result};
use bench_wasm::{Runtime, one_line};
use std::path::Path;

/// A component that was made here, compiled or mapped from the cache.
fn compile(runtime: &Runtime, name: &str, bytes: &[u8]) -> Result<Component> {
    let code = runtime.compile(Path::new(name), bytes, &digest::of_bytes(bytes));
    code.map(|code| code.component).map_err(|error| Error::msg(error.to_string()))
}

/// The reason of an error of the engine.
fn reason(error: &Error) -> String {
    one_line(error)
}
