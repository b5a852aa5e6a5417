//! What a store holds for one session: its sink, its rings, and what it was granted.

use crate::limits::Limiter;
use crate::{Limits, LoadError};
use bench_drivers::Grants;
use bench_model::Metric;
use bench_sink::Sink;
use shm_ring::Rings;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// One session's side of the host.
pub(crate) struct State {
    pub(crate) sink: Sink,
    pub(crate) rings: Rings,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    limiter: Limiter,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A store for one session of the module at `path` that records `metrics` and may use what `grants` holds.
pub(crate) fn store(
    engine: &Engine,
    path: &Path,
    limits: Limits,
    metrics: &[Metric],
    grants: &Grants,
) -> Result<Store<State>, LoadError> {
    let wasi = wasi(grants).map_err(|reason| LoadError::Grant { path: path.to_owned(), reason })?;
    let state = State {
        sink: Sink::new(metrics),
        rings: Rings::default(),
        table: ResourceTable::new(),
        wasi,
        limiter: Limiter::new(limits),
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(limits.handed_over_bytes_max);
    Ok(store)
}

/// What is granted, and nothing else. A module's output goes to the worker's, which its parent bounds.
fn wasi(grants: &Grants) -> Result<WasiCtx, String> {
    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stdout().inherit_stderr();
    // One module, one thread: file calls need no other thread to be waited for.
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
        let found = address.to_socket_addrs().map_err(|error| format!("cannot grant {address}: {error}"))?;
        allowed.extend(found);
    }
    wasi.allow_tcp(!allowed.is_empty()).allow_udp(false).allow_ip_name_lookup(!allowed.is_empty());
    wasi.socket_addr_check(move |address, _purpose| {
        let granted = allowed.contains(&address);
        Box::pin(async move { granted })
    });
    Ok(wasi.build())
}
