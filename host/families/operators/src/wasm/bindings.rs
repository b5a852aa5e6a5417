//! The host's side of `bench-host:operator`, generated at build time.

#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

bench_wasm::wasmtime::component::bindgen!({
    path: "../../../wit/operator",
    world: "module",
    imports: { default: tracing | trappable },
    wasmtime_crate: bench_wasm::wasmtime,
});
