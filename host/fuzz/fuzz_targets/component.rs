//! Bytes in place of a component: they are compiled and described, or refused in one line that names the file. Its code may run without
//! end, which a host ends with the worker: run this with `-fork=1 -ignore_timeouts=1 -timeout=10`.

#![no_main]

use bench_drivers::Grants;
use bench_sink::digest;
use bench_wasm::{Component, EngineOption, Limits, Runtime, Settings};
use libfuzzer_sys::fuzz_target;
use std::fs;
use std::sync::LazyLock;
use tempfile::TempDir;

/// An engine that compiles fast and reserves little, because the sanitizer counts what is reserved.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let limits = Limits { memory_bytes_max: 64 << 20, ..Limits::default() };
    let settings = Settings::from_iter([EngineOption::OnDemand, EngineOption::OptNone]);
    Runtime::new(limits, None, &settings).expect("the engine starts")
});

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let file = FOLDER.path().join("fuzzed.wasm");
    fs::write(&file, bytes).expect("the file is written");
    if let Err(error) = Component::load(&RUNTIME, &file, &digest::of_bytes(bytes), Grants::default()) {
        let said = error.to_string();
        assert!(said.contains("fuzzed.wasm: ") && said.lines().count() == 1, "{said}");
    }
});
