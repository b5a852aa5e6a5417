//! The preparation of a function before its first request, for components.

#[doc(hidden)]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::cast_lossless,
    reason = "generated"
)]
#[path = "generated/function.rs"]
pub mod bindings;

/// A function that prepares before its first request, or before a snapshot of it is made.
pub use bindings::exports::bench_host::function::initialiser::Guest as Initialiser;

/// Exports an [`Initialiser`] of the driver `function`. Use it once per crate, beside `wasip2::http::proxy::export!`.
#[macro_export]
macro_rules! export_initialiser {
    ($initialiser:ident) => {
        $crate::support::function_bindings::export_function_world!(
            $initialiser with_types_in $crate::support::function_bindings
        );
    };
}
