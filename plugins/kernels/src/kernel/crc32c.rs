//! CRC32C: a loop over all bytes, for which processors have an instruction. Compares that instruction with the tables
//! that a component must use.

use super::Kernel;
use bench_plugin::prelude::*;

pub(crate) struct Crc32c {
    input: Vec<u8>,
    result: u32,
}

impl Kernel for Crc32c {
    const NAME: &'static str = "crc32c";
    const SUMMARY: &'static str = "CRC32C of the input.";

    fn prepare(input: Vec<u8>, _arguments: &Arguments) -> Result<Self, ModuleError> {
        Ok(Self { input, result: 0 })
    }

    fn bytes(&self) -> u64 {
        self.input.len() as u64
    }

    fn run(&mut self) {
        self.result = crc32c::crc32c(&self.input);
    }

    fn digest(&self) -> u64 {
        u64::from(self.result)
    }

    fn verify(&self) -> Vec<Check> {
        let prefix = &self.input[..self.input.len().min(REFERENCE_BYTES_MAX)];
        // Chunks of an odd size exercise other code paths of the crate than the whole input.
        let chunked = self.input.chunks(4093).fold(0, crc32c::crc32c_append);
        vec![
            Check::equal("known-vector", &0xe306_9283, &crc32c::crc32c(b"123456789")),
            Check::equal("reference", &bit_by_bit(prefix), &crc32c::crc32c(prefix)),
            Check::equal("chunked", &chunked, &self.result),
        ]
    }
}

const REFERENCE_BYTES_MAX: usize = 64 * 1024;

/// The definition: RFC 3720, appendix B.4, with the polynomial 0x1EDC6F41 reflected.
fn bit_by_bit(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{failed, passed, text};

    #[test]
    fn the_reference_equals_the_vectors_of_rfc_3720() {
        assert_eq!(bit_by_bit(b"123456789"), 0xe306_9283);
        assert_eq!(bit_by_bit(&[0; 32]), 0x8a91_36aa);
        assert_eq!(bit_by_bit(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn a_wrong_result_fails() {
        let mut kernel: Crc32c = passed(&text(), &Arguments::default());
        assert!(failed(&kernel).is_empty());
        kernel.result ^= 1;
        assert_eq!(failed(&kernel), ["chunked"]);
    }
}
