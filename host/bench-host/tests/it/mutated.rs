//! Mutated components, whose `describe` runs in workers with a deadline: whatever their code does, each is described or refused in one line
//! that names it, and the host neither panics nor hangs. The tests of bench-wasm compile more of them, and run none.

use crate::host::{Host, eventually};
use serde_json::Value;
use std::fs::{self, File};

/// A module of which everything is known.
const MODULE: &str = include_str!("../../../bench-wasm/tests/it/fixture.wat");

/// What it imports and exports.
const WORLD: &str = "
    package bench-host:fixture;
    world fixture {
        include bench-host:workload/workload@0.1.0;
        include bench-host:ring/client@0.1.1;
    }
";

/// The text with which its data begins, which follow its code.
const DATA: &[u8] = b"fixture0.1.0exchange";

/// So many bytes before its data are code.
const CODE_BYTES: usize = 1_000;

const MUTATIONS: u64 = 48;

/// Numbers that look random, the same in each run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % bound
    }
}

/// The component with one or two other bytes, every second time in its code.
fn mutated(whole: &[u8], number: u64) -> Vec<u8> {
    let data = whole.windows(DATA.len()).position(|window| window == DATA).expect("it has its data");
    let mut numbers = Numbers(number);
    let mut bytes = whole.to_vec();
    for _ in 0..=numbers.below(2) {
        let at = if number.is_multiple_of(2) {
            numbers.below(bytes.len())
        } else {
            data - 1 - numbers.below(CODE_BYTES.min(data))
        };
        // Small numbers are sizes, counts, indices and opcodes more often than others.
        bytes[at] = if numbers.below(2) == 0 { numbers.below(16) as u8 } else { bytes[at].wrapping_add(1) };
    }
    bytes
}

#[test]
fn mutated_component_is_described_or_refused_in_one_line() {
    let whole = test_modules::component(MODULE, WORLD, &["workload", "ring"]);
    let host = Host::new();
    let names: Vec<_> = (0..MUTATIONS).map(|number| format!("mutation-{number}.wasm")).collect();
    for (number, name) in (0..).zip(&names) {
        fs::write(host.path(name), mutated(&whole, number)).expect("the component is written");
    }
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| host.path(name));
    let mut command = host.command("list --format json --deadline 2s");
    command.args(&names).env("XDG_CACHE_HOME", host.path("cache"));
    command.stdout(File::create(&stdout).expect("a file")).stderr(File::create(&stderr).expect("a file"));
    let mut child = command.spawn().expect("the program starts");
    let mut status = None;
    eventually("the host has described all", || {
        status = child.try_wait().expect("it is a child");
        status.is_some()
    });
    let said = fs::read_to_string(stderr).expect("it is text");
    assert!(!said.contains("panicked"), "{said}");
    assert!(matches!(status.and_then(|status| status.code()), Some(0 | 1)), "{status:?}\n{said}");
    let document: Value = serde_json::from_slice(&fs::read(stdout).expect("it is there")).expect("it is a document");
    let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    let (described, refused) = (list("modules"), list("refused"));
    for name in &names {
        let is_described = described.iter().any(|module| module["file"] == name.as_str());
        let reason = refused.iter().find(|module| module["file"] == name.as_str()).map(|module| &module["reason"]);
        let reason = reason.and_then(Value::as_str).unwrap_or_default();
        let is_refused = reason.starts_with(&format!("{name}: ")) && reason.lines().count() == 1;
        assert!(is_described != is_refused, "{name}: {is_described}, {reason:?}");
    }
    assert!(!described.is_empty() && !refused.is_empty(), "{document:#}");
}
