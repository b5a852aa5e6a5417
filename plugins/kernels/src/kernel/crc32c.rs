//! CRC32C: a loop over all bytes, for which processors have an instruction. Compares that instruction with the tables
//! that a component must use.

use super::Kernel;
use bench_plugin::prelude::*;

#[cfg(not(feature = "portable"))]
use crc32c::crc32c_append;
#[cfg(feature = "portable")]
use tables::crc32c_append;

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
        self.result = crc32c_append(0, &self.input);
    }

    fn digest(&self) -> u64 {
        u64::from(self.result)
    }

    fn verify(&self) -> Vec<Check> {
        let prefix = &self.input[..self.input.len().min(REFERENCE_BYTES_MAX)];
        // Chunks of an odd size exercise other code paths of the crate than the whole input.
        let chunked = self.input.chunks(4093).fold(0, crc32c_append);
        vec![
            Check::equal("known-vector", &0xe306_9283, &crc32c_append(0, b"123456789")),
            Check::equal("reference", &bit_by_bit(prefix), &crc32c_append(0, prefix)),
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

/// What the crate does where it finds no instruction, for which it looks when it runs: eight bytes a step, with a table for each.
#[cfg(any(feature = "portable", test))]
mod tables {
    static TABLES: [[u32; 256]; 8] = tables();

    /// The checksum of what came before and of `bytes`.
    pub(super) fn crc32c_append(crc: u32, bytes: &[u8]) -> u32 {
        let (steps, rest) = bytes.as_chunks::<8>();
        let crc = steps.iter().fold(u64::from(!crc), |crc, step| {
            let mixed = (crc ^ u64::from_le_bytes(*step)).to_le_bytes();
            let at = |byte: usize| u64::from(TABLES[7 - byte][usize::from(mixed[byte])]);
            at(0) ^ at(1) ^ at(2) ^ at(3) ^ at(4) ^ at(5) ^ at(6) ^ at(7)
        });
        let crc = rest.iter().fold(crc as u32, |crc, byte| TABLES[0][usize::from(crc as u8 ^ byte)] ^ (crc >> 8));
        !crc
    }

    /// The remainders of every byte, with none to seven zeros behind it.
    const fn tables() -> [[u32; 256]; 8] {
        let mut tables = [[0; 256]; 8];
        let mut byte = 0;
        while byte < 256 {
            let (mut crc, mut bit) = (byte as u32, 0);
            while bit < 8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
                bit += 1;
            }
            tables[0][byte] = crc;
            byte += 1;
        }
        let mut table = 1;
        while table < 8 {
            let mut byte = 0;
            while byte < 256 {
                let before: u32 = tables[table - 1][byte];
                tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
                byte += 1;
            }
            table += 1;
        }
        tables
    }
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
    fn tables_compute_the_same_as_the_definition() {
        let text = text();
        for bytes in [0, 1, 7, 8, 9, 16, 4093, text.len()] {
            let (bytes, rest) = text.split_at(bytes);
            let checksum = tables::crc32c_append(0, bytes);
            assert_eq!(checksum, bit_by_bit(bytes), "{} bytes", bytes.len());
            assert_eq!(tables::crc32c_append(checksum, rest), bit_by_bit(&text));
        }
    }

    #[test]
    fn a_wrong_result_fails() {
        let mut kernel: Crc32c = passed(&text(), &Arguments::default());
        assert!(failed(&kernel).is_empty());
        kernel.result ^= 1;
        assert_eq!(failed(&kernel), ["chunked"]);
    }
}
