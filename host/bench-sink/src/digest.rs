//! SHA-256 digests of files, which identify modules.

use bench_model::Checksum;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The SHA-256 of the file at `path`, in lower-case hexadecimal.
pub fn of_file(path: &Path) -> io::Result<String> {
    let mut file = crate::regular::open(path, File::options().read(true))?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// The SHA-256 of `bytes`, in lower-case hexadecimal.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(&raw_of_bytes(bytes))
}

/// The SHA-256 of `bytes`, for a set of many digests.
pub fn raw_of_bytes(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The SHA-256 of bytes that come in pieces.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// The beginning of a digest, long enough to distinguish two.
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// The first eight bytes of the SHA-256 of `bytes`, as a result's checksum.
pub fn checksum(bytes: &[u8]) -> Checksum {
    let [a, b, c, d, e, f, g, h, ..] = raw_of_bytes(bytes);
    Checksum(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

/// Without the formatter, which takes longer for a digest than the digest of a short line.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]).map(|digit| DIGITS[usize::from(digit)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let mut pieces = Hasher::default();
        pieces.update(b"a");
        pieces.update(b"bc");
        assert_eq!((of_bytes(b"abc"), pieces.finish()), (abc.to_owned(), abc.to_owned()));
        assert_eq!(checksum(b"abc"), Checksum(0xba78_16bf_8f01_cfea));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        assert_eq!(of_file(file.path()).unwrap(), abc);
    }
}
