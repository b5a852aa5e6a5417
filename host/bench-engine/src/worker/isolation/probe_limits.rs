//! What a worker in which native code runs may have at most (getrlimit(2)): bounds that no benchmark reaches, and that end a runaway before it
//! takes the machine. They cost nothing.

use super::Isolation;
use bench_sink::environment::machine_memory_bytes;

/// The share of the machine's memory that native code may allocate, as the control group of a worker has it.
const MEMORY_SHARE: f64 = 0.75;

/// So much it may allocate on any machine: stacks and arenas that are never written count too.
const DATA_BYTES_MIN: u64 = 4 << 30;

/// How many files it may have open.
const OPEN_FILES: u64 = 65_536;

/// How long a file may become, which also bounds one that has nothing in it but its end.
const FILE_BYTES: u64 = 1 << 40;

/// The limits. The number of processes is not among them: the system counts those of the user in all containers, so that the limit would be
/// reached by others; only a control group bounds those of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeLimits {
    /// What the process may allocate; `None` if it is not known how much memory the machine has.
    pub data_bytes: Option<u64>,
    /// Open files.
    pub open_files: u64,
    /// The size of a file that it writes.
    pub file_bytes: u64,
}

impl ProbeLimits {
    /// Those of this machine.
    pub fn of_this_machine() -> Self {
        let share = |bytes: u64| ((bytes as f64 * MEMORY_SHARE) as u64).max(DATA_BYTES_MIN);
        Self { data_bytes: machine_memory_bytes().map(share), open_files: OPEN_FILES, file_bytes: FILE_BYTES }
    }

    /// Those that the parent wants for this worker; none without isolation.
    pub fn wanted() -> Option<Self> {
        (super::wanted() != Isolation::None).then(Self::of_this_machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_code_may_allocate_most_of_the_memory() {
        let limits = ProbeLimits::of_this_machine();
        let memory = machine_memory_bytes();
        assert_eq!(limits.data_bytes.is_some(), memory.is_some());
        if let (Some(data), Some(memory)) = (limits.data_bytes, memory) {
            assert!(data >= memory / 2 && (data < memory || data == DATA_BYTES_MIN), "{limits:?}");
        }
        // No parent of this program has started these tests.
        assert_eq!(ProbeLimits::wanted(), None);
    }
}
