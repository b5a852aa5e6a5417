//! Compares the host's code path with a direct use of the engine. Every operation executes both, interleaved, so that disturbances of
//! the machine affect both.

use super::sessions::{by_path, closure};
use bench_drivers::{Module, Recording};
use bench_model::{Arguments, ModuleError};
use bench_sink::{SeriesId, Sink};
use bench_wasm::{CallPair, Component, InstantiatePair, PairNs};

pub(super) fn component_call(component: &Component, mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let empty = component.descriptor().scenarios.iter().find(|scenario| scenario.name == "empty");
    let empty = empty.ok_or_else(|| ModuleError::Other("the component describes no scenario `empty`".to_owned()))?;
    let mut pair = CallPair::new(component, empty, &Arguments::default())?;
    let series = by_path(&mut sink, "calls_1000")?;
    let mut turn = Turn::default();
    Ok(closure(sink, move |sink| record(sink, series, pair.time(1_000, turn.next())?)))
}

pub(super) fn instantiation(component: Component, mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let pair = InstantiatePair::new(component);
    let series = by_path(&mut sink, "instances_10")?;
    let mut turn = Turn::default();
    Ok(closure(sink, move |sink| record(sink, series, pair.time(10, turn.next())?)))
}

fn record(sink: &mut Sink, [host, bare]: [SeriesId; 2], pair: PairNs) -> Result<(), ModuleError> {
    let recorded = sink.append(host, &[pair.host]).and_then(|()| sink.append(bare, &[pair.bare]));
    recorded.map_err(|error| ModuleError::Other(error.to_string()))
}

/// Whether the first of two comes first; it alternates.
#[derive(Default)]
pub(super) struct Turn(bool);

impl Turn {
    pub(super) fn next(&mut self) -> bool {
        self.0 = !self.0;
        self.0
    }
}
