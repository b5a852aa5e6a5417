//! What a component can import: one file a capability, each linking its interface and answering its calls.

pub(crate) mod batches;
pub(crate) mod control_plane;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod peers;
pub(crate) mod ring;

use crate::state::State;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Result};

/// A linker that offers every capability. WASI is always linked, because every standard library imports it; where nothing is
/// granted it denies.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    http::add_to_linker(&mut linker)?;
    add_own_to_linker(&mut linker)?;
    Ok(linker)
}

/// As [`linker`], for instances whose calls are awaited.
pub(crate) fn awaiting_linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    http::add_to_awaiting_linker(&mut linker)?;
    add_own_to_linker(&mut linker)?;
    Ok(linker)
}

/// What is the host's alone. None of it waits for the network; what waits for a peer process keeps its thread.
fn add_own_to_linker(linker: &mut Linker<State>) -> Result<()> {
    use crate::bindings::{log, operator, pipeline, ring, workload};
    workload::bench_host::workload::types::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    workload::bench_host::workload::metrics::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    pipeline::bench_host::pipeline::batches::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    operator::bench_host::operator::types::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    operator::bench_host::operator::control_plane::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    log::bench_host::log::log::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    ring::bench_host::ring::peers::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    ring::bench_host::ring::ring::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
}

/// Bytes of all of these.
fn total_bytes(messages: &[Vec<u8>]) -> u64 {
    messages.iter().map(|message| message.len() as u64).sum()
}
