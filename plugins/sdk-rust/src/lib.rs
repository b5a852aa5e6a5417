//! The SDK for plug-ins in Rust. A crate that implements [`Plugin`] and calls [`export!`] builds from the same source as a component for
//! `wasm32-wasip2`, and as a native probe for the host's target.
//!
//! ```
//! use bench_plugin::prelude::*;
//!
//! struct Fibonacci;
//!
//! impl Plugin for Fibonacci {
//!     fn describe() -> Descriptor {
//!         let n = Parameter::new("n", 20, "which number").between(0, 40);
//!         let scenario = Scenario::new("recursive", "example", "Computes a Fibonacci number.").parameter(n);
//!         Descriptor::new("fibonacci", "0.1.0", "A recursive function.").scenario(scenario)
//!     }
//!
//!     fn open(_scenario: &str, arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
//!         fn fibonacci(n: i64) -> u64 {
//!             if n < 2 { n as u64 } else { fibonacci(n - 1) + fibonacci(n - 2) }
//!         }
//!         let n = arguments.integer("n")?;
//!         Ok(each(move || fibonacci(std::hint::black_box(n))))
//!     }
//! }
//!
//! bench_plugin::export!(Fibonacci);
//! ```

mod each;
#[cfg(feature = "operator")]
pub mod operator;
#[cfg(feature = "pipeline")]
pub mod pipeline;
#[cfg(feature = "tabular")]
pub mod stages;

#[cfg(target_family = "wasm")]
#[path = "component/mod.rs"]
mod arm;
#[cfg(not(target_family = "wasm"))]
#[path = "probe.rs"]
mod arm;

#[cfg(all(feature = "function", target_family = "wasm"))]
pub use arm::Initialiser;
#[cfg(any(feature = "log", feature = "ring"))]
pub use arm::capability::*;
#[doc(hidden)]
pub use arm::support;
pub use arm::{Host, Series};
pub use bench_model as model;
pub use each::{each, each_of};

use bench_model::{Arguments, Descriptor, ModuleError, Session};

/// A plug-in: its descriptor, and how a scenario is opened.
pub trait Plugin {
    /// The descriptor. It must be fast to make and the same at each call; nothing is granted during the call.
    fn describe() -> Descriptor;

    /// Opens a scenario: reads input, allocates buffers. Not timed. The host passes a value for every parameter, which is in
    /// its domain.
    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError>;
}

/// The items that almost every plug-in uses.
pub mod prelude {
    pub use crate::{Host, Plugin, each, each_of};
    pub use bench_model::{
        Arguments, Check, Descriptor, Direction, MachineLimit, Metric, ModuleError, Outcome, Parameter, Scenario,
        Session, Unit, Value,
    };
}

/// Exports a [`Plugin`] in the arm that the crate is built for. Use it once per crate.
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        $crate::__export_arm!($plugin);
    };
}
