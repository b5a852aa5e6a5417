//! A scenario that records more samples in each operation than are kept in order.

use bench_plugin::Series;
use bench_plugin::prelude::*;

/// Samples of one operation.
const SAMPLES: usize = 1 << 20;

/// A session that records them.
pub(crate) struct Flood {
    lag: Series,
    samples: Vec<u64>,
}

impl Flood {
    pub(crate) fn describe() -> Scenario {
        let lag = Metric::new("lag", Unit::Nanoseconds, "of nothing in particular");
        Scenario::new("flood", "hostile", "Records a million samples an operation.").metric(lag)
    }

    pub(crate) fn open(host: Host) -> Result<Self, ModuleError> {
        Ok(Self { lag: host.series("lag", &[])?, samples: vec![7; SAMPLES] })
    }
}

impl Session for Flood {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        (0..times).for_each(|_| self.lag.append(&self.samples));
        Ok(Outcome { operations: times, bytes: 0, checksum: 42 })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![Check::that("result", true, "")])
    }
}
