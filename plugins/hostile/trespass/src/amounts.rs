//! Scenarios that ask for more of something than there may be.

use bench_plugin::model::Arm;
use bench_plugin::prelude::*;
use bench_plugin::{Durability, PageState, PeerConfig, Placement, Series, Task, Waiting};

/// Each, with what it does.
pub(crate) const ALL: &[(&str, &str)] = &[
    ("rings", "Opens a thousand rings."),
    ("ring-bytes", "Opens a hundred of the largest rings."),
    ("peers", "Starts a thousand peers."),
    ("logs", "Opens a thousand logs."),
    ("series", "Opens a hundred thousand series."),
    ("labels", "Opens a series with a label of a megabyte."),
    ("hand-over", "Records more samples in one call than a call may pass to the host."),
    ("checks", "Returns a hundred thousand checks."),
    ("long-check", "Returns a check with a text of a megabyte."),
];

/// The metric of all but `greatest`.
pub(crate) const METRIC: &str = "counted";

/// The name of the scenario with the greatest numbers.
const GREATEST: &str = "greatest";

const MANY: usize = 1_000;
const MEGABYTE: usize = 1 << 20;

/// The size of a ring: the smallest on every machine, and the largest.
const RING_BYTES: u32 = 1 << 16;
const RING_BYTES_MAX: u32 = 64 << 20;

/// The smallest segment of a log.
const SEGMENT_BYTES: u64 = 64 << 10;

/// More than 64 MiB of samples.
const SAMPLES: usize = 9 << 20;

pub(crate) fn describe_greatest() -> Scenario {
    Scenario::new(GREATEST, "hostile", "Records the greatest numbers that there are.")
        .in_arms([Arm::Wasm])
        .times_itself(Unit::Nanoseconds, "it invents the time")
}

/// Opens as many as `open` allows, at most so many.
fn all<T: 'static>(
    count: usize,
    open: impl FnMut(usize) -> Result<T, ModuleError>,
) -> Result<Box<dyn Session>, ModuleError> {
    let kept = (0..count).map(open).collect::<Result<Vec<_>, _>>()?;
    Ok(each(move || kept.len() as u64))
}

pub(crate) fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
    let peer = PeerConfig {
        task: Task::Echo,
        waiting: Waiting::Sleeping,
        placement: Placement::Same,
        ring_bytes: RING_BYTES,
    };
    match scenario {
        "rings" => all(MANY, |number| host.ring_producer(&number.to_string(), RING_BYTES, false)),
        "ring-bytes" => all(100, |number| host.ring_producer(&number.to_string(), RING_BYTES_MAX, false)),
        "peers" => all(MANY, |_| host.ring_peer(peer)),
        "logs" => {
            let directory = arguments.text(crate::DIRECTORY)?;
            all(MANY, |_| host.log(directory, Durability::None, PageState::Fresh, SEGMENT_BYTES))
        }
        "series" => all(100 * MANY, |number| host.series(METRIC, &[("name", number.to_string().as_str())])),
        "labels" => all(1, |_| host.series(METRIC, &[("name", "x".repeat(MEGABYTE).as_str())])),
        "hand-over" => {
            let series = host.series(METRIC, &[("name", "x")])?;
            Ok(Box::new(Recorded { series, samples: vec![1; SAMPLES], bytes: 0 }))
        }
        GREATEST => {
            let series = host.series(GREATEST, &[])?;
            Ok(Box::new(Recorded { series, samples: vec![u64::MAX], bytes: u64::MAX }))
        }
        "checks" => Ok(Box::new(Checked { count: 100 * MANY, detail_bytes: 0 })),
        "long-check" => Ok(Box::new(Checked { count: 1, detail_bytes: MEGABYTE })),
        other => Err(ModuleError::UnknownScenario(other.to_owned())),
    }
}

/// Records the same samples in each operation, and says that it was of so many bytes.
struct Recorded {
    series: Series,
    samples: Vec<u64>,
    bytes: u64,
}

impl Session for Recorded {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        (0..times).for_each(|_| self.series.append(&self.samples));
        Ok(Outcome { operations: times, bytes: self.bytes, checksum: 42 })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![Check::that("result", true, "")])
    }
}

/// Returns so many checks.
struct Checked {
    count: usize,
    detail_bytes: usize,
}

impl Session for Checked {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        (0..times).for_each(|turn| _ = std::hint::black_box(turn));
        Ok(Outcome { operations: times, bytes: 0, checksum: 42 })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let detail = "x".repeat(self.detail_bytes);
        Ok((0..self.count).map(|number| Check::that(format!("c{number}"), true, detail.as_str())).collect())
    }
}
