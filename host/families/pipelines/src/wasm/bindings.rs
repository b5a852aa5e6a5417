//! The host's side of `wit/pipeline`, made at build time.

#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

bench_wasm::wasmtime::component::bindgen!({
    inline: "package bench-host:connectors; world connectors {
        import bench-host:pipeline/batches@0.1.0;
        export bench-host:pipeline/source@0.1.0;
        export bench-host:pipeline/destination@0.1.0;
    }",
    path: ["../../../wit/workload", "../../../wit/pipeline"],
    world: "bench-host:connectors/connectors",
    imports: { default: tracing | trappable },
    with: { "bench-host:workload/types": bench_wasm::wit::types },
    wasmtime_crate: bench_wasm::wasmtime,
});
