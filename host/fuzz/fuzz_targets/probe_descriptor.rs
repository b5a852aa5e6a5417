//! Bytes in place of the descriptor of a probe, as the loader of probes reads it: it is refused in one line, or cells are planned of it.

#![no_main]

use bench_engine::{LoadedModule, Plan, Selection};
use bench_model::{Arm, Descriptor};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(descriptor) = serde_json::from_slice::<Descriptor>(bytes) else { return };
    if let Err(error) = descriptor.validate() {
        // What it quotes of the descriptor is printed by those who escape it.
        assert!(!error.to_string().is_empty());
        return;
    }
    let offer = LoadedModule {
        file: "fuzzed.so".into(),
        sha256: "0".repeat(64),
        arm: Arm::Native,
        variant: None,
        descriptor,
    };
    let all = Selection { pattern: "*".to_owned(), arms: None, axes: Vec::new() };
    if let Ok(plan) = Plan::build(vec![offer], &[all], 1, 7) {
        assert_eq!(plan.order.len(), plan.cells.len());
    }
});
