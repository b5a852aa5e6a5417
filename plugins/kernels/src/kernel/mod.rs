//! The trait of kernels and their list. To add a kernel, add its file and name it twice below.

use crate::pass::Pass;
use bench_plugin::prelude::*;

mod crc32c;
mod json_parse;
mod lz4;
mod sha256;
mod sort;
mod substring;

/// Every kernel, in the order of the descriptor.
pub(crate) const ALL: &[Entry] = &[
    Entry::of::<crc32c::Crc32c>(),
    Entry::of::<sha256::Sha256>(),
    Entry::of::<json_parse::JsonParse>(),
    Entry::of::<sort::Sort>(),
    Entry::of::<substring::Substring>(),
    Entry::of::<lz4::Lz4>(),
];

/// A computation over bytes, which keeps its result until the next pass.
pub(crate) trait Kernel: Sized + 'static {
    /// The scenario's name.
    const NAME: &'static str;
    /// One line about a pass.
    const SUMMARY: &'static str;

    /// Further parameters besides those of the input.
    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }

    /// Prepares a pass over the input, which is not empty. Not timed.
    fn prepare(input: Vec<u8>, arguments: &Arguments) -> Result<Self, ModuleError>;

    /// Bytes that one pass reads.
    fn bytes(&self) -> u64;

    /// Runs one pass. A failure is kept as a result that fails `verify`.
    fn run(&mut self);

    /// A digest of the result of the last pass, the same on every machine. Not timed.
    fn digest(&self) -> u64;

    /// Checks the result of the last pass.
    fn verify(&self) -> Vec<Check>;
}

/// A kernel or another scenario of the plug-in.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) describe: fn() -> Scenario,
    pub(crate) open: fn(&Arguments) -> Result<Box<dyn Session>, ModuleError>,
}

impl Entry {
    const fn of<K: Kernel>() -> Self {
        Self { name: K::NAME, describe: Pass::<K>::describe, open: Pass::<K>::open }
    }
}

#[cfg(test)]
mod testing {
    //! Helpers for the tests of kernels.

    use super::*;

    /// A text with repetitions, empty lines and bytes that are not UTF-8.
    pub(super) fn text() -> Vec<u8> {
        let mut text = b"\xff\xfe\n\n".to_vec();
        for n in 0..500_u32 {
            text.extend(format!("fn line_{}() {{ \"caf\u{e9}\\t\" }}\n\n", n.wrapping_mul(2_654_435_761)).bytes());
        }
        text
    }

    /// The kernel over `input`, after one pass.
    pub(super) fn passed<K: Kernel>(input: &[u8], arguments: &Arguments) -> K {
        let mut kernel = K::prepare(input.to_vec(), arguments).unwrap();
        kernel.run();
        kernel
    }

    /// The names of the checks that failed.
    pub(super) fn failed(kernel: &impl Kernel) -> Vec<String> {
        kernel.verify().into_iter().filter(|check| !check.passed).map(|check| check.name).collect()
    }
}
