//! The capabilities that components can import. Each links its interface and answers its calls. Those of the host are here, one file
//! each; families bring others.

mod log;
pub(crate) mod metrics;
mod ring;

use crate::state::State;
use wasmtime::component::Linker;
use wasmtime::{Engine, Result};

/// Interfaces that components can import, given to a [`Runtime`](crate::Runtime) when it is made. What a session holds for it is
/// a [slot](State::slot) of the session's state, made when it is first asked for.
pub trait Capability: Sync {
    /// The names of its interfaces that are in no package of WASI or bench-host, and of packages of WASI that it provides.
    fn names(&self) -> &'static [&'static str] {
        &[]
    }

    /// Links the interfaces for instances whose calls wait in place.
    fn link(&self, linker: &mut Linker<State>) -> Result<()>;

    /// Links them for instances whose calls are awaited. The same, unless a call waits for something outside of this thread.
    fn link_awaited(&self, linker: &mut Linker<State>) -> Result<()> {
        self.link(linker)
    }

    /// Links those of WASI 0.3 in addition, for components that are built for it.
    fn link_wasi_0_3(&self, linker: &mut Linker<State>) -> Result<()> {
        let _ = linker;
        Ok(())
    }
}

/// What every component can import: a file or folder each, which has its interface, what a session holds for it, and its calls.
const OWN: Capabilities = &[&log::LogCapability, &metrics::MetricsCapability, &ring::RingCapability];

/// The capabilities of a family, or of several.
pub type Capabilities = &'static [&'static dyn Capability];

/// A linker that offers every capability. WASI is always linked, because every standard library imports it; where nothing is
/// granted it denies.
pub(crate) fn linker(engine: &Engine, further: Capabilities) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    add_own_to_linker(&mut linker)?;
    further.iter().try_for_each(|capability| capability.link(&mut linker))?;
    Ok(linker)
}

/// As [`linker`], for instances whose calls are awaited.
#[cfg(feature = "awaited-calls")]
pub(crate) fn awaiting_linker(engine: &Engine, further: Capabilities) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    add_own_to_linker(&mut linker)?;
    further.iter().try_for_each(|capability| capability.link_awaited(&mut linker))?;
    Ok(linker)
}

/// `linker`, which also offers WASI 0.3.
#[cfg(feature = "wasi-0-3")]
pub(crate) fn with_wasi_0_3(mut linker: Linker<State>, further: Capabilities) -> Result<Linker<State>> {
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    further.iter().try_for_each(|capability| capability.link_wasi_0_3(&mut linker))?;
    Ok(linker)
}

/// What is the host's alone. None of it waits for the network; what waits for a peer process keeps its thread.
fn add_own_to_linker(linker: &mut Linker<State>) -> Result<()> {
    OWN.iter().try_for_each(|capability| capability.link(linker))
}

/// Bytes of all of these.
fn total_bytes(messages: &[Vec<u8>]) -> u64 {
    messages.iter().map(|message| message.len() as u64).sum()
}
