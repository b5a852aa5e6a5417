//! The component arm: exports the plug-in through `wit/workload`, and converts between the types of the WIT and of bench-model.

mod convert;
#[cfg(feature = "function")]
mod function;
mod host;
#[cfg(feature = "log")]
mod log;
#[cfg(feature = "operator")]
mod operator;
#[cfg(feature = "ring")]
mod peer;
#[cfg(feature = "pipeline")]
pub(crate) mod pipeline;
#[cfg(feature = "ring")]
mod ring;
#[cfg(feature = "tabular")]
mod stages;
#[doc(hidden)]
pub mod support;

/// The bindings of the WIT package that every plug-in uses. Interfaces that only some plug-ins import have bindings of their own in the
/// modules that use them; the linker joins the worlds.
#[doc(hidden)]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::cast_lossless,
    reason = "generated"
)]
#[path = "generated/workload.rs"]
pub mod bindings;

#[cfg(feature = "function")]
pub use function::Initialiser;
pub use host::{Host, Series};
#[cfg(feature = "pipeline")]
pub use pipeline::Batches;

/// What the host offers besides series, each behind a feature.
pub(crate) mod capability {
    #[cfg(feature = "log")]
    pub use super::log::*;
    #[cfg(feature = "ring")]
    pub use super::{peer::*, ring::*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_arm {
    ($plugin:ty) => {
        // The generated macro accepts a name, not a type.
        type __BenchHostComponent = $crate::support::Component<$plugin>;
        $crate::support::bindings::export!(__BenchHostComponent with_types_in $crate::support::bindings);
    };
}
