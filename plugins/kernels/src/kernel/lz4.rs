//! LZ4 compression: a hash table in the first-level cache and unaligned copies. The two arms may compress to different
//! bytes, because the crate hashes 5 bytes on 64-bit targets and 4 elsewhere; the decompressed bytes are the same.

use super::Kernel;
use crate::digest::Fnv;
use bench_plugin::prelude::*;
use lz4_flex::block;

pub(crate) struct Lz4 {
    input: Vec<u8>,
    /// The output buffer, large enough for the worst case.
    output: Vec<u8>,
    /// Bytes that the last pass wrote; `None` if it failed.
    written: Option<usize>,
}

/// Bytes that the digest decompresses, which takes some tens of microseconds.
const DIGEST_BYTES_MAX: usize = 16 * 1024;

impl Kernel for Lz4 {
    const NAME: &'static str = "lz4";
    const SUMMARY: &'static str = "Compresses the input into one LZ4 block, in safe code.";

    fn prepare(input: Vec<u8>, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let output = vec![0; block::get_maximum_output_size(input.len())];
        Ok(Self { input, output, written: None })
    }

    fn bytes(&self) -> u64 {
        self.input.len() as u64
    }

    fn run(&mut self) {
        self.written = block::compress_into(&self.input, &mut self.output).ok();
    }

    /// A digest of the decompressed bytes, because the compressed bytes depend on the arm.
    fn digest(&self) -> u64 {
        let start = decompress(self.compressed(), self.input.len().min(DIGEST_BYTES_MAX));
        start.map_or(0, |start| Fnv::new().bytes(&start).finish())
    }

    fn verify(&self) -> Vec<Check> {
        let compressed = self.compressed();
        let decompressed = block::decompress(compressed, self.input.len()).ok();
        let reference = decompress(compressed, self.input.len());
        vec![self.check("decompressed", decompressed), self.check("reference", reference)]
    }
}

impl Lz4 {
    fn compressed(&self) -> &[u8] {
        self.output.get(..self.written.unwrap_or_default()).unwrap_or_default()
    }

    fn check(&self, name: &str, found: Option<Vec<u8>>) -> Check {
        let (expected, compressed) = (self.input.len(), self.compressed().len());
        let what = match &found {
            None => "an invalid block".to_owned(),
            Some(found) => {
                let same = self.input.iter().zip(found).take_while(|(expected, found)| expected == found).count();
                format!("{} bytes, of which the first {same} are the same", found.len())
            }
        };
        let detail = format!("expected {expected} bytes from {compressed} compressed ones, found {what}");
        Check::that(name, found.as_ref() == Some(&self.input), detail)
    }
}

/// Decompresses the first `bytes_max` bytes of a block; `None` if it is invalid up to there. An independent
/// implementation of <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>, to check the crate.
fn decompress(mut block: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(bytes_max);
    loop {
        let token = *block.split_off_first()?;
        let literals_len = length(token >> 4, &mut block)?;
        output.extend_from_slice(block.split_off(..literals_len)?);
        if block.is_empty() || output.len() >= bytes_max {
            break;
        }
        let offset = u16::from_le_bytes(*block.split_off(..2)?.first_chunk()?);
        let start = output.len().checked_sub(usize::from(offset)).filter(|_| offset > 0)?;
        let len = length(token & 15, &mut block)?.checked_add(4)?;
        // A match may overlap its own output, so it is copied byte by byte.
        for at in (start..).take(len.min(bytes_max)) {
            output.push(output[at]);
        }
    }
    output.truncate(bytes_max);
    Some(output)
}

/// Reads a length whose first four bits are in the token. After 15, bytes follow up to the first that is not 255.
fn length(nibble: u8, block: &mut &[u8]) -> Option<usize> {
    let mut length = usize::from(nibble);
    let mut more = nibble == 15;
    while more {
        let byte = *block.split_off_first()?;
        length = length.checked_add(usize::from(byte))?;
        more = byte == 255;
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{failed, passed, text};

    fn kernel(input: &[u8]) -> Lz4 {
        passed(input, &Arguments::default())
    }

    #[test]
    fn the_reference_decompresses_handmade_blocks() {
        assert_eq!(decompress(b"\x30abc", 100), Some(b"abc".to_vec()));
        assert_eq!(decompress(b"\x13a\x01\x00\x20bc", 100), Some(b"aaaaaaaabc".to_vec()));
        assert_eq!(decompress(b"\x1fa\x01\x00\x01\x10b", 100), Some([&[b'a'; 21], b"b".as_slice()].concat()));
        assert_eq!(decompress(b"\x13a\x01\x00\x20bc", 3), Some(b"aaa".to_vec()));
        for broken in
            [b"".as_slice(), b"\x30ab", b"\x13a\x02\x00\x20bc", b"\x13a\x00\x00\x20bc", b"\x13a\x01", b"\xf0\xff"]
        {
            assert_eq!(decompress(broken, 100), None, "{broken:?}");
        }
    }

    #[test]
    fn incompressible_input_is_compressed_correctly() {
        for len in [1, 12, 13, 64] {
            let noise: Vec<u8> = (0..len).map(|n: u8| n.wrapping_mul(167)).collect();
            assert!(failed(&kernel(&noise)).is_empty(), "{len} bytes");
        }
    }

    #[test]
    fn a_wrong_result_fails() {
        let mut kernel = kernel(&text());
        assert!(failed(&kernel).is_empty());
        assert!(kernel.compressed().len() < kernel.input.len());
        let digest = kernel.digest();
        kernel.output[1] ^= 1;
        assert_eq!(failed(&kernel), ["decompressed", "reference"]);
        assert_ne!(kernel.digest(), digest);
        kernel.written = None;
        assert_eq!((failed(&kernel).len(), kernel.digest()), (2, 0));
    }
}
