//! The functions that an operator exports, in each version of `bench-host:operator` that is accepted. They differ in what the
//! control plane gives back, which the operator imports, and not in these.

use crate::bindings::operator::bench_host::operator::types::Event;
use crate::bindings::{operator, operator_0_1};
use crate::state::State;
use bench_drivers::operators::Scope;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store};

/// Where the functions are among the exports.
pub(crate) enum Indices {
    Current(operator::exports::bench_host::operator::operator::GuestIndices),
    Former(operator_0_1::exports::bench_host::operator::operator::GuestIndices),
}

/// The functions of one instance.
pub(crate) enum Exports {
    Current(operator::exports::bench_host::operator::operator::Guest),
    Former(operator_0_1::exports::bench_host::operator::operator::Guest),
}

impl Indices {
    /// Finds them, in this version or the one before.
    pub(crate) fn new(instance: &InstancePre<State>) -> Result<Self> {
        use operator::exports::bench_host::operator::operator as current;
        use operator_0_1::exports::bench_host::operator::operator as former;
        match former::GuestIndices::new(instance) {
            Ok(indices) => Ok(Self::Former(indices)),
            // Its error speaks of the version that is to be used.
            Err(_) => current::GuestIndices::new(instance).map(Self::Current),
        }
    }

    /// Those of `instance`.
    pub(crate) fn load(&self, store: &mut Store<State>, instance: &Instance) -> Result<Exports> {
        Ok(match self {
            Self::Current(indices) => Exports::Current(indices.load(store, instance)?),
            Self::Former(indices) => Exports::Former(indices.load(store, instance)?),
        })
    }
}

impl Exports {
    pub(crate) fn start(
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

    pub(crate) fn reconcile(&self, store: &mut Store<State>, event: &Event) -> Result<Result<(), String>> {
        match self {
            Self::Current(guest) => guest.call_reconcile(store, event),
            Self::Former(guest) => guest.call_reconcile(store, event),
        }
    }

    pub(crate) fn suspend(&self, store: &mut Store<State>) -> Result<Vec<u8>> {
        match self {
            Self::Current(guest) => guest.call_suspend(store),
            Self::Former(guest) => guest.call_suspend(store),
        }
    }

    pub(crate) fn resume(&self, store: &mut Store<State>, state: &[u8]) -> Result<Result<(), String>> {
        match self {
            Self::Current(guest) => guest.call_resume(store, state),
            Self::Former(guest) => guest.call_resume(store, state),
        }
    }
}
