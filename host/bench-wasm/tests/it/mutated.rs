//! Property test of what loads components: a mutated one is compiled, or refused in one line that names the file. None of its code runs,
//! because a mutation may loop without end; the host executes what it loads in workers with a deadline, as its own tests do with some.

use crate::fixture::{MODULE, WORLD, component};
use bench_sink::digest;
use bench_wasm::{EngineOption, Limits, Runtime, Settings};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::path::Path;

/// How many mutations are tried.
const CASES: u32 = 64;

/// What a mutation does to the bytes: at a share of the length, it replaces so many of them with others.
type Edit = (f64, usize, Vec<u8>);

fn edit() -> impl Strategy<Value = Edit> {
    // Small numbers are sizes, counts, indices and opcodes more often than others.
    let byte = prop_oneof![0_u8..16, any::<u8>()];
    (0.0_f64..1.0, 0_usize..4, proptest::collection::vec(byte, 0..4))
}

fn edited(mut bytes: Vec<u8>, edits: &[Edit], kept: f64) -> Vec<u8> {
    for (share, removed, inserted) in edits {
        let from = (bytes.len() as f64 * share) as usize;
        let to = (from + removed).min(bytes.len());
        bytes.splice(from..to, inserted.iter().copied());
    }
    bytes.truncate((bytes.len() as f64 * kept) as usize);
    bytes
}

#[test]
fn mutated_component_is_compiled_or_refused_in_one_line() {
    let whole = component(MODULE, WORLD, &["workload", "ring"]);
    let settings = Settings::from_iter([EngineOption::OptNone]);
    let runtime = Runtime::new(Limits::default(), None, &settings).expect("the engine starts");
    let path = Path::new("mutated.wasm");
    assert!(runtime.compile(path, &whole, &digest::of_bytes(&whole)).is_ok(), "it is right before it is mutated");
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    // Most are whole, so that something is compiled.
    let kept = prop_oneof![4 => Just(1.0_f64), 1 => 0.0_f64..1.0];
    let strategy = (proptest::collection::vec(edit(), 0..3), kept);
    let held = TestRunner::new(config).run(&strategy, |(edits, kept)| {
        let bytes = edited(whole.clone(), &edits, kept);
        if let Err(error) = runtime.compile(path, &bytes, &digest::of_bytes(&bytes)) {
            let said = error.to_string();
            prop_assert!(said.starts_with("mutated.wasm: ") && said.lines().count() == 1, "{}", said);
        }
        Ok(())
    });
    held.unwrap_or_else(|error| panic!("{error}"));
}
