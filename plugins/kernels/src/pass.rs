//! A session that runs a kernel: one operation is one pass over the input.

use crate::input;
use crate::kernel::Kernel;
use bench_plugin::prelude::*;
use std::hint::black_box;

pub(crate) struct Pass<K> {
    kernel: K,
    /// The digest of the first pass, which later passes must equal. Computing it takes a pass over the result, so it is
    /// not timed: it is done once here, and in `verify` for the last timed pass.
    first: u64,
}

impl<K: Kernel> Pass<K> {
    /// The scenario of the kernel: shared parameters and its own.
    pub(crate) fn describe() -> Scenario {
        let scenario = Scenario::new(K::NAME, "kernels", K::SUMMARY)
            .limit(MachineLimit::MemoryRead)
            .parameter(Parameter::new(
                "input",
                "@project",
                "file or folder to read; @project is the source code of this project",
            ))
            .parameter(
                Parameter::new("input_bytes_max", 4_194_304, "upper bound of the bytes that are used")
                    .unit(Unit::Bytes)
                    .between(1024, 1_073_741_824),
            )
            .requires("read:input", "the input of the kernel");
        K::parameters().into_iter().fold(scenario, Scenario::parameter)
    }

    pub(crate) fn open(arguments: &Arguments) -> Result<Box<dyn Session>, ModuleError> {
        let input = input::read(arguments.text("input")?, arguments.size("input_bytes_max")?)?;
        Ok(Box::new(Self::over(K::prepare(input, arguments)?)))
    }

    /// Runs one untimed pass, so that every buffer is allocated and there is a result even after a batch of 0.
    fn over(mut kernel: K) -> Self {
        kernel.run();
        let first = kernel.digest();
        Self { kernel, first }
    }
}

impl<K: Kernel> Session for Pass<K> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            // Makes the optimiser assume new input and a used result in every pass.
            black_box(&mut self.kernel).run();
        }
        Ok(Outcome { operations: times, bytes: times * self.kernel.bytes(), checksum: self.first })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let mut checks = self.kernel.verify();
        checks.push(Check::equal("same-result-as-at-first", &self.first, &self.kernel.digest()));
        Ok(checks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kernel whose digest is the number of its passes, up to `stable_after`.
    struct Counter {
        passes: u64,
        stable_after: u64,
    }

    impl Kernel for Counter {
        const NAME: &'static str = "counter";
        const SUMMARY: &'static str = "";

        fn prepare(_input: Vec<u8>, _arguments: &Arguments) -> Result<Self, ModuleError> {
            Ok(Self { passes: 0, stable_after: 1 })
        }

        fn bytes(&self) -> u64 {
            10
        }

        fn run(&mut self) {
            self.passes += 1;
        }

        fn digest(&self) -> u64 {
            self.passes.min(self.stable_after)
        }

        fn verify(&self) -> Vec<Check> {
            Vec::new()
        }
    }

    fn check(stable_after: u64, expect: bool) {
        let mut pass = Pass::over(Counter { passes: 0, stable_after });
        for times in [0, 1, 3] {
            let outcome = pass.iterate(times).unwrap();
            assert_eq!((outcome.operations, outcome.bytes), (times, 10 * times));
        }
        assert_eq!(pass.kernel.passes, 5);
        assert_eq!(pass.verify().unwrap()[0].passed, expect);
    }

    #[test]
    fn a_later_pass_with_another_result_fails_the_check() {
        check(1, true);
        check(2, false);
    }
}
