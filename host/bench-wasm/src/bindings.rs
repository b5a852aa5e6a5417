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
