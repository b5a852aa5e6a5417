//! The host's side of the WIT packages, generated at build time.

#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

pub(crate) mod workload {
    wasmtime::component::bindgen!({
        path: "../../wit/workload",
        world: "workload",
        imports: { default: tracing | trappable },
        with: { "bench-host:workload/metrics.series": crate::capability::metrics::OpenSeries },
    });
}

pub(crate) mod pipeline {
    wasmtime::component::bindgen!({
        inline: "package bench-host:connectors; world connectors {
            import bench-host:pipeline/batches@0.1.0;
            export bench-host:pipeline/source@0.1.0;
            export bench-host:pipeline/destination@0.1.0;
        }",
        path: ["../../wit/workload", "../../wit/pipeline"],
        world: "bench-host:connectors/connectors",
        imports: { default: tracing | trappable },
        with: { "bench-host:workload/types": crate::bindings::workload::bench_host::workload::types },
    });
}
