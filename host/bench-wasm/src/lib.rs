//! Runs components, as [`bench_drivers::Module`]s. No other crate depends on the engine; families use it through the re-exports
//! [`wasmtime`] and [`wasmtime_wasi`]. A component gets the grants of the run and nothing else.

mod adapter;
mod bindings;
mod cache;
mod calibrate;
mod capability;
mod compiler;
mod component;
mod convert;
mod count;
mod denied;
mod encoded;
mod engine;
mod engine_overhead;
mod error;
mod function_names;
mod guest_samples;
pub mod image;
mod inspect;
mod ledger;
mod limits;
mod missing;
mod session;
mod settings;
mod shape;
mod state;
mod waiting;
mod watch;
pub mod wit;
mod withheld;

pub use adapter::{Adapter, Adapters, ComponentSession, name_of};
pub use cache::{Cache, CacheError};
pub use calibrate::component_call;
pub use capability::{Capabilities, Capability};
pub use compiler::compiler;
pub use component::{Component, Instances, LoadTimes};
pub use denied::Denied;
pub use engine::{Code, Runtime};
pub use engine_overhead::{CallPair, InstantiatePair, PairNs};
pub use error::{LoadError, first_few, one_line};
pub use function_names::{FunctionNames, function_names};
pub use guest_samples::{GuestSample, INTERVAL as GUEST_SAMPLE_INTERVAL, take_guest_samples};
pub use ledger::StoreObserver;
pub use limits::Limits;
pub use session::trapped;
/// The version of the engine.
pub const ENGINE_VERSION: &str = wasmtime_environ::VERSION;

pub use settings::{EngineOption, Profiling, Settings};
pub use state::State;
pub use waiting::wait;
pub use wasmtime;
pub use wasmtime_wasi;
