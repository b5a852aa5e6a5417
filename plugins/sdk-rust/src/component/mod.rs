//! The component arm: exports the plug-in through `wit/workload`, and converts between the types of the WIT and of bench-model.

mod convert;
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
#[doc(hidden)]
pub mod support;

/// The bindings, generated at build time from the WIT package that every plug-in uses. Interfaces that only some plug-ins import have
/// bindings of their own in the modules that use them; the linker joins the worlds.
#[doc(hidden)]
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit/workload",
        world: "bench-host:workload/workload",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "bench_plugin::support::bindings",
    });
}

pub use host::{Host, Series};
#[cfg(feature = "pipeline")]
pub use pipeline::Batches;

/// What the host offers beside series, each behind a feature.
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
