//! The overhead of the host: an empty batch, and samples recorded by the module.

use bench_plugin::Series;
use bench_plugin::prelude::*;

struct Overhead;

impl Plugin for Overhead {
    fn describe() -> Descriptor {
        let empty =
            Scenario::new("empty", "self", "One iteration of an empty loop: the overhead per operation of a batch.");
        let record = Scenario::new("record", "self", "Passes one batch of samples to the sink.")
            .parameter(Parameter::new("batch", 1024, "samples in one call").between(1, 65_536))
            .metric(Metric::new("recorded", Unit::Count, "Values of a counter; only the time to record them matters."));
        Descriptor::new("overhead", env!("CARGO_PKG_VERSION"), "The overhead of the host.")
            .scenario(empty)
            .scenario(record)
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        match scenario {
            "empty" => Ok(each(|| 0)),
            "record" => {
                let samples: Vec<u64> = (1..).take(arguments.size("batch")?).collect();
                Ok(Box::new(Record { series: host.series("recorded", &[])?, samples, batches: 0 }))
            }
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }
}

struct Record {
    series: Series,
    samples: Vec<u64>,
    batches: u64,
}

impl Session for Record {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.series.append(&self.samples);
        }
        self.batches += times;
        Ok(Outcome { operations: times, bytes: 0, checksum: self.samples.iter().sum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![Check::that("recorded", self.batches > 0, format!("{} batches recorded", self.batches))])
    }
}

bench_plugin::export!(Overhead);
