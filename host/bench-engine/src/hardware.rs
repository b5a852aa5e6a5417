//! Hardware counters of this thread through `perf_event_open`, where the machine has them.

/// Events since the counters were opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardwareCounts {
    /// Cycles of the processor.
    pub cycles: u64,
    /// Instructions of the processor.
    pub instructions: u64,
    /// Misses of the last cache.
    pub cache_misses: u64,
    /// Branches that were predicted wrong.
    pub branch_misses: u64,
}

/// Open counters of the calling thread, with its kernel's work left out.
#[derive(Debug)]
pub struct HardwareCounters(imp::Counters);

impl HardwareCounters {
    /// Opens and starts the counters; or the reason why the machine has none.
    pub fn open() -> Result<Self, String> {
        imp::Counters::open().map(Self)
    }

    /// The counts now; `None` if the kernel shared the counters with others meanwhile, so that they are not of the whole time.
    pub fn read(&mut self) -> Option<HardwareCounts> {
        self.0.read()
    }
}

#[cfg(all(target_os = "linux", feature = "counters"))]
mod imp {
    use super::HardwareCounts;
    use perf_event::events::Hardware;
    use perf_event::{Builder, Counter, Group};
    use std::io::{Error, ErrorKind};

    pub(super) struct Counters {
        group: Group,
        /// Cycles, instructions, cache misses, branch misses.
        counters: [Counter; 4],
    }

    impl std::fmt::Debug for Counters {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Counters").field("group", &self.group.id()).finish_non_exhaustive()
        }
    }

    impl Counters {
        pub(super) fn open() -> Result<Self, String> {
            let mut group = Group::new().map_err(|error| explain(&error))?;
            let mut add = |event| group.add(Builder::new(event).exclude_kernel(true)).map_err(|error| explain(&error));
            let counters = [
                add(Hardware::CPU_CYCLES)?,
                add(Hardware::INSTRUCTIONS)?,
                add(Hardware::CACHE_MISSES)?,
                add(Hardware::BRANCH_MISSES)?,
            ];
            group.enable().map_err(|error| explain(&error))?;
            Ok(Self { group, counters })
        }

        pub(super) fn read(&mut self) -> Option<HardwareCounts> {
            let data = self.group.read().ok()?;
            let is_whole =
                data.time_enabled().zip(data.time_running()).is_none_or(|(enabled, running)| enabled == running);
            let [cycles, instructions, cache_misses, branch_misses] =
                self.counters.each_ref().map(|counter| data[counter]);
            is_whole.then_some(HardwareCounts { cycles, instructions, cache_misses, branch_misses })
        }
    }

    fn explain(error: &Error) -> String {
        match error.kind() {
            ErrorKind::PermissionDenied => "not permitted: see kernel.perf_event_paranoid".to_owned(),
            ErrorKind::NotFound | ErrorKind::Unsupported => "this machine has no such counters".to_owned(),
            _ => error.to_string(),
        }
    }
}

#[cfg(not(all(target_os = "linux", feature = "counters")))]
mod imp {
    use super::HardwareCounts;

    #[derive(Debug)]
    pub(super) struct Counters;

    impl Counters {
        pub(super) fn open() -> Result<Self, String> {
            Err(if cfg!(target_os = "linux") {
                "this bench-host was built without the cargo feature `counters`".to_owned()
            } else {
                "this system has no `perf_event_open`".to_owned()
            })
        }

        pub(super) fn read(&mut self) -> Option<HardwareCounts> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_count_or_say_why_not() {
        match HardwareCounters::open() {
            Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{why}"),
            Ok(mut counters) => {
                let before = counters.read();
                let sum: u64 = (0..1_000_000_u64).map(std::hint::black_box).sum();
                let after = counters.read();
                assert!(sum > 0);
                if let (Some(before), Some(after)) = (before, after) {
                    assert!(after.instructions >= before.instructions, "{before:?} {after:?}");
                }
            }
        }
    }
}
