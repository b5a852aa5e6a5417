//! The machine and this program, as a run is made with them.

use bench_sink::environment::file_system;
use bench_sink::fingerprint::Fingerprint;
use std::path::Path;

/// Looks at this machine, of which `results` is the folder for runs.
pub(crate) fn fingerprint(results: &Path) -> Fingerprint {
    Fingerprint {
        engine: Some(format!("wasmtime {}", bench_wasm::ENGINE_VERSION)),
        rustc: option_env!("BENCH_HOST_RUSTC").map(str::to_owned),
        results_folder: file_system(results),
        ..Fingerprint::take(env!("CARGO_PKG_VERSION"))
    }
}
