//! What a sampling profiler found: stacks whose frames are told apart by whose code they are, drawn as a flame graph, compared by
//! function, and written for viewers. It starts no profiler and reads no file.

mod difference;
mod firefox;
mod flame_graph;
mod function;
mod perf;

pub use difference::{Difference, FunctionDifference, difference};
pub use firefox::firefox_json;
pub use flame_graph::{FlameGraphError, flame_graph, folded};
pub use function::{FunctionTime, demangled, functions, plain_name};
pub use perf::{Owners, parse_perf_script};

/// Whose code a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The module under test: a component's compiled code, or a probe.
    Guest,
    /// This program, its engine, and libraries of the system.
    Host,
    /// The kernel.
    Kernel,
}

impl Owner {
    /// All owners.
    pub const ALL: [Self; 3] = [Self::Guest, Self::Host, Self::Kernel];

    /// `guest`, `host`, `kernel`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Host => "host",
            Self::Kernel => "kernel",
        }
    }
}

/// One function of a stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// Its name, demangled; [`UNKNOWN`] if there is none.
    pub name: String,
    /// Whose code it is.
    pub owner: Owner,
}

/// The name of a frame whose function is not known.
pub const UNKNOWN: &str = "[unknown]";

/// One sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The thread.
    pub thread: u32,
    /// Nanoseconds of the profiler's clock.
    pub time_ns: u64,
    /// The processor time that the sample stands for.
    pub weight_ns: u64,
    /// The caller first, the function that ran last.
    pub frames: Vec<Frame>,
}

/// The samples of one cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// In the order of the profiler.
    pub samples: Vec<Sample>,
}

impl Profile {
    /// The processor time of all samples.
    pub fn total_ns(&self) -> u64 {
        self.samples.iter().map(|sample| sample.weight_ns).sum()
    }

    /// The processor time of the samples whose running function is `owner`'s.
    pub fn own_ns(&self, owner: Owner) -> u64 {
        let own = self.samples.iter().filter(|sample| sample.frames.last().is_some_and(|frame| frame.owner == owner));
        own.map(|sample| sample.weight_ns).sum()
    }
}
