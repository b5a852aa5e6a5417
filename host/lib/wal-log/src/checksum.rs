//! CRC32C over words, with the processor's instruction where it has one. The state starts from a segment's epoch.

use std::fmt::Debug;

/// How far ahead of a record a walk fetches.
const FETCH_AHEAD_BYTES: usize = 2 << 10;

/// The register's state after a segment's epoch. Two epochs with different seeds give every sequence of words different checksums,
/// because a step of a CRC is a bijection of its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(u32);

impl Seed {
    pub(crate) fn of_epoch(epoch: u64) -> Self {
        Self(!crc32c::crc32c(&epoch.to_le_bytes()))
    }

    #[inline(always)]
    pub(crate) fn state(self) -> u32 {
        self.0
    }
}

/// A way of computing CRC32C. The state is the raw register: the checksum is its complement.
pub(crate) trait Crc: Copy + Debug {
    /// The state after the eight bytes of `word` in little-endian order.
    fn word(self, state: u32, word: u64) -> u32;
    /// The state after the four bytes of `half` in little-endian order.
    fn half(self, state: u32, half: u32) -> u32;
}

/// The state after `bytes`, for many of them: three streams at once, which pays from about a kibibyte on.
pub(crate) fn bytes(state: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!state, bytes)
}

/// The portable implementation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Crc for Portable {
    #[inline(always)]
    fn word(self, state: u32, word: u64) -> u32 {
        bytes(state, &word.to_le_bytes())
    }

    #[inline(always)]
    fn half(self, state: u32, half: u32) -> u32 {
        bytes(state, &half.to_le_bytes())
    }
}

/// The instruction of x86-64. Only [`Sse42::detect`] makes a value, so a value proves that the processor has it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sse42(());

#[cfg(target_arch = "x86_64")]
impl Sse42 {
    #[inline(always)]
    fn detect() -> Option<Self> {
        std::is_x86_feature_detected!("sse4.2").then_some(Self(()))
    }
}

#[cfg(target_arch = "x86_64")]
impl Crc for Sse42 {
    #[inline(always)]
    fn word(self, state: u32, word: u64) -> u32 {
        // SAFETY: `self` says that the processor has the instruction. The result fits: it is a 32-bit state.
        unsafe { std::arch::x86_64::_mm_crc32_u64(u64::from(state), word) as u32 }
    }

    #[inline(always)]
    fn half(self, state: u32, half: u32) -> u32 {
        // SAFETY: as above.
        unsafe { std::arch::x86_64::_mm_crc32_u32(state, half) }
    }
}

/// Prefetches as many bytes as a record has, ahead of a walk from record to record. The processor's own prefetching starts over
/// with every page.
#[inline(always)]
pub(crate) fn fetch_ahead(bytes: &[u8], offset: usize, len: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let ahead = bytes.as_ptr().wrapping_add(offset + FETCH_AHEAD_BYTES);
        // SAFETY: a prefetch reads and writes nothing and cannot fault, whatever the address.
        let fetch = |line: usize| unsafe { _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(line).cast()) };
        // Small records are many, so they have no loop.
        fetch(0);
        fetch(64);
        if len > 128 {
            (128..len.min(4096)).step_by(64).for_each(fetch);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (bytes, offset, len);
}

/// A loop that is to be compiled for each way of computing a checksum, so that the instruction ends up inside it.
pub(crate) trait Work {
    type Output;
    /// Must be `#[inline(always)]`: it is compiled anew within a function that may use the instruction.
    fn run<C: Crc>(self, crc: C) -> Self::Output;
}

/// Runs `work` with the fastest implementation for this processor.
#[inline(always)]
pub(crate) fn dispatch<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(crc) = Sse42::detect() {
        // SAFETY: `crc` says that the processor has the feature which the function is compiled for.
        return unsafe { with_sse42(work, crc) };
    }
    work.run(Portable)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.2")]
fn with_sse42<W: Work>(work: W, crc: Sse42) -> W::Output {
    work.run(crc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Digest<'a>(Seed, &'a [u64], u32);

    impl Work for Digest<'_> {
        type Output = u32;

        #[inline(always)]
        fn run<C: Crc>(self, crc: C) -> u32 {
            let state = self.1.iter().fold(self.0.state(), |state, word| crc.word(state, *word));
            !crc.half(state, self.2)
        }
    }

    #[test]
    fn every_implementation_computes_crc32c_of_epoch_and_bytes() {
        let (epoch, words, half) = (0x0123_4567_89ab_cdef_u64, [1_u64, u64::MAX, 42], 7_u32);
        let mut all = epoch.to_le_bytes().to_vec();
        words.iter().for_each(|word| all.extend(word.to_le_bytes()));
        all.extend(half.to_le_bytes());
        let expected = crc32c::crc32c(&all);
        let seed = Seed::of_epoch(epoch);
        assert_eq!(dispatch(Digest(seed, &words, half)), expected);
        assert_eq!(Digest(seed, &words, half).run(Portable), expected);
        assert_eq!(!bytes(seed.state(), &all[8..]), expected);
    }
}
