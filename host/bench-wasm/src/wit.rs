//! The types of `wit/workload` as families need them: their own WIT packages use these types, and are called with arguments and
//! answer with errors.

use crate::convert;
use bench_model::{Arguments, ModuleError};

/// The interface `types`, for the option `with` of `bindgen!`.
pub use crate::bindings::workload::bench_host::workload::types;

/// Arguments as a component takes them.
pub fn arguments(arguments: &Arguments) -> Vec<types::Argument> {
    convert::arguments(arguments)
}

/// The error that a component has answered with.
pub fn error(error: types::Error) -> ModuleError {
    convert::error(error)
}
