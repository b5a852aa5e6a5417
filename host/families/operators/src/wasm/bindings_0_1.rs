//! The host's side of version 0.1 of `bench-host:operator`, whose control plane returns whole objects.

#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

bench_wasm::wasmtime::component::bindgen!({
    path: "../../../wit/operator/published/0.1.0.wit",
    world: "module",
    imports: { default: tracing | trappable },
    with: { "bench-host:operator/types": crate::wasm::bindings::bench_host::operator::types },
    wasmtime_crate: bench_wasm::wasmtime,
});
