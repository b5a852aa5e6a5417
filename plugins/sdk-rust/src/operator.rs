//! Operators: plug-ins that react to the events of a control plane, in all arms.

#[cfg(not(target_family = "wasm"))]
use crate::Plugin;
pub use operator_core::{Event, Key, Object, Operator, Plane, PlaneError, Stored, Watch};

/// Exports a [`Plugin`](crate::Plugin) and the [`Operator`] of its scenarios for the driver `operator`, in the arm that the crate is
/// built for. Use it once per crate. Operators are created with `Default`.
#[macro_export]
macro_rules! export_operator {
    ($plugin:ty, $operator:ty) => {
        $crate::__export_operator_arm!($plugin, $operator);
    };
}

/// The `main` of a program that runs the operator in a process of its own, for the arm `process`. The program is named
/// `<component>-process`, in the component's folder. It describes itself as `P`, and communicates with the host through the socket
/// that is its standard input.
#[cfg(not(target_family = "wasm"))]
pub fn main<P: Plugin, O: Operator + Default>() -> std::process::ExitCode {
    operator_process::main(P::describe, O::default())
}
