//! What a call through the host costs, next to the same typed call of the engine, on request:
//! `cargo test --release -p family-components --features core-modules --test it overhead -- --ignored --nocapture`.

use crate::fixture::{Fixture, LIBRARY, open};
use bench_wasm::wasmtime::component::TypedFunc;
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 101;
const CALLS: u64 = 2_000;

/// The medians of the times of a call through the host and of a bare one, in nanoseconds, interleaved.
fn medians() -> [f64; 2] {
    let mut component = Fixture::of(LIBRARY).load();
    let mut store = component.store(&[]).unwrap();
    let instance = component.instance_pre().instantiate(&mut store).unwrap();
    let add: TypedFunc<(u32, u32), (u32,)> = instance.get_typed_func(&mut store, "add").unwrap();
    let mut session = open(&mut component, "call", &[("call", "add(1, 2)".into())]).unwrap();
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for side in [round % 2, 1 - round % 2] {
            let start = Instant::now();
            if side == 0 {
                session.iterate(CALLS).unwrap();
            } else {
                for _ in 0..CALLS {
                    assert_eq!(black_box(add.call(&mut store, (1, 2)).unwrap()), (3,));
                }
            }
            times[side].push(start.elapsed().as_nanos() as f64 / CALLS as f64);
        }
    }
    times.map(|mut times| {
        times.sort_unstable_by(f64::total_cmp);
        times[ROUNDS / 2]
    })
}

/// The most that a call through the host may cost, as a share of a bare one.
const RATIO_MAX: f64 = 1.15;

#[test]
#[ignore = "figures"]
fn call_through_the_host_costs_about_as_much_as_a_bare_one() {
    let [host, bare] = medians();
    let ratio = host / bare;
    eprintln!("host {host:.1} ns, bare {bare:.1} ns, ratio {ratio:.3}, target {RATIO_MAX}, n = {ROUNDS} × {CALLS}");
    assert!(ratio <= RATIO_MAX, "host {host:.1} ns, bare {bare:.1} ns");
}
