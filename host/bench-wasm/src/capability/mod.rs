//! What a component can import: one file a capability, each linking its interface and answering its calls.

pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod ring;

use crate::state::State;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Result};

/// A linker that offers every capability. WASI is always linked, because every standard library imports it; where nothing is
/// granted it denies.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    crate::bindings::workload::bench_host::workload::types::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| {
        state
    })?;
    crate::bindings::workload::bench_host::workload::metrics::add_to_linker::<_, HasSelf<State>>(
        &mut linker,
        |state| state,
    )?;
    crate::bindings::log::bench_host::log::log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    crate::bindings::ring::bench_host::ring::ring::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Bytes of all of these.
fn total_bytes(messages: &[Vec<u8>]) -> u64 {
    messages.iter().map(|message| message.len() as u64).sum()
}
