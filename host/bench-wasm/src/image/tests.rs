//! Tests rewriting components, and reading and writing their state through the accessor; and components that are refused.

use super::form::Target;
use super::*;
use crate::{EngineOption, Limits, Runtime, Settings, state};
use bench_drivers::Grants;
use std::path::Path;

/// A module with a memory and a global of each kind, and one that uses what it has, both twice; and things in all the places
/// that indices are counted in.
const MANY: &str = r#"(component
    (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
    (alias export $poll "pollable" (type $pollable))
    (core func $drop (canon resource.drop $pollable))
    (component $nested (import "f" (func $f (result u32))) (export "g" (func $f)))
    (core module $unused (memory 1) (global (mut i32) (i32.const 1)))
    (core module $holds
        (import "" "drop" (func (param i32)))
        (memory (export "memory") 1 40)
        (memory 0)
        (global (export "global") (mut i32) (i32.const -1))
        (global i32 (i32.const 3))
        (global (mut i64) (i64.const -2))
        (global (mut f32) (f32.const nan:0x200001))
        (global (mut f64) (f64.const -0.0))
        (global (mut v128) (v128.const i64x2 5 6))
        (table 1 funcref)
        (func $get (export "get") (result i32) (i32.load (i32.const 70000)))
        (start $nothing)
        (func $nothing)
        (elem (i32.const 0) $get))
    (core module $uses
        (import "" "memory" (memory 1))
        (import "" "global" (global (mut i32)))
        (global (mut i64) (i64.const 9)))
    (core instance $imports (export "drop" (func $drop)))
    (core instance $first (instantiate $holds (with "" (instance $imports))))
    (core instance $second (instantiate $holds (with "" (instance $imports))))
    (core instance (instantiate $uses (with "" (instance $second))))
    (alias core export $second "memory" (core memory $memory))
    (alias core export $second "get" (core func $get))
    (func $lifted (result u32) (canon lift (core func $get)))
    (instance $inner (instantiate $nested (with "f" (func $lifted))))
    (export "get" (func $inner "g")))"#;

/// A runtime and what instances are made of.
fn seed(text: &str) -> (Runtime, Compiled) {
    let settings = Settings::from_iter([EngineOption::OnDemand]);
    let runtime = Runtime::new(Limits::default(), None, &settings).expect("the engine starts");
    let bytes = rewritten(&wat::parse_str(text).expect("the text parses")).expect("it is rewritten");
    let component = Compiled::from_binary(&runtime.engine, &bytes).expect("what comes of it is a component");
    (runtime, component)
}

fn instance((runtime, component): &(Runtime, Compiled)) -> (Store<State>, Instance) {
    let store = state::store(runtime, Path::new("test"), &[], &Grants::default());
    let mut store = store.expect("a store without grants");
    let linker = runtime.linker().expect("capabilities are linked");
    let instance = linker.instantiate(&mut store, component).expect("it is instantiated");
    (store, instance)
}

fn images(seed: &(Runtime, Compiled)) -> Images {
    Images::new(&seed.1, &"0123456789abcdef".repeat(4), |_| Ok(instance(seed))).expect("fresh instances are alike")
}

fn get(store: &mut Store<State>, instance: &Instance) -> u32 {
    let get = instance.get_typed_func::<(), (u32,)>(&mut *store, "get").expect("it exports `get`");
    get.call(store, ()).expect("`get` returns").0
}

#[test]
fn globals_of_every_kind_and_memories_are_restored_exactly() {
    let seed = seed(MANY);
    let images = images(&seed);
    let fresh = images.fresh.contents.view(&images.fresh.store);
    let each = [0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFE, 0x7FA0_0001, 1 << 63, 5, 6];
    assert_eq!(fresh.words, [&each[..], &each, &[9]].concat());
    let sizes: Vec<_> = fresh.memories.iter().map(|memory| memory.len()).collect();
    assert_eq!(sizes, [65536, 0, 65536, 0]);
    assert!(fresh.memories.iter().all(|memory| memory.iter().all(|byte| *byte == 0)), "looking leaves nothing behind");

    let (mut store, made) = instance(&seed);
    let mut accessed = Accessed { store: &mut store, instance: &made, functions: &images.functions };
    for word in 0..13 {
        accessed.set(word, 0x7FF0_0000_7F80_0001 + word as u64).expect("a global is set");
    }
    accessed.grow(2, 3 * 65536).expect("a memory grows");
    accessed.write(2, 70000, &41_u32.to_le_bytes()).expect("bytes are written");
    accessed.write(2, 0, &[1; 16]).expect("bytes are written");
    accessed.grow(3, 65536).expect("an empty memory grows");
    accessed.write(3, 65530, &[2; 6]).expect("bytes are written");
    assert_eq!(get(&mut store, &made), 41);
    let image = images.take(&mut store, &made).expect("an image is taken");

    let (mut again, remade) = instance(&seed);
    images.restore(&image, &mut again, &remade).expect("it is put back");
    assert_eq!(get(&mut again, &remade), 41);
    assert_eq!(images.take(&mut again, &remade).as_ref(), Ok(&image));
    let mut accessed = Accessed { store: &mut again, instance: &remade, functions: &images.functions };
    let contents = accessed.contents().expect("it is looked at");
    let expect: Vec<_> = [0, 1, 2, 3, 4, 5].into_iter().chain(6..13).map(|word| 0x7FF0_0000_7F80_0001 + word).collect();
    let short = |word: usize| [0, 2, 6, 8].contains(&word);
    let expect: Vec<u64> =
        expect.iter().enumerate().map(|(word, value)| if short(word) { value & 0xFFFF_FFFF } else { *value }).collect();
    let view = contents.view(&again);
    assert_eq!(view.words, expect);
    assert_eq!((&view.memories[2][..16], &view.memories[3][65530..]), (&[1; 16][..], &[2; 6][..]));
}

#[test]
fn memory_that_cannot_grow_enough_is_an_error() {
    let seed = seed(MANY);
    let (mut store, made) = instance(&seed);
    let functions = Functions::of(&seed.1).expect("it has an accessor");
    let error = Accessed { store: &mut store, instance: &made, functions: &functions }.grow(0, 41 * 65536).unwrap_err();
    assert_eq!(error.to_string(), "its memory cannot grow to 2 MiB");
}

#[test]
fn component_with_unequal_fresh_instances_is_refused() {
    let seed = seed(MANY);
    let made = std::cell::Cell::new(0);
    let make = |_: &DeterministicInit| {
        let (mut store, made_now) = instance(&seed);
        let functions = Functions::of(&seed.1).expect("it has an accessor");
        let mut accessed = Accessed { store: &mut store, instance: &made_now, functions: &functions };
        made.set(made.get() + 1);
        accessed.write(2, 4096, &[made.get()]).expect("a byte is written");
        Ok((store, made_now))
    };
    let error = Images::new(&seed.1, &"0".repeat(64), make).err().expect("they are refused").to_string();
    assert!(error.contains("differ in memory 2 at 0x1000; use --suspend own"), "{error}");
}

#[test]
fn component_with_unsupported_state_is_refused() {
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let bytes = wat::parse_str(text).expect("the text parses");
        let error = rewritten(&bytes).expect_err("it is refused").to_string();
        assert!(error.contains(expect) && error.ends_with("; use --suspend own"), "{error}");
    }
    let module = |module: &str| format!("(component (core module $m {module}) (core instance (instantiate $m)))");
    check(&module("(memory 1 1 shared)"), "a memory that is shared");
    check(&module("(memory i64 1)"), "64-bit");
    check(&module("(global (mut funcref) (ref.null func))"), "a global that is shared or a reference");
    check(&module("(table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))"), "a table that it writes to");
    check(
        "(component (component (core module $m) (core instance (instantiate $m))))",
        "core modules in a nested component",
    );
    check(r#"(component (import "m" (core module $m)) (core instance (instantiate $m)))"#, "imported core modules");
}
