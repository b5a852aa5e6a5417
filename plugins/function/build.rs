//! Gives the component a memory into which the initialisation fits that is asked for where nothing is said: what a memory grows
//! by, an instance has to be allowed to touch, and the next one in its place has to be forbidden again.

/// The stack, the data, a heap of a mebibyte, and as much as the answers take.
const MEMORY_BYTES: u32 = 4 << 20;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=--initial-memory={MEMORY_BYTES}");
    }
}
