//! Runs components: the only crate that names wasmtime. It presents a component as a [`bench_drivers::Module`], grants what
//! a run grants and nothing else, and knows no scenario and no family.

#![deny(unsafe_code)]

mod against_bare;
mod bindings;
mod cache;
mod calibrate;
mod capability;
mod component;
mod convert;
mod count;
mod engine;
mod error;
mod function;
mod image;
mod inspect;
mod ledger;
mod limits;
mod operator;
mod pipeline;
mod session;
mod settings;
mod state;
mod watch;

pub use against_bare::{CallPair, InstantiatePair, PairNs};
pub use cache::{Cache, CacheError};
pub use calibrate::component_call;
pub use component::Component;
pub use engine::Runtime;
pub use error::LoadError;
pub use limits::Limits;
/// The version of the engine.
pub const ENGINE_VERSION: &str = wasmtime_environ::VERSION;

pub use settings::{Settings, Switch};
