//! Gives the component enough initial memory for the default initialisation: memory that grows later must be made
//! accessible for each instance, and inaccessible again for the next one in its slot.

/// The stack, the data, a heap of 1 MiB, and the responses.
const MEMORY_BYTES: u32 = 4 << 20;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=--initial-memory={MEMORY_BYTES}");
    }
}
