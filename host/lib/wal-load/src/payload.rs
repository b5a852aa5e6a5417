//! Payloads that carry a number and a known pattern, so that they can be checked when they are read back.

use bench_model::ModuleError;

/// Upper bound of the memory for the payloads of one batch.
const BYTES_MAX: usize = 64 << 20;

/// Numbered payloads of one length. There are `at_once` patterns, which follow each other in turn; a payload begins with its
/// number, little-endian, in as many bytes as it has room for, at most eight.
#[derive(Clone, Debug)]
pub struct Payloads {
    /// One buffer a pattern, written over with each round, so that nothing is allocated while the clock runs.
    buffers: Vec<Vec<u8>>,
    len: usize,
    next: u64,
    /// The buffer of the next payload: `next` modulo the number of buffers.
    slot: usize,
    digest: u64,
}

impl Payloads {
    /// Payloads of `len` bytes, in batches of up to `at_once`.
    pub fn new(len: usize, at_once: usize) -> Result<Self, ModuleError> {
        if len == 0 || at_once == 0 || len.saturating_mul(at_once) > BYTES_MAX {
            return Err(ModuleError::Unavailable(format!(
                "{at_once} payloads of {len} bytes at once are outside 1 byte to {} MiB; give another batch or payload_bytes",
                BYTES_MAX >> 20
            )));
        }
        let buffers: Vec<_> = (0..at_once as u64).map(|index| pattern(index, len)).collect();
        // Computed once, before anything is stamped, because sessions report it with every batch of operations.
        let add = |digest: u64, bytes: &Vec<u8>| digest.rotate_left(7) ^ u64::from(crc32c::crc32c(bytes));
        let digest = buffers.iter().fold(len as u64, add);
        Ok(Self { buffers, len, next: 0, slot: 0, digest })
    }

    /// The next payload.
    #[inline]
    pub fn advance(&mut self) -> &[u8] {
        let slot = self.slot;
        stamp(&mut self.buffers[slot], self.next);
        self.step(1);
        &self.buffers[slot]
    }

    /// The next `count` payloads. Batches of one size up to `at_once` always fit.
    ///
    /// # Panics
    /// Where the batch would wrap around to the first pattern.
    #[inline]
    pub fn advance_batch(&mut self, count: usize) -> &[Vec<u8>] {
        let slots = self.slot..self.slot + count;
        assert!(slots.end <= self.buffers.len(), "a batch of {count} does not wrap around to the first pattern");
        self.buffers[slots.clone()].iter_mut().zip(self.next..).for_each(|(buffer, number)| stamp(buffer, number));
        self.step(count);
        &self.buffers[slots]
    }

    fn step(&mut self, count: usize) {
        self.next += count as u64;
        self.slot += count;
        if self.slot == self.buffers.len() {
            self.slot = 0;
        }
    }

    /// How many payloads there were so far.
    pub fn count(&self) -> u64 {
        self.next
    }

    /// Bytes of one payload.
    pub fn bytes(&self) -> usize {
        self.len
    }

    /// A digest of all patterns, the same for the same `len` and `at_once`.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// What the payload with this number must contain.
    pub fn expected(&self, number: u64) -> Vec<u8> {
        let mut bytes = pattern(number % self.buffers.len() as u64, self.len);
        stamp(&mut bytes, number);
        bytes
    }
}

/// `len` pseudo-random bytes (splitmix64). They do not repeat, so a shifted or torn payload differs from a whole one.
pub fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bytes.extend_from_slice(&(mixed ^ mixed >> 27).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

#[inline]
fn stamp(buffer: &mut [u8], number: u64) {
    let bytes = number.to_le_bytes();
    match buffer.first_chunk_mut() {
        Some(chunk) => *chunk = bytes,
        None => buffer.copy_from_slice(&bytes[..buffer.len()]),
    }
}

/// The number that a payload begins with.
#[inline]
pub(crate) fn number_of(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    let len = bytes.len().min(8);
    number[..len].copy_from_slice(&bytes[..len]);
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReadBack;

    #[track_caller]
    fn failed(read_back: &ReadBack, payloads: &Payloads, wanted: u64, expect: &[&str]) {
        let checks = read_back.checks(payloads, wanted);
        let found: Vec<_> = checks.iter().filter(|check| !check.passed).map(|check| check.name.as_str()).collect();
        assert_eq!(found, expect, "{read_back:?}");
    }

    fn appended(payloads: &mut Payloads, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| payloads.advance().to_vec()).collect()
    }

    fn read(payloads: &Payloads, log: &[Vec<u8>]) -> ReadBack {
        let mut read_back = ReadBack::of_newest(payloads.count(), log.len() as u64);
        log.iter().for_each(|payload| read_back.take(payloads, payload));
        read_back
    }

    #[test]
    fn unchanged_payloads_pass_and_each_fault_fails_its_check() {
        for len in [9, 64, 1024] {
            let mut payloads = Payloads::new(len, 1).unwrap();
            let log = appended(&mut payloads, 10);
            failed(&read(&payloads, &log), &payloads, 10, &[]);
            let mut altered = log.clone();
            *altered[3].last_mut().unwrap() ^= 1;
            failed(&read(&payloads, &altered), &payloads, 10, &["read-back-content"]);
            let mut swapped = log.clone();
            swapped.swap(2, 3);
            failed(&read(&payloads, &swapped), &payloads, 10, &["read-back-order"]);
            failed(&read(&payloads, &log[..9]), &payloads, 10, &["read-back-count", "read-back-newest"]);
            let mut lost = log.clone();
            lost.remove(4);
            failed(&read(&payloads, &lost), &payloads, 10, &["read-back-count", "read-back-order"]);
        }
    }

    #[test]
    fn a_payload_shorter_than_its_number_is_compared() {
        let mut payloads = Payloads::new(3, 1).unwrap();
        let mut log = appended(&mut payloads, 10);
        failed(&read(&payloads, &log), &payloads, 10, &[]);
        log[5][0] ^= 1;
        failed(&read(&payloads, &log), &payloads, 10, &["read-back-content"]);
        // More than there are values of its first byte.
        let mut payloads = Payloads::new(3, 1).unwrap();
        let log = appended(&mut payloads, 700);
        failed(&read(&payloads, &log), &payloads, 700, &[]);
        failed(&read(&payloads, &log[100..]), &payloads, 600, &[]);
    }

    #[test]
    fn batches_and_single_payloads_share_one_numbering() {
        let mut payloads = Payloads::new(64, 3).unwrap();
        let mut log = appended(&mut payloads, 3);
        for count in [3, 1, 2, 2] {
            log.extend_from_slice(payloads.advance_batch(count));
        }
        failed(&read(&payloads, &log), &payloads, 11, &[]);
        assert_eq!(Payloads::new(64, 3).unwrap().digest(), payloads.digest());
        assert_ne!(Payloads::new(65, 3).unwrap().digest(), payloads.digest());
    }

    #[test]
    fn a_batch_larger_than_memory_allows_is_refused() {
        let error = Payloads::new(1 << 20, 1_000).unwrap_err();
        assert!(error.is_environment() && error.to_string().contains("1000 payloads of 1048576 bytes"), "{error}");
    }
}
