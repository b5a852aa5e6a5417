//! Starts a worker under `perf record`, and reads the samples with `perf script`.

use bench_engine::worker::Workers;
use bench_profile::{Frame, Owner, Owners, Profile, Sample, demangled, parse_perf_script};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Samples a second of processor time. A prime number, so that it does not keep step with anything periodic.
const FREQUENCY_HZ: u32 = 997;

/// The clock that samples are taken by. Virtual machines often have no hardware counters, and all have this one.
const EVENT: &str = "cpu-clock";

/// The profiler of this machine.
#[derive(Debug)]
pub(super) enum Recorder {
    /// `perf`, which sees all code.
    Perf(PathBuf),
    /// The engine's own, which sees components only, and why there is no other.
    Guest(String),
}

impl Recorder {
    /// `perf` if it works, else the engine's own profiler.
    pub(super) fn find() -> Self {
        match Self::perf() {
            Ok(perf) => perf,
            Err(why) => Self::Guest(format!("{why:#}")),
        }
    }

    /// Why only components are seen, if that is so.
    pub(super) fn restriction(&self) -> Option<&str> {
        match self {
            Self::Perf(_) => None,
            Self::Guest(why) => Some(why),
        }
    }

    /// How samples are taken.
    pub(super) fn about(&self) -> String {
        match self {
            Self::Perf(_) => format!(
                "perf, event {EVENT}, {FREQUENCY_HZ} samples a second of processor time; loading and warming up are included; stacks can end \
                 in host code, which has no frame pointers"
            ),
            Self::Guest(_) => format!(
                "the engine's own samples, one a {} ms; they see components only, whose code checks epochs meanwhile and is slower",
                bench_wasm::GUEST_SAMPLE_INTERVAL.as_millis()
            ),
        }
    }

    /// The time between two samples.
    pub(super) fn interval_ns(&self) -> u64 {
        match self {
            Self::Perf(_) => 1_000_000_000 / u64::from(FREQUENCY_HZ),
            Self::Guest(_) => u64::try_from(bench_wasm::GUEST_SAMPLE_INTERVAL.as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// `perf`; an error says what to install.
    fn perf() -> anyhow::Result<Self> {
        let perf = PathBuf::from("perf");
        let attempt = Command::new(&perf)
            .args([
                "record",
                "--quiet",
                "--no-buildid",
                "--no-buildid-cache",
                "--event",
                EVENT,
                "--output",
                "/dev/null",
                "--",
                "true",
            ])
            .stdin(Stdio::null())
            .output();
        match attempt {
            Err(error) => anyhow::bail!(
                "the profiler `perf` cannot be started: {error}; install it (Debian: `apt-get install linux-perf`)"
            ),
            Ok(output) if !output.status.success() => {
                let text = String::from_utf8_lossy(&output.stderr);
                let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing").trim();
                anyhow::bail!(
                    "`perf record` fails: {line}; allow it with `sysctl kernel.perf_event_paranoid=2`, and in a container \
                     allow `perf_event_open` or CAP_PERFMON"
                )
            }
            Ok(_) => Ok(Self::Perf(perf)),
        }
    }

    /// Workers like `workers`, whose samples go to the file `data`.
    pub(super) fn workers(&self, workers: &Workers, data: &Path) -> Workers {
        let Self::Perf(perf) = self else {
            let samples = ["--guest-samples".to_owned(), data.display().to_string()];
            let arguments = workers.arguments.iter().cloned().chain(samples).collect();
            return Workers { arguments, ..workers.clone() };
        };
        let frequency = FREQUENCY_HZ.to_string();
        let (data, program) = (data.display().to_string(), workers.program.display().to_string());
        let options =
            ["record", "--quiet", "--no-buildid", "--no-buildid-cache", "--event", EVENT, "--freq", &frequency];
        // Compiled components keep frame pointers; optimised host code may not, so stacks can end in it.
        let options = options.into_iter().chain(["--call-graph", "fp", "--output", &data, "--", &program]);
        let arguments = options.map(str::to_owned).chain(workers.arguments.iter().cloned());
        Workers {
            program: perf.clone(),
            arguments: arguments.chain(["--perf-map".to_owned()]).collect(),
            ..workers.clone()
        }
    }

    /// The samples in `data`, of a worker that ran the module `file`.
    pub(super) fn samples(&self, data: &Path, file: &Path) -> Result<Profile, String> {
        let Self::Perf(perf) = self else { return guest_samples(data, self.interval_ns()) };
        let output = Command::new(perf)
            .args(["script", "--no-demangle", "-F", "tid,time,period,ip,sym,dso", "-i"])
            .arg(data)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("`perf script` cannot be started: {error}"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`perf script` fails: {}", text.lines().next().unwrap_or("it says nothing")));
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A file that is gone meanwhile has names that may be cut.
        let guest_names = std::fs::read(file).map(|bytes| bench_wasm::function_names(&bytes)).unwrap_or_default();
        let owners = Owners { guest_files: vec![name], guest_names };
        let profile = parse_perf_script(&String::from_utf8_lossy(&output.stdout), &owners);
        match profile.samples.is_empty() {
            true => Err("the profiler took no sample; let the cell run for longer with --time".to_owned()),
            false => Ok(profile),
        }
    }
}

/// The samples that the engine has taken; of a probe, there are none.
fn guest_samples(data: &Path, weight_ns: u64) -> Result<Profile, String> {
    let text = std::fs::read_to_string(data).map_err(|error| format!("the samples cannot be read: {error}"))?;
    let sample = |line: &str| {
        let (time_ns, functions): (u64, Vec<String>) = serde_json::from_str(line).ok()?;
        let frame = |name: String| Frame { name: demangled(&name), owner: Owner::Guest };
        Some(Sample { thread: 0, time_ns, weight_ns, frames: functions.into_iter().map(frame).collect() })
    };
    let samples: Vec<Sample> = text.lines().filter_map(sample).collect();
    match samples.is_empty() {
        true => Err("the engine took no sample: only components are seen without `perf`".to_owned()),
        false => Ok(Profile { samples }),
    }
}
