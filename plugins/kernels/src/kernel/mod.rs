//! What a kernel is, and which there are. To add one, add its file, and name it twice below.

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

/// One pass over bytes, whose result the kernel keeps until the next pass.
pub(crate) trait Kernel: Sized + 'static {
    /// The scenario's name.
    const NAME: &'static str;
    /// One pass, said in one line.
    const SUMMARY: &'static str;

    /// Its parameters beside those of the input.
    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }

    /// Takes the input, which is not empty, and does all that need not be timed.
    fn prepare(input: Vec<u8>, arguments: &Arguments) -> Result<Self, ModuleError>;

    /// How many bytes one pass reads.
    fn bytes(&self) -> u64;

    /// One pass. A failure is kept as a result that `verify` refuses.
    fn run(&mut self);

    /// A digest of the last pass's result, the same on every machine. Not timed.
    fn digest(&self) -> u64;

    /// Looks at the last pass's result.
    fn verify(&self) -> Vec<Check>;
}

/// A kernel, or another scenario, as the plug-in sees it.
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
    //! What the kernels' tests share.

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
