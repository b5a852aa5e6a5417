//! The functions that an operator exports, which are the same in every accepted version of `bench-host:operator`.

use super::bindings::bench_host::operator::types::Event;
use super::bindings::exports::bench_host::operator::operator as current;
use super::bindings_0_1::exports::bench_host::operator::operator as former;
use crate::operators::Scope;
use bench_wasm::State;
use bench_wasm::wasmtime::component::{Instance, InstancePre};
use bench_wasm::wasmtime::{Result, Store};

/// The indices of the functions among the exports.
pub(super) enum Indices {
    Current(current::GuestIndices),
    Former(former::GuestIndices),
}

/// The functions of one instance.
pub(super) enum Exports {
    Current(current::Guest),
    Former(former::Guest),
}

impl Indices {
    /// Finds the functions in this version or the one before.
    pub(super) fn new(instance: &InstancePre<State>) -> Result<Self> {
        match former::GuestIndices::new(instance) {
            Ok(indices) => Ok(Self::Former(indices)),
            // Its error speaks of the version that is to be used.
            Err(_) => current::GuestIndices::new(instance).map(Self::Current),
        }
    }

    /// The functions of `instance`.
    pub(super) fn load(&self, store: &mut Store<State>, instance: &Instance) -> Result<Exports> {
        Ok(match self {
            Self::Current(indices) => Exports::Current(indices.load(store, instance)?),
            Self::Former(indices) => Exports::Former(indices.load(store, instance)?),
        })
    }
}

impl Exports {
    pub(super) fn start(
        &self,
        store: &mut Store<State>,
        arguments: &[(String, String)],
    ) -> Result<Result<Vec<Scope>, String>> {
        Ok(match self {
            Self::Current(guest) => guest
                .call_start(store, arguments)?
                .map(|watches| watches.into_iter().map(|watch| Scope::new(watch.kind, watch.namespace)).collect()),
            Self::Former(guest) => guest
                .call_start(store, arguments)?
                .map(|watches| watches.into_iter().map(|watch| Scope::new(watch.kind, watch.namespace)).collect()),
        })
    }

    pub(super) fn reconcile(&self, store: &mut Store<State>, event: &Event) -> Result<Result<(), String>> {
        match self {
            Self::Current(guest) => guest.call_reconcile(store, event),
            Self::Former(guest) => guest.call_reconcile(store, event),
        }
    }

    pub(super) fn suspend(&self, store: &mut Store<State>) -> Result<Vec<u8>> {
        match self {
            Self::Current(guest) => guest.call_suspend(store),
            Self::Former(guest) => guest.call_suspend(store),
        }
    }

    pub(super) fn resume(&self, store: &mut Store<State>, state: &[u8]) -> Result<Result<(), String>> {
        match self {
            Self::Current(guest) => guest.call_resume(store, state),
            Self::Former(guest) => guest.call_resume(store, state),
        }
    }
}
