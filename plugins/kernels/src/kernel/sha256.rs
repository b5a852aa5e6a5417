//! SHA-256: arithmetic with little memory traffic, for which many processors have instructions that a component cannot
//! use.

use super::Kernel;
use bench_plugin::prelude::*;
use sha2::Digest;

pub(crate) struct Sha256 {
    input: Vec<u8>,
    result: [u8; 32],
}

impl Kernel for Sha256 {
    const NAME: &'static str = "sha256";
    const SUMMARY: &'static str = "SHA-256 of the input.";

    fn prepare(input: Vec<u8>, _arguments: &Arguments) -> Result<Self, ModuleError> {
        Ok(Self { input, result: [0; 32] })
    }

    fn bytes(&self) -> u64 {
        self.input.len() as u64
    }

    fn run(&mut self) {
        self.result = sha2::Sha256::digest(&self.input).into();
    }

    fn digest(&self) -> u64 {
        self.result.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }

    fn verify(&self) -> Vec<Check> {
        let mut chunked = sha2::Sha256::new();
        // Chunks of an odd size end within blocks of 64 bytes.
        self.input.chunks(1021).for_each(|chunk| chunked.update(chunk));
        vec![
            Check::equal("known-vector", ABC, hex(&sha2::Sha256::digest(b"abc")).as_str()),
            Check::equal("chunked", &hex(&chunked.finalize()), &hex(&self.result)),
        ]
    }
}

/// The digest of `abc`: FIPS 180-2, appendix B.1.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{failed, passed, text};

    #[test]
    fn a_pass_gives_the_known_vector() {
        let kernel: Sha256 = passed(b"abc", &Arguments::default());
        assert_eq!(hex(&kernel.result), ABC);
        assert_eq!(kernel.digest(), 0xba78_16bf_8f01_cfea);
    }

    #[test]
    fn a_wrong_result_fails() {
        let mut kernel: Sha256 = passed(&text(), &Arguments::default());
        assert!(failed(&kernel).is_empty());
        kernel.result[31] ^= 1;
        assert_eq!(failed(&kernel), ["chunked"]);
    }
}
