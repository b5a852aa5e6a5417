//! The figures of a chain. They are kept while the driver measures and recorded into the sink afterwards, so that the sink is not
//! part of the measured memory.

use super::memory::Sample;
use crate::spec::{CHAIN, PHASE, metric};
use bench_drivers::{CellFailure, record};
use bench_sink::Sink;

/// Maximum number of timed tokens with all operators loaded, enough for every quantile of a report.
pub(super) const CHAINS_MAX: usize = 1 << 16;

/// Times and sizes, in nanoseconds and bytes.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) load_ns: Vec<u64>,
    pub(super) load_all_ns: Vec<u64>,
    pub(super) chain_ns: Vec<u64>,
    pub(super) wake_ns: Vec<u64>,
    pub(super) chain_cold_ns: Vec<u64>,
    pub(super) unload_ns: Vec<u64>,
    pub(super) state_bytes: Vec<u64>,
}

impl Figures {
    /// No figures. The memory for those that are kept while memory is measured is allocated and was written.
    pub(super) fn with_room(operators: usize) -> Self {
        let room = |samples| {
            let mut room = vec![u64::MAX; samples];
            room.clear();
            room
        };
        let (load_ns, chain_ns) = (room(operators), room(CHAINS_MAX));
        let [load_all_ns, wake_ns, chain_cold_ns, unload_ns, state_bytes] = [const { Vec::new() }; 5];
        Self { load_ns, load_all_ns, chain_ns, wake_ns, chain_cold_ns, unload_ns, state_bytes }
    }

    /// Records everything but memory, of a chain of this many operators.
    pub(super) fn record(&self, sink: &mut Sink, operators: usize) -> Result<(), CellFailure> {
        let hops: Vec<_> = self.chain_ns.iter().map(|ns| ns / operators as u64).collect();
        let series = [
            (CHAIN, &self.chain_ns),
            (metric::HOP, &hops),
            (metric::LOAD, &self.load_ns),
            (metric::LOAD_ALL, &self.load_all_ns),
            (metric::UNLOAD, &self.unload_ns),
            (metric::WAKE, &self.wake_ns),
            (metric::CHAIN_COLD, &self.chain_cold_ns),
            (metric::STATE, &self.state_bytes),
        ];
        series.iter().try_for_each(|(metric, samples)| record(sink, metric, &[], samples))
    }
}

/// Records memory by phase, and the times of its samples.
pub(super) fn memory(sink: &mut Sink, samples: &[Sample]) -> Result<(), CellFailure> {
    for sample in samples {
        let labels = [(PHASE, sample.phase)];
        record(sink, metric::MEMORY_PSS, &labels, &[sample.memory.pss_bytes])?;
        record(sink, metric::MEMORY_PRIVATE, &labels, &[sample.memory.private_bytes])?;
        record(sink, metric::MEMORY_AT, &labels, &[sample.at_ns])?;
    }
    Ok(())
}
