//! Operators: plug-ins that react to the events of a control plane, in all arms.
//!
//! The scenario `chain` links operators: each copies the objects of the namespace that it watches into the one that the next operator
//! watches. The contract of an [`Operator`] in it:
//!
//! - It is started with the arguments `watch`, the namespace to watch, and `apply`, the namespace to write into, and with the parameters that
//!   the module declares beyond those of the driver.
//! - Objects in both namespaces are of the kind `TestResource`. The spec of one that it sees has the field `nonce`, a whole number of up to
//!   64 bits, by which the host knows the token; fields with other names are to be ignored.
//! - For each object that was added or modified it applies one of the same kind and name in the namespace `apply`, whose spec is
//!   `{"nonce":N,"count":C}`: the same nonce, and how many objects this operator has applied, this one included. An event that is delivered
//!   again after an error counts once.
//! - The count goes on after `resume`, which shows the host that the operator kept its state. A deleted object asks for nothing.

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
