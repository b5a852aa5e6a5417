//! `bench-host:pipeline/batches`: each batch is copied between the component's memory and the driver's hands, which is what the
//! boundary costs.

use super::bindings::bench_host::pipeline::batches;
use crate::connectors::{BatchError, Emit, Next};
use bench_wasm::wasmtime::Result;
use bench_wasm::wasmtime::component::{HasSelf, Linker};
use bench_wasm::{Capability, State};
use std::borrow::Cow;

/// The capability.
pub(crate) struct BatchTransfer;

/// The capability, as the family lists it.
pub(crate) const BATCHES: BatchTransfer = BatchTransfer;

impl Capability for BatchTransfer {
    fn link(&self, linker: &mut Linker<State>) -> Result<()> {
        batches::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
    }
}

/// What the call under way may do with batches; what a session holds for the capability.
#[derive(Default)]
pub(super) enum Batches {
    /// No call is under way that carries any.
    #[default]
    None,
    /// The component reads.
    Emit(Box<dyn Emit>),
    /// The component writes.
    Next(Box<dyn Next>),
    /// The component changes what it takes, and hands it on.
    Both(Box<dyn Next>, Box<dyn Emit>),
}

impl batches::Host for State {
    fn emit(&mut self, batch: Vec<u8>) -> Result<Result<(), batches::Error>> {
        self.body(move |state| {
            state.count_lifted(batch.len() as u64);
            Ok(match state.slot::<Batches>() {
                Batches::Emit(emit) | Batches::Both(_, emit) => {
                    emit.emit(Cow::Owned(batch)).map_err(batches::Error::from)
                }
                Batches::Next(_) | Batches::None => Err(wrong_caller("emit", "read")),
            })
        })
    }

    fn next(&mut self) -> Result<Result<Option<Vec<u8>>, batches::Error>> {
        self.body(|state| {
            let batch = match state.slot::<Batches>() {
                Batches::Next(next) | Batches::Both(next, _) => next.next().map_err(batches::Error::from),
                Batches::Emit(_) | Batches::None => Err(wrong_caller("next", "write")),
            };
            state.count_lowered(batch.iter().flatten().map(|batch| batch.len() as u64).sum());
            Ok(batch)
        })
    }
}

fn wrong_caller(function: &str, caller: &str) -> batches::Error {
    batches::Error::Other(format!("`{function}` is for a component whose `{caller}` was called; call it from there"))
}

impl From<BatchError> for batches::Error {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Closed => Self::Closed,
            BatchError::TooLarge(bytes_max) => Self::TooLarge(bytes_max),
            BatchError::Other(reason) => Self::Other(reason),
        }
    }
}
