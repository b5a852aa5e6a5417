//! Calls, bytes and instructions of operations are counted exactly.

use crate::fixture::{Fixture, scenario};
use bench_drivers::{Counts, Module};
use bench_model::Arguments;
use bench_wasm::{Component, EngineOption, Settings};
use std::fs;

fn count(component: &mut Component, name: &str, operations: u64) -> Counts {
    let scenario = scenario(component, name);
    component.count(&scenario, &Arguments::default(), operations).expect("it can be counted")
}

fn check(operations: u64) {
    let fixture = Fixture::new();
    let mut component = fixture.load(&Settings::default(), None);
    let exchange = count(&mut component, "exchange", operations);
    let calls =
        [("metrics#[method]series.append", 3), ("ring#[method]consumer.pop", 2), ("ring#[method]producer.push", 2)];
    let calls = calls.into_iter().filter(|_| operations > 0).map(|(name, each)| (name.to_owned(), each * operations));
    assert_eq!(exchange.host_calls, Some(calls.collect()), "{operations}");
    assert_eq!(exchange.lifted_bytes, Some((3 * 5 * 8 + 2 * 24) * operations));
    assert_eq!(exchange.lowered_bytes, Some(2 * 24 * operations));
    let compute = count(&mut component, "compute", operations);
    assert_eq!((compute.host_calls, compute.lifted_bytes, compute.lowered_bytes), (Some(Vec::new()), Some(0), Some(0)));
    assert_eq!(count(&mut component, "exchange", operations), exchange, "the same again");
    assert!(exchange.code_bytes > Some(0) && exchange.code_bytes == compute.code_bytes);
}

#[test]
fn calls_and_bytes_of_the_operations_are_counted() {
    for operations in [0, 1, 100] {
        check(operations);
    }
}

#[test]
fn instructions_grow_with_the_operations_and_are_equal_for_all_settings() {
    let fixture = Fixture::new();
    let mut component = fixture.load(&Settings::default(), Some(fixture.cache()));
    let instructions = [0, 1, 10]
        .map(|operations| count(&mut component, "compute", operations).instructions.expect("they are counted"));
    assert_eq!((instructions[0], instructions[2]), (0, 10 * instructions[1]));
    assert!(instructions[1] >= 4 * 1000, "four in each turn of the loop: {instructions:?}");
    let mut plain = fixture.load(&Settings::default().with(EngineOption::OptNone), None);
    assert_eq!(count(&mut plain, "compute", 10).instructions, Some(instructions[2]));
}

#[test]
fn instructions_of_a_file_that_has_changed_are_not_counted() {
    let fixture = Fixture::new();
    let mut component = fixture.load(&Settings::default(), None);
    fs::write(fixture.path(), b"another").expect("the file is written");
    let counts = count(&mut component, "compute", 10);
    assert_eq!((counts.instructions, counts.lifted_bytes), (None, Some(0)));
}
