//! What an operation allocates: metrics that every scenario over rows has. It is counted in operations that are not timed.

use bench_plugin::prelude::*;
use table_core::allocator::{Counts, METRICS, samples};

/// The metric with the bytes of each stage of several.
pub(crate) const OF_STAGE: &str = "stage_allocated";

/// Adds the metrics to a scenario.
pub(crate) fn described(scenario: Scenario) -> Scenario {
    let unit = |is_bytes| if is_bytes { Unit::Bytes } else { Unit::Count };
    let add = |scenario: Scenario, (name, is_bytes, what): (&str, bool, &str)| {
        scenario.metric(Metric::new(name, unit(is_bytes), what))
    };
    METRICS.into_iter().fold(scenario, add)
}

/// Records what the first operation and the next one allocated.
pub(crate) fn record(host: Host, first: Counts, next: Counts) -> Result<(), ModuleError> {
    samples(first, next).into_iter().try_for_each(|(metric, sample)| {
        host.series(metric, &[])?.record(sample);
        Ok(())
    })
}
