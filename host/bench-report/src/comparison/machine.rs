//! Whether runs were made on the same machine. The load, the kernel and installed software may differ.

use crate::RunView;
use bench_sink::fingerprint::Fingerprint;

/// By how much the memory of one machine may differ: a kernel keeps a little more or less of it from boot to boot.
const MEMORY_SHARE_MAX: f64 = 0.01;

/// The first two runs of different machines, and what is unlike.
pub(super) struct Difference {
    pub(super) a: String,
    pub(super) b: String,
    pub(super) what: String,
}

/// Where `runs` were not all made on one machine.
pub(super) fn difference<'a>(runs: impl IntoIterator<Item = &'a RunView>) -> Option<Difference> {
    let mut runs = runs.into_iter();
    let first = runs.next()?;
    runs.find_map(|other| {
        let what = unlike(&first.fingerprint, &other.fingerprint);
        (!what.is_empty()).then(|| Difference { a: first.id.clone(), b: other.id.clone(), what: what.join(", ") })
    })
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
