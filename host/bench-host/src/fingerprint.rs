//! The fingerprint of a run: the machine and this program.

use bench_sink::environment::file_system;
use bench_sink::fingerprint::Fingerprint;
use std::path::Path;

/// Takes the fingerprint of this machine; `results` is the folder of the run directories.
pub(crate) fn fingerprint(results: &Path) -> Fingerprint {
    Fingerprint {
        engine: Some(format!("wasmtime {}", bench_wasm::ENGINE_VERSION)),
        rustc: option_env!("BENCH_HOST_RUSTC").map(str::to_owned),
        build: option_env!("BENCH_HOST_BUILD").map(str::to_owned),
        results_folder: file_system(results),
        ..Fingerprint::take(env!("CARGO_PKG_VERSION"))
    }
}
