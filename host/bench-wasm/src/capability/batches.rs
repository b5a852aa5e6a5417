//! `bench-host:pipeline/batches`: each batch is copied between the component's memory and the driver's hands, which is what the
//! boundary costs.

use crate::bindings::pipeline::bench_host::pipeline::batches;
use crate::state::State;
use bench_drivers::pipelines::{BatchError, Emit, Next};
use std::borrow::Cow;
use wasmtime::Result;

/// What the call under way may do with batches.
pub(crate) enum Batches {
    /// No call is under way that carries any.
    None,
    Emit(Box<dyn Emit>),
    Next(Box<dyn Next>),
}

impl batches::Host for State {
    fn emit(&mut self, batch: Vec<u8>) -> Result<Result<(), batches::Error>> {
        self.body(move |state| {
            state.traffic.lifted += batch.len() as u64;
            Ok(match &mut state.batches {
                Batches::Emit(emit) => emit.emit(Cow::Owned(batch)).map_err(batches::Error::from),
                Batches::Next(_) | Batches::None => Err(refused("emit", "read")),
            })
        })
    }

    fn next(&mut self) -> Result<Result<Option<Vec<u8>>, batches::Error>> {
        self.body(|state| {
            let batch = match &mut state.batches {
                Batches::Next(next) => next.next().map_err(batches::Error::from),
                Batches::Emit(_) | Batches::None => Err(refused("next", "write")),
            };
            state.traffic.lowered += batch.iter().flatten().map(|batch| batch.len() as u64).sum::<u64>();
            Ok(batch)
        })
    }
}

fn refused(function: &str, caller: &str) -> batches::Error {
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
