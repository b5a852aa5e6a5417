//! Text in place of a suite, and of a set of targets: it is taken, or refused in one line.

#![no_main]

use bench_registry::{parse_suite, parse_targets};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let refused = [parse_suite("fuzzed.toml", text).err(), parse_targets("fuzzed.toml", text).err()];
    for error in refused.into_iter().flatten() {
        let said = error.to_string();
        assert!(said.contains("`fuzzed.toml`: ") && !said.contains('\n'), "{said}");
    }
});
