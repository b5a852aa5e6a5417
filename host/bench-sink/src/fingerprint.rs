//! The fingerprint of a run: the machine and the program. Values that cannot be read are absent.

use crate::environment::{self, Cgroup, FileSystem, read};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::process::Command;

/// The machine and the program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The version of bench-host.
    pub host_version: String,
    /// `linux`, `macos`.
    pub os: String,
    /// The name of the distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<String>,
    /// Release of the kernel.
    pub kernel: String,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// The model name of the processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// The number of processors that this process may use.
    pub cpus: u32,
    /// The memory of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The frequency governor of the first processor; absent if the kernel does not scale the frequency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// The source of the monotonic clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_source: Option<String>,
    /// The hypervisor, if the processor, the firmware or the device tree names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualisation: Option<String>,
    /// Load averages over 1, 5 and 15 minutes when the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<[f64; 3]>,
    /// The git revision of the working directory, if it is in a repository; with `+dirty` if files were changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_revision: Option<String>,
    /// The git branch of the working directory, if it is on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_branch: Option<String>,
    /// The version of the engine that runs components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The compiler that the program was built with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rustc: Option<String>,
    /// The cargo profile that the program was built with, if it optimises less than a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Whether two threads share a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smt: Option<bool>,
    /// Whether the frequency may rise above the nominal one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boost: Option<bool>,
    /// The number of processors of each kind, fastest first; empty if all are of one kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpu_kinds: Vec<u32>,
    /// The quota of the control group in processors, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<f64>,
    /// The memory limit of the control group, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Address space randomisation: 0 off, 1 on except for the heap, 2 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aslr: Option<u8>,
    /// When transparent huge pages are used: `always`, `madvise`, `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub huge_pages: Option<String>,
    /// Steal: the share of processor time that the hypervisor gave to others since the system started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal: Option<f64>,
    /// The file system of temporary files, including those of logs and databases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_folder: Option<FileSystem>,
    /// The file system of the results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results_folder: Option<FileSystem>,
    /// How workers were kept apart from the rest of the machine, and what of that the machine offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<String>,
}

/// Fields that describe a moment or a choice, not the machine or the program: load, revision, folders.
const OF_A_MOMENT: [&str; 6] = ["load", "git_revision", "git_branch", "steal", "temporary_folder", "results_folder"];

/// Fields that older versions did not record. If one fingerprint lacks such a field, it does not count as a difference.
const ADDED_LATER: [&str; 10] = [
    "engine",
    "rustc",
    "smt",
    "boost",
    "cpu_kinds",
    "cpu_quota",
    "memory_limit_bytes",
    "aslr",
    "huge_pages",
    "isolation",
];

/// Maximum difference of the memory of the same machine, because the kernel reserves a varying amount at every boot.
const MEMORY_SHARE_MAX: f64 = 0.01;

impl Fingerprint {
    /// The differences to `other`, each with both values: `kernel 6.1.0 and 6.1.2`. Empty if machine and program are the
    /// same.
    pub fn unlike(&self, other: &Self) -> Vec<String> {
        let has_same_memory = match (self.memory_bytes, other.memory_bytes) {
            (Some(a), Some(b)) => a.abs_diff(b) as f64 <= MEMORY_SHARE_MAX * a.max(b) as f64,
            _ => false,
        };
        let (a, b) = (self.fields(), other.fields());
        let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        let is_same = |name: &str| match name {
            "memory_bytes" if has_same_memory => true,
            name if ADDED_LATER.contains(&name) && !(a.contains_key(name) && b.contains_key(name)) => true,
            name => OF_A_MOMENT.contains(&name) || a.get(name) == b.get(name),
        };
        let value = |fields: &Map<String, Value>, name: &str| match fields.get(name) {
            None => "unknown".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let unlike = names.into_iter().filter(|name| !is_same(name));
        unlike.map(|name| format!("{} {} and {}", name.replace('_', " "), value(&a, name), value(&b, name))).collect()
    }

    fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }

    /// The fingerprint of this machine. The caller adds the fields about the program and the results.
    pub fn take(host_version: &str) -> Self {
        let kernel = rustix::system::uname();
        let cpu = read("/proc/cpuinfo").unwrap_or_default();
        let cgroup = Cgroup::of_self();
        Self {
            host_version: host_version.to_owned(),
            os: std::env::consts::OS.to_owned(),
            distribution: read("/etc/os-release").and_then(|text| field(&text, "PRETTY_NAME", '=')),
            kernel: kernel.release().to_string_lossy().into_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            cpu_model: field(&cpu, "model name", ':'),
            cpus: environment::usable_cpus(),
            memory_bytes: environment::machine_memory_bytes(),
            governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            clock_source: read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            virtualisation: environment::hypervisor(&cpu),
            load: read("/proc/loadavg").and_then(|text| load(&text)),
            git_revision: git_revision(),
            git_branch: git(&["symbolic-ref", "--short", "HEAD"]).map(|branch| branch.trim().to_owned()),
            engine: None,
            rustc: None,
            build: None,
            smt: environment::smt(),
            boost: environment::boost(),
            cpu_kinds: environment::kinds().iter().map(|(_, cpus)| cpus.len() as u32).collect(),
            cpu_quota: cgroup.cpu_quota(),
            memory_limit_bytes: cgroup.memory_limit_bytes(),
            aslr: environment::aslr(),
            huge_pages: environment::huge_pages(),
            steal: environment::stolen_share(),
            temporary_folder: environment::file_system(&std::env::temp_dir()),
            results_folder: None,
            isolation: None,
        }
    }
}

/// The value of the first line that begins with `name`, without quotes.
fn field(text: &str, name: &str, separator: char) -> Option<String> {
    let line = text.lines().find(|line| line.split(separator).next().is_some_and(|key| key.trim() == name))?;
    Some(line.split_once(separator)?.1.trim().trim_matches('"').to_owned())
}

fn load(loadavg: &str) -> Option<[f64; 3]> {
    let mut numbers = loadavg.split_whitespace().map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?])
}

/// What git prints in the working directory; `None` if it fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

fn git_revision() -> Option<String> {
    let revision = git(&["rev-parse", "HEAD"])?.trim().to_owned();
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.trim().is_empty());
    Some(if changed { revision + "+dirty" } else { revision })
}

#[cfg(test)]
impl Fingerprint {
    /// A machine with two processors and nothing that slows them down.
    pub(crate) fn of_a_quiet_machine() -> Self {
        Self {
            cpus: 2,
            governor: Some("performance".to_owned()),
            clock_source: Some("tsc".to_owned()),
            load: Some([0.1; 3]),
            steal: Some(0.0),
            temporary_folder: Some(FileSystem { kind: "ext4".to_owned(), is_volatile: false }),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_full_name() {
        let text = "model\t\t: 85\nmodel name\t: A Processor\nflags\t\t: fpu hypervisor\n";
        assert_eq!(field(text, "model name", ':').as_deref(), Some("A Processor"));
        assert_eq!(field(text, "mode", ':'), None);
        assert_eq!(field("PRETTY_NAME=\"A System\"", "PRETTY_NAME", '=').as_deref(), Some("A System"));
    }

    #[test]
    fn only_differences_of_machine_and_program_count() {
        let then = Fingerprint { memory_bytes: Some(1 << 30), governor: None, ..Fingerprint::take("1") };
        let check = |now: Fingerprint, expect: &[&str]| assert_eq!(then.unlike(&now), expect);
        let moment = Fingerprint { load: Some([9.0; 3]), git_revision: Some("0".to_owned()), ..then.clone() };
        check(Fingerprint { memory_bytes: Some((1 << 30) - 4096), ..moment }, &[]);
        let kernel = format!("kernel {} and another", then.kernel);
        check(Fingerprint { kernel: "another".to_owned(), ..then.clone() }, &[&kernel]);
        let governor = Some("powersave".to_owned());
        let other = Fingerprint { memory_bytes: Some(1 << 29), governor, host_version: "2".to_owned(), ..then.clone() };
        check(
            other,
            &["governor unknown and powersave", "host version 1 and 2", "memory bytes 1073741824 and 536870912"],
        );
    }

    #[test]
    fn field_missing_in_an_older_fingerprint_is_not_a_difference() {
        let now = Fingerprint { smt: Some(true), cpu_quota: Some(1.5), steal: Some(0.1), ..Fingerprint::take("1") };
        let of_old = Fingerprint { smt: None, cpu_quota: None, steal: None, ..now.clone() };
        assert_eq!(of_old.unlike(&now), [""; 0]);
        let other = Fingerprint { smt: Some(false), steal: Some(0.2), ..now.clone() };
        assert_eq!(other.unlike(&now), ["smt false and true"]);
        let written = serde_json::to_string(&now).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&written).unwrap(), now);
        let old = r#"{"host_version":"1","os":"linux","kernel":"6","architecture":"x86_64","cpus":2}"#;
        assert!(serde_json::from_str::<Fingerprint>(old).unwrap().cpu_kinds.is_empty());
    }

    #[test]
    fn loads_are_read_in_order() {
        assert_eq!(load("0.01 0.5 2 1/100 42"), Some([0.01, 0.5, 2.0]));
        assert_eq!(load("0.01"), None);
    }
}
