//! Warnings about properties of the machine that make figures unreliable, with the next step.

use crate::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A property that makes figures unreliable. Its text says what was found, and what to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// The processor's frequency follows the load.
    Governor(String),
    /// The quota of the control group is less than the number of processors.
    Quota {
        /// The quota in processors.
        quota: f64,
        /// The number of processors.
        cpus: u32,
    },
    /// The hypervisor gives processor time to others.
    Steal {
        /// Share of the time since the system started.
        share: f64,
    },
    /// Reading the clock is a system call.
    SlowClock(String),
    /// The machine was busy when the run began.
    Load {
        /// The load average over the last minute.
        load: f64,
        /// The number of processors.
        cpus: u32,
    },
    /// The frequency may rise above the nominal one.
    Boost,
    /// The addresses of a process are not randomised.
    FixedAddresses,
    /// The control group may use little memory.
    MemoryLimit {
        /// How much, in bytes.
        bytes: u64,
    },
    /// Temporary files, including those of logs and databases, never reach a disk.
    TemporaryFolder {
        /// The kind of the file system.
        kind: String,
    },
    /// The program was built with this cargo profile, which optimises little.
    Build(String),
}

/// A warning as it is recorded in a run file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningRecord {
    /// The kind of warning: `governor`, `quota`, `steal`, `slow-clock`, `load`, `boost`, `aslr`, `memory-limit`, `temporary-folder`, `build`.
    pub warning: String,
    /// What was found, and its effect on figures.
    pub found: String,
    /// What to do next.
    pub remedy: String,
}

/// Clock sources that are read without a system call.
const FAST_CLOCKS: [&str; 4] = ["tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"];

/// A smaller share of steal is normal in virtual machines.
const STEAL_SHARE_MAX: f64 = 0.01;

/// A higher load per processor means that the machine is busy.
const LOAD_MAX: f64 = 0.5;

/// A lower memory limit can be reached: it is twice what a component may use by default.
const MEMORY_LIMIT_BYTES_MIN: u64 = 2 << 30;

/// The properties of `machine` that make figures unreliable.
pub fn warnings(machine: &Fingerprint) -> Vec<Warning> {
    let cpus = machine.cpus;
    let governor = machine.governor.clone().filter(|governor| governor != "performance");
    let clock = machine.clock_source.clone().filter(|source| !FAST_CLOCKS.contains(&source.as_str()));
    let quota = machine.cpu_quota.filter(|quota| *quota < f64::from(cpus));
    let load = machine.load.map(|[minute, ..]| minute).filter(|minute| *minute > LOAD_MAX * f64::from(cpus));
    let memory = machine.memory_limit_bytes.filter(|bytes| *bytes < MEMORY_LIMIT_BYTES_MIN);
    let temporary = machine.temporary_folder.as_ref().filter(|found| found.is_memory() || found.is_volatile);
    let kind = temporary.map(|found| format!("{}{}", if found.is_volatile { "volatile " } else { "" }, found.kind));
    [
        governor.map(Warning::Governor),
        quota.map(|quota| Warning::Quota { quota, cpus }),
        machine.steal.filter(|share| *share >= STEAL_SHARE_MAX).map(|share| Warning::Steal { share }),
        clock.map(Warning::SlowClock),
        load.map(|load| Warning::Load { load, cpus }),
        machine.boost.filter(|is_on| *is_on).map(|_| Warning::Boost),
        machine.aslr.filter(|level| *level == 0).map(|_| Warning::FixedAddresses),
        memory.map(|bytes| Warning::MemoryLimit { bytes }),
        kind.map(|kind| Warning::TemporaryFolder { kind }),
        machine.build.clone().map(Warning::Build),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Warning {
    /// Its name in run files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Governor(_) => "governor",
            Self::Quota { .. } => "quota",
            Self::Steal { .. } => "steal",
            Self::SlowClock(_) => "slow-clock",
            Self::Load { .. } => "load",
            Self::Boost => "boost",
            Self::FixedAddresses => "aslr",
            Self::MemoryLimit { .. } => "memory-limit",
            Self::TemporaryFolder { .. } => "temporary-folder",
            Self::Build(_) => "build",
        }
    }

    /// What was found, and its effect on figures.
    pub fn found(&self) -> String {
        match self {
            Self::Governor(governor) => {
                format!("the frequency governor is `{governor}`, so the processor's speed follows the load")
            }
            Self::Quota { quota, cpus } => {
                format!("a quota allows {quota:.2} of {cpus} processors, so high quantiles show throttling")
            }
            Self::Steal { share } => format!(
                "the hypervisor has given {:.1} % of the processors' time to others since the system started",
                share * 100.0
            ),
            Self::SlowClock(source) => format!("the clock source is `{source}`, so reading the clock is a system call"),
            Self::Load { load, cpus } => {
                format!("the load was {load:.2} on {cpus} processors over the minute before the run")
            }
            Self::Boost => "boost is on, so the speed depends on the temperature and on what other cores do".to_owned(),
            Self::FixedAddresses => {
                "addresses are not randomised, so all processes have one layout and no interval covers it".to_owned()
            }
            Self::MemoryLimit { bytes } => format!(
                "the control group may use {} MiB of memory, so cached files are dropped and workers may be killed",
                bytes >> 20
            ),
            Self::TemporaryFolder { kind } => {
                format!("the temporary folder is on {kind}, so synced writes there are only in memory")
            }
            Self::Build(profile) => format!(
                "bench-host is built with the profile `{profile}`, so what is not needed for the first table, such as WASI, is slow"
            ),
        }
    }

    /// What to do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Governor(_) => "run `cpupower frequency-set -g performance`",
            Self::Quota { .. } => "run outside of the container, or raise its quota (`cpu.max`, `--cpus`)",
            Self::Steal { .. } => "use a machine with dedicated processors, or measure at a quieter time",
            Self::SlowClock(_) => "boot with clocksource=tsc if the processor supports it",
            Self::Load { .. } => "stop other work, or wait",
            Self::Boost => "write 0 to cpufreq/boost in /sys/devices/system/cpu, or 1 to intel_pstate/no_turbo there",
            Self::FixedAddresses => "run `sysctl kernel.randomize_va_space=2`",
            Self::MemoryLimit { .. } => "run outside of the container, or raise its limit (`memory.max`, `--memory`)",
            Self::TemporaryFolder { .. } => "set TMPDIR to a folder on a disk",
            Self::Build(_) => "build it with `cargo build --release --package bench-host`",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.found(), self.remedy())
    }
}

impl From<&Warning> for WarningRecord {
    fn from(warning: &Warning) -> Self {
        Self { warning: warning.name().to_owned(), found: warning.found(), remedy: warning.remedy().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::FileSystem;

    fn check(change: impl FnOnce(&mut Fingerprint), expect: &[&str]) {
        let mut machine = Fingerprint::of_a_quiet_machine();
        change(&mut machine);
        let names: Vec<_> = warnings(&machine).iter().map(Warning::name).collect();
        assert_eq!(names, expect);
    }

    #[test]
    fn each_unreliable_property_has_one_warning() {
        check(|_| (), &[]);
        check(|machine| machine.governor = Some("powersave".to_owned()), &["governor"]);
        check(|machine| machine.governor = None, &[]);
        check(|machine| machine.cpu_quota = Some(1.5), &["quota"]);
        check(|machine| machine.cpu_quota = Some(2.0), &[]);
        check(|machine| machine.steal = Some(0.02), &["steal"]);
        check(|machine| machine.clock_source = Some("hpet".to_owned()), &["slow-clock"]);
        check(|machine| machine.load = Some([1.1, 0.0, 0.0]), &["load"]);
        check(|machine| machine.boost = Some(true), &["boost"]);
        check(|machine| machine.boost = Some(false), &[]);
        check(|machine| machine.aslr = Some(0), &["aslr"]);
        check(|machine| machine.aslr = Some(2), &[]);
        check(|machine| machine.memory_limit_bytes = Some(512 << 20), &["memory-limit"]);
        check(|machine| machine.memory_limit_bytes = Some(8 << 30), &[]);
        // What is no warning: METHODOLOGY.md says why.
        check(|machine| (machine.smt, machine.huge_pages) = (Some(true), Some("always".to_owned())), &[]);
        let on = |kind: &str, is_volatile| Some(FileSystem { kind: kind.to_owned(), is_volatile });
        check(|machine| machine.temporary_folder = on("tmpfs", false), &["temporary-folder"]);
        check(|machine| machine.temporary_folder = on("overlay", true), &["temporary-folder"]);
        check(|machine| machine.temporary_folder = on("overlay", false), &[]);
        check(|machine| machine.build = Some("quick".to_owned()), &["build"]);
    }

    #[test]
    fn warning_says_what_was_found_and_what_to_do() {
        assert_eq!(
            Warning::Quota { quota: 0.3, cpus: 2 }.to_string(),
            "a quota allows 0.30 of 2 processors, so high quantiles show throttling: run outside of the container, or raise its \
             quota (`cpu.max`, `--cpus`)"
        );
    }
}
