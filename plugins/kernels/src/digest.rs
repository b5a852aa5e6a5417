//! FNV-1a, 64 bits, for digests that are the same on every machine: <http://www.isthe.com/chongo/tech/comp/fnv/>. It is
//! neither cryptographic nor measured.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a number in one step instead of eight for its bytes, which distinguishes results as well.
    pub(crate) fn word(self, word: u64) -> Self {
        Self((self.0 ^ word).wrapping_mul(0x100_0000_01b3))
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        bytes.iter().fold(self, |hash, &byte| hash.word(u64::from(byte)))
    }

    pub(crate) fn finish(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_equal_the_published_values() {
        assert_eq!(Fnv::new().bytes(b"").finish(), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Fnv::new().bytes(b"foobar").finish(), 0x8594_4171_f739_67e8);
    }
}
