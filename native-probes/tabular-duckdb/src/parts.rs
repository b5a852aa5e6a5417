//! The series of an operation that has several stages: of the whole, and of each.

use crate::stage::Stage;
use bench_model::{Metric, ModuleError, Scenario, Unit};
use probe_abi::{Host, Series};
use table_core::clock::{Clock, OTHER};

/// A scenario with the series of its stages.
pub(crate) fn described(scenario: Scenario) -> Scenario {
    let stage = "from the end of the statement before, or the start, to the end of this stage's; `other` is the rest of the whole";
    let clock = "from before the first statement until the last has ended";
    scenario.times_itself(Unit::Nanoseconds, clock).metric(Metric::new("stage", Unit::Nanoseconds, stage).label("name"))
}

#[derive(Debug)]
pub(crate) struct Parts {
    whole: Series,
    parts: Vec<(&'static str, Series)>,
}

impl Parts {
    pub(crate) fn open(host: Host, stage: Stage) -> Result<Self, ModuleError> {
        let mut names = stage.parts().to_vec();
        names.dedup();
        names.push(OTHER);
        let parts = names.into_iter().map(|name| Ok((name, host.series("stage", &[("name", name)])?)));
        let parts = parts.collect::<Result<Vec<_>, ModuleError>>()?;
        Ok(Self { whole: host.series(stage.name(), &[])?, parts })
    }

    /// Records an operation.
    pub(crate) fn record(&self, clock: Clock) {
        let (whole, parts) = clock.stop();
        self.whole.record(whole);
        for (name, ns) in parts {
            let series = self.parts.iter().find(|(known, _)| *known == name);
            series.into_iter().for_each(|(_, series)| series.record(ns));
        }
    }
}
