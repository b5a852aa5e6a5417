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

pub(crate) mod operator {
    wasmtime::component::bindgen!({
        path: "../../wit/operator",
        world: "module",
        imports: { default: tracing | trappable },
    });
}

/// The version before, whose control plane gives back whole objects.
pub(crate) mod operator_0_1 {
    wasmtime::component::bindgen!({
        path: "../../wit/operator/published/0.1.0.wit",
        world: "module",
        imports: { default: tracing | trappable },
        with: { "bench-host:operator/types": crate::bindings::operator::bench_host::operator::types },
    });
}
