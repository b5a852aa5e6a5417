//! Whether runs were made on the same machine. The load may differ; so may the kernel and installed software, unless a run has parts: their
//! machines are of one class only if nothing distinguishes them and their programs.

use crate::{PartView, RunView};
use bench_sink::digest;
use bench_sink::fingerprint::Fingerprint;

/// By how much the memory of one machine may differ: a kernel keeps a little more or less of it from boot to boot.
const MEMORY_SHARE_MAX: f64 = 0.01;

/// The first two runs, or parts of runs, of different machines, and what is unlike.
pub(super) struct Difference {
    pub(super) a: String,
    pub(super) b: String,
    pub(super) what: String,
}

/// A machine that measured a run or a part of it, and its program.
struct Machine<'a> {
    name: &'a str,
    fingerprint: &'a Fingerprint,
    program: Option<&'a str>,
    is_of_part: bool,
}

/// Where `runs` were not all made on machines of one class. Machines of a class can still be several.
pub(super) fn difference<'a>(runs: impl IntoIterator<Item = &'a RunView>) -> Option<Difference> {
    let mut machines = runs.into_iter().flat_map(machines);
    let first = machines.next()?;
    machines.find_map(|other| {
        let what = first.unlike(&other);
        let (a, b) = (first.name.to_owned(), other.name.to_owned());
        (!what.is_empty()).then(|| Difference { a, b, what: what.join(", ") })
    })
}

/// The machine of each part; of a run without parts, that of the run.
fn machines(run: &RunView) -> Vec<Machine<'_>> {
    let machine = |name, fingerprint, is_of_part| {
        let program = run.program_sha256.as_deref();
        Machine { name, fingerprint, program, is_of_part }
    };
    if run.parts.is_empty() {
        return vec![machine(run.id.as_str(), &run.fingerprint, false)];
    }
    run.parts.iter().map(|part| machine(part.record.run.as_str(), &part.record.fingerprint, true)).collect()
}

impl Machine<'_> {
    fn unlike(&self, other: &Self) -> Vec<String> {
        if !self.is_of_part && !other.is_of_part {
            return unlike(self.fingerprint, other.fingerprint);
        }
        let programs = (self.program != other.program)
            .then(|| format!("program {} and {}", self.program_digits(), other.program_digits()));
        self.fingerprint.unlike(other.fingerprint).into_iter().chain(programs).collect()
    }

    /// The first digits of the program's digest.
    fn program_digits(&self) -> &str {
        self.program.map_or("unknown", digest::short)
    }
}

/// The first two machines that measured a cell, each in one of the runs, where it was not one machine: the names of their parts. Without
/// parts, a run does not name its machine, and its fingerprint has to do.
pub(super) fn apart<'a>(measured: impl IntoIterator<Item = (&'a RunView, u32)>) -> Option<(String, String)> {
    let mut hosts = measured.into_iter().map(|(run, cell)| (run, run.host_of(cell)));
    let (run, first) = hosts.next()?;
    let is_same = |other: Option<&PartView>| match (first, other) {
        (Some(first), Some(other)) => first.is_same_host(other),
        (first, other) => first.is_none() && other.is_none(),
    };
    let (other_run, other) = hosts.find(|(_, other)| !is_same(*other))?;
    Some((name(run, first), name(other_run, other)))
}

fn name(run: &RunView, host: Option<&PartView>) -> String {
    host.map_or_else(|| format!("the unnamed machine of {}", run.id), |host| host.record.run.clone())
}

fn unlike(a: &Fingerprint, b: &Fingerprint) -> Vec<String> {
    let unknown = || "unknown".to_owned();
    let cpu = |machine: &Fingerprint| machine.cpu_model.clone().unwrap_or_else(unknown);
    let memory =
        |machine: &Fingerprint| machine.memory_bytes.map_or_else(unknown, |bytes| crate::scale::bytes(bytes as f64));
    let named = [
        ("processor", cpu(a) != cpu(b), cpu(a), cpu(b)),
        ("processors", a.cpus != b.cpus, a.cpus.to_string(), b.cpus.to_string()),
        ("architecture", a.architecture != b.architecture, a.architecture.clone(), b.architecture.clone()),
        ("memory", is_other_memory(a.memory_bytes, b.memory_bytes), memory(a), memory(b)),
        ("system", a.os != b.os, a.os.clone(), b.os.clone()),
    ];
    let unlike = named.into_iter().filter(|(_, is_unlike, ..)| *is_unlike);
    unlike.map(|(name, _, a, b)| format!("{name} {a} and {b}")).collect()
}

fn is_other_memory(a: Option<u64>, b: Option<u64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.abs_diff(b) as f64 > MEMORY_SHARE_MAX * a.max(b) as f64,
        (a, b) => a != b,
    }
}
