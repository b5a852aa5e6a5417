//! What a call through the host costs, next to the same typed call of the engine, on request:
//! `cargo test --release -p family-components --features core-modules --test it overhead -- --ignored --nocapture`.

use crate::fixture::{Fixture, LIBRARY, TYPES, open};
use bench_wasm::wasmtime::component::{ComponentNamedList, Lift, Lower, TypedFunc};
use std::fmt::Debug;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: usize = 101;
const CALLS: u64 = 2_000;

/// The medians of the times of `call`, in WAVE notation, through the host and of the same bare call of the function `name` of the
/// component `text`, in nanoseconds, interleaved.
fn medians<P, R>(text: &str, call: &str, name: &str, arguments: &P, expected: &R) -> [f64; 2]
where
    P: Clone + ComponentNamedList + Lower + 'static,
    R: ComponentNamedList + Lift + PartialEq + Debug + 'static,
{
    let mut component = Fixture::of(text).load();
    let mut store = component.store(&[]).unwrap();
    let instance = component.instance_pre().instantiate(&mut store).unwrap();
    let function: TypedFunc<P, R> = instance.get_typed_func(&mut store, name).unwrap();
    let mut session = open(&mut component, "call", &[("call", call.into())]).unwrap();
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for side in [round % 2, 1 - round % 2] {
            let start = Instant::now();
            if side == 0 {
                session.iterate(CALLS).unwrap();
            } else {
                for _ in 0..CALLS {
                    let found = black_box(function.call(&mut store, arguments.clone()).unwrap());
                    assert_eq!(found, *expected);
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

fn check<P, R>(text: &str, call: &str, name: &str, arguments: P, expected: R)
where
    P: Clone + ComponentNamedList + Lower + 'static,
    R: ComponentNamedList + Lift + PartialEq + Debug + 'static,
{
    let [host, bare] = medians(text, call, name, &arguments, &expected);
    let ratio = host / bare;
    eprintln!(
        "{call}: host {host:.1} ns, bare {bare:.1} ns, ratio {ratio:.3}, target {RATIO_MAX}, n = {ROUNDS} × {CALLS}"
    );
    assert!(ratio <= RATIO_MAX, "{call}: host {host:.1} ns, bare {bare:.1} ns");
}

#[test]
#[ignore = "figures"]
fn call_through_the_host_costs_about_as_much_as_a_bare_one() {
    check(LIBRARY, "add(1, 2)", "add", (1_u32, 2_u32), (3_u32,));
    check(LIBRARY, "greet(\"Ada\")", "greet", (Arc::<str>::from("Ada"),), ("Ada".to_owned(),));
    check(LIBRARY, "bytes([1, 2])", "bytes", (Arc::<[u8]>::from([1, 2]),), (vec![1_u8, 2],));
    check(TYPES, "letter('x')", "letter", ('x',), ('x',));
    check(TYPES, "last-byte(1, -3)", "last-byte", (1_i8, -3_i8), (-3_i8,));
    check(TYPES, "scale(1.5, 2)", "scale", (1.5_f64, 2_u32), (1.5_f64,));
    check(TYPES, "clamp(1, -2, 3)", "clamp", (1_i32, -2_i32, 3_i32), (3_i32,));
    check(TYPES, "length(\"four\", 1, 2)", "length", (Arc::<str>::from("four"), 1_u32, 2_u32), (4_u32,));
}
