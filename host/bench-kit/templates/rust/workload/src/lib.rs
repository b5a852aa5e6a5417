//! What is measured, and how its result is checked.

use bench_plugin::prelude::*;
use std::hint::black_box;

struct Numbers;

impl Plugin for Numbers {
    fn describe() -> Descriptor {
        let n = Parameter::new("n", 4096, "How many numbers").unit(Unit::Count).between(1, 1 << 20);
        let sum = Scenario::new("sum", "example", "Adds numbers that lie in memory.");
        // The column `limit` then says how far it is from what the machine can read.
        let sum = sum.limit(MachineLimit::MemoryRead).parameter(n);
        Descriptor::new("{{name}}", env!("CARGO_PKG_VERSION"), "Adds numbers.").scenario(sum)
    }

    /// Everything that is not to be timed: input is made here.
    fn open(_scenario: &str, arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let n = arguments.size("n")? as u64;
        Ok(Box::new(Sum { numbers: (1..=n).collect(), found: 0 }))
    }
}

struct Sum {
    numbers: Vec<u64>,
    found: u64,
}

impl Session for Sum {
    /// Timed: `times` operations and nothing else.
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            // Without `black_box` the compiler may compute one sum for all operations.
            self.found = black_box(black_box(&self.numbers).iter().sum());
        }
        let bytes = size_of_val(self.numbers.as_slice()) as u64;
        Ok(Outcome { operations: times, bytes: times * bytes, checksum: self.found })
    }

    /// Compares the result with one that was found in another way. A figure counts only if this passes.
    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let n = self.numbers.len() as u64;
        Ok(vec![Check::equal("sum", &(n * (n + 1) / 2), &self.found)])
    }
}

bench_plugin::export!(Numbers);
