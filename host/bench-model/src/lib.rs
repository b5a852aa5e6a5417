//! The data types of bench-host, shared by the host, the plug-in SDK and the probes, without I/O and clocks. The feature `serde` adds
//! their JSON forms for run files and for the descriptors of probes.

mod argument;
mod arm;
mod checksum;
mod descriptor;
mod error;
mod host_interface;
mod limit;
mod metric;
mod outcome;
mod parameter;
mod requirement;
mod scenario;
#[cfg(feature = "serde")]
mod serialized;
mod session;
mod steadiness;
mod value;

pub use argument::Arguments;
pub use arm::Arm;
pub use checksum::Checksum;
pub use descriptor::{DESCRIPTOR_BYTES_MAX, Descriptor, DescriptorError, TEXT_BYTES_MAX};
pub use error::ModuleError;
pub use host_interface::HostInterface;
pub use limit::MachineLimit;
pub use metric::{Direction, Metric, Unit};
pub use outcome::{ACHIEVED_RATE, Check, LATENCY_BOUND, Outcome, STANDSTILL};
pub use parameter::{Domain, Parameter};
pub use requirement::{Capability, Requirement};
pub use scenario::Scenario;
pub use session::Session;
pub use steadiness::Steadiness;
pub use value::{Kind, Value, ValueError};
