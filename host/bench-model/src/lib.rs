//! The nouns of bench-host, shared by the host, the plug-in SDK and the probes. Pure data: no I/O, no clock, no
//! serialization, and no knowledge of how a module is loaded or which family it belongs to.

#![forbid(unsafe_code)]

mod argument;
mod arm;
mod descriptor;
mod error;
mod limit;
mod metric;
mod outcome;
mod parameter;
mod scenario;
mod session;
mod value;

pub use argument::Arguments;
pub use arm::Arm;
pub use descriptor::{Descriptor, DescriptorError};
pub use error::ModuleError;
pub use limit::MachineLimit;
pub use metric::{Direction, Metric, Unit};
pub use outcome::{ACHIEVED_RATE, Check, LATENCY_BOUND, Outcome};
pub use parameter::{Domain, Parameter};
pub use scenario::{Requirement, Scenario};
pub use session::Session;
pub use value::{Kind, Value, ValueError};
