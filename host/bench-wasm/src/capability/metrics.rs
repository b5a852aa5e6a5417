//! `bench-host:workload/metrics`: a component's samples go straight into the session's sink.

use super::Capability;
use crate::bindings::workload::bench_host::workload::{metrics, types};
use crate::state::State;
use bench_sink::SeriesId;
use wasmtime::Result;
use wasmtime::component::{HasSelf, Linker, Resource};

/// The series of a session, which go into the sink of its state.
pub(super) struct MetricsCapability;

impl Capability for MetricsCapability {
    fn link(&self, linker: &mut Linker<State>) -> Result<()> {
        types::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        metrics::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
    }
}

/// What a `series` handle stands for.
#[expect(unreachable_pub, reason = "the generated bindings name it in a public alias")]
pub struct OpenSeries(SeriesId);

impl types::Host for State {}
impl metrics::Host for State {}

impl metrics::HostSeries for State {
    fn open(
        &mut self,
        metric: String,
        labels: Vec<(String, String)>,
    ) -> Result<Result<Resource<OpenSeries>, types::Error>> {
        self.body(move |state| match state.sink.open(&metric, &labels) {
            Ok(id) => Ok(Ok(state.table.push(OpenSeries(id))?)),
            Err(error) => Ok(Err(types::Error::InvalidArgument(error.to_string()))),
        })
    }

    fn append(&mut self, series: Resource<OpenSeries>, samples: Vec<u64>) -> Result<()> {
        self.body(move |state| {
            state.traffic.lifted += size_of_val(samples.as_slice()) as u64;
            let id = state.table.get(&series)?.0;
            Ok(state.sink.append(id, &samples)?)
        })
    }

    fn drop(&mut self, series: Resource<OpenSeries>) -> Result<()> {
        self.body(move |state| {
            state.table.delete(series)?;
            Ok(())
        })
    }
}
