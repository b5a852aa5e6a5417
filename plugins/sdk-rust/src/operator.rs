//! Operators: plug-ins that act on the events of a control plane, in either arm. It must not know what any of them does.

#[cfg(not(target_family = "wasm"))]
use crate::Plugin;
pub use operator_core::{Event, Key, Object, Operator, Plane, PlaneError, Stored, Watch};

/// Exports a [`Plugin`](crate::Plugin) and the [`Operator`] of its scenarios for the driver `operator`, in the arm the crate is
/// built for. Once a crate. An operator is made with `Default`.
#[macro_export]
macro_rules! export_operator {
    ($plugin:ty, $operator:ty) => {
        $crate::__export_operator_arm!($plugin, $operator);
    };
}

/// The `main` of a program that is the operator in a process of its own, for the arm `process`: `<component>-process` beside the
/// component. It describes itself as `P`, and speaks to its host through the socket that is its standard input.
#[cfg(not(target_family = "wasm"))]
pub fn main<P: Plugin, O: Operator + Default>() -> std::process::ExitCode {
    operator_process::main(P::describe, O::default())
}
