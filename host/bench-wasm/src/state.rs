//! The data of a store for one session: sink, grants, and the state of each capability; and the counts of the boundary, if they
//! are requested.

use crate::ledger::Observer;
use crate::limits::{Limiter, RESOURCES_MAX};
use crate::{LoadError, Runtime};
use bench_drivers::{Grants, ScratchGrant};
use bench_model::Metric;
use bench_sink::Sink;
use std::any::Any;
use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// The host's side of a session.
#[expect(missing_debug_implementations, reason = "what WASI holds cannot be shown")]
pub struct State {
    pub(crate) sink: Sink,
    /// The folders in which it may create logs.
    pub(crate) scratch: Vec<ScratchGrant>,
    pub(crate) table: ResourceTable,
    pub(crate) traffic: Traffic,
    /// Who takes the time at the boundary, in a session that a ledger observes.
    pub(crate) observer: Option<Observer>,
    /// The states of the capabilities. There are only a few, so a linear search is faster than hashing.
    slots: Vec<Box<dyn Any + Send>>,
    wasi: WasiCtx,
    limiter: Limiter,
}

/// Bytes that functions of capabilities have copied through the boundary: those of samples and messages, not those of handles,
/// lengths and names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Out of the component's memory.
    pub(crate) lifted: u64,
    /// Into the component's memory.
    pub(crate) lowered: u64,
}

impl State {
    /// The size of the component's linear memories.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.limiter.memory_bytes()
    }

    /// Runs the body of a capability's function, and notifies an observer at its beginning and end. The time before and after it
    /// belongs to the boundary.
    #[inline]
    pub fn body<R>(&mut self, body: impl FnOnce(&mut Self) -> R) -> R {
        if let Some(observer) = &mut self.observer {
            observer.body_starts();
        }
        let result = body(self);
        if let Some(observer) = &mut self.observer {
            observer.body_ends();
        }
        result
    }

    /// The session's state of type `T` of a capability; created on the first call.
    pub fn slot<T: Default + Send + 'static>(&mut self) -> &mut T {
        self.slot_and_table().0
    }

    /// The state, and the table of the component's handles.
    pub fn slot_and_table<T: Default + Send + 'static>(&mut self) -> (&mut T, &mut ResourceTable) {
        let found = self.slots.iter().position(|slot| slot.is::<T>());
        let index = found.unwrap_or_else(|| {
            self.slots.push(Box::new(T::default()));
            self.slots.len() - 1
        });
        let slot = self.slots[index].downcast_mut();
        (slot.expect("it was just seen to have this type"), &mut self.table)
    }

    /// The table of the component's handles.
    pub fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// Counts bytes that a capability's function copied out of the component's memory.
    pub fn count_lifted(&mut self, bytes: u64) {
        self.traffic.lifted += bytes;
    }

    /// Counts bytes that a capability's function copied into the component's memory.
    pub fn count_lowered(&mut self, bytes: u64) {
        self.traffic.lowered += bytes;
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A store for one session of the module at `path`, which records `metrics` and has `grants`.
pub(crate) fn store(
    runtime: &Runtime,
    path: &Path,
    metrics: &[Metric],
    grants: &Grants,
) -> Result<Store<State>, LoadError> {
    store_with(runtime, path, metrics, grants, |_| ())
}

/// Like [`store`]; `set` configures the parts of WASI that are not grants.
pub(crate) fn store_with(
    runtime: &Runtime,
    path: &Path,
    metrics: &[Metric],
    grants: &Grants,
    set: impl FnOnce(&mut WasiCtxBuilder),
) -> Result<Store<State>, LoadError> {
    let mut wasi = wasi(grants).map_err(|reason| LoadError::Grant { path: path.to_owned(), reason })?;
    set(&mut wasi);
    let wasi = wasi.build();
    let mut table = ResourceTable::new();
    table.set_max_capacity(RESOURCES_MAX);
    let state = State {
        sink: Sink::new(metrics),
        scratch: grants.scratch.clone(),
        table,
        traffic: Traffic::default(),
        observer: None,
        slots: Vec::new(),
        wasi,
        limiter: Limiter::new(runtime.limits),
    };
    let mut store = runtime.store(state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(runtime.limits.handed_over_bytes_max);
    Ok(store)
}

/// What the names of granted addresses mean. They are looked up once a process, because stores are also made while a start is timed.
static RESOLVED: Mutex<BTreeMap<String, Vec<SocketAddr>>> = Mutex::new(BTreeMap::new());

/// The addresses that `address` means, from the first call for it.
pub(crate) fn resolve(address: &str) -> Result<Vec<SocketAddr>, String> {
    let mut known = RESOLVED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.get(address) {
        return Ok(found.clone());
    }
    let found = address.to_socket_addrs().map_err(|error| format!("cannot grant {address}: {error}"))?;
    let found: Vec<_> = found.collect();
    known.insert(address.to_owned(), found.clone());
    Ok(found)
}

/// The WASI context with the grants and nothing else. A module's output goes to that of the worker, whose size the parent bounds.
fn wasi(grants: &Grants) -> Result<WasiCtxBuilder, String> {
    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stdout().inherit_stderr();
    // One module, one thread: file calls need not run on another thread.
    wasi.allow_blocking_current_thread(true);
    for directory in &grants.directories {
        let permissions = if directory.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        wasi.preopened_dir(&directory.host, &directory.guest, permissions)
            .map_err(|error| format!("cannot grant the folder {}: {error}", directory.host.display()))?;
    }
    for (name, value) in &grants.environment {
        wasi.env(name, value);
    }
    let mut allowed: Vec<SocketAddr> = Vec::new();
    for address in &grants.connections {
        allowed.extend(resolve(address)?);
    }
    wasi.allow_tcp(!allowed.is_empty()).allow_udp(false).allow_ip_name_lookup(!allowed.is_empty());
    wasi.socket_addr_check(move |address, purpose| {
        // A connecting socket is first bound to any local address and any free port.
        let is_any = address.ip().is_unspecified() && address.port() == 0;
        let granted = match purpose {
            SocketAddrUse::TcpConnect => allowed.contains(&address),
            SocketAddrUse::TcpBind => is_any && !allowed.is_empty(),
            _ => false,
        };
        Box::pin(async move { granted })
    });
    Ok(wasi)
}
