//! Makes components of a WIT that do nothing but call and be called. Their arguments and results are constants in their memory, so the
//! time of a call is the time of the boundary.
//!
//! [`Api::read`] reads a WIT and writes its functions and types into one interface of its own, in which every function has a number;
//! [`Components::new`] makes components of that interface. The text between the two is all that a second process needs.

#![forbid(unsafe_code)]

mod api;
mod components;
mod core_module;
mod guests;
mod handles;
mod layout;
mod printer;
mod source;
mod value;

pub use api::{Api, Entry, EntryKind, Skipped};
pub use components::{Components, Function, MakeError, Sample};
pub use source::WitError;
pub use value::Value;

/// The payloads of which there are arguments and results, in bytes: about the number of bytes in strings and lists.
pub const PAYLOADS: [u64; 5] = [0, 512, 1024, 2048, 4096];

/// The handles for which a caller has room, but at least those that four calls give away.
pub const STOCK_HANDLES: u32 = 1 << 14;

/// The interface of the components with all functions.
pub const API: &str = "bench-host:price/api";

/// The interface with the functions that no resource occurs in.
pub const VALUES: &str = "bench-host:price/values";

/// The name of the function with this number.
pub fn function_name(number: usize) -> String {
    format!("call{number}")
}

/// The name of the function of a caller that calls the function with this number as often as it is told.
pub fn run_name(number: usize) -> String {
    format!("run{number}")
}

/// The name of the function of a caller that makes the handles which so many calls of the function with this number give away.
pub fn stock_name(number: usize) -> String {
    format!("stock{number}")
}

/// The name of the resource with this number.
pub fn resource_name(number: usize) -> String {
    format!("r{number}")
}

/// The name of the function that makes the resource with this number.
pub fn give_name(number: usize) -> String {
    format!("give{number}")
}
