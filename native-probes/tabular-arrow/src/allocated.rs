//! What an operation allocates, counted in operations that are not timed.

use bench_model::{Metric, ModuleError, Scenario, Unit};
use probe_abi::Host;
use table_core::allocator::{Counts, METRICS, samples};

/// Adds the metrics to a scenario.
pub(crate) fn described(scenario: Scenario) -> Scenario {
    let unit = |is_bytes| if is_bytes { Unit::Bytes } else { Unit::Count };
    let add = |scenario: Scenario, (name, is_bytes, what): (&str, bool, &str)| {
        scenario.metric(Metric::new(name, unit(is_bytes), what))
    };
    METRICS.into_iter().fold(scenario, add)
}

/// Records what the first operation and the next one allocated. Without a host, nothing is recorded.
pub(crate) fn record(host: Option<Host>, first: Counts, next: Counts) -> Result<(), ModuleError> {
    let Some(host) = host else { return Ok(()) };
    samples(first, next).into_iter().try_for_each(|(metric, sample)| {
        host.series(metric, &[])?.record(sample);
        Ok(())
    })
}
