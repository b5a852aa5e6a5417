//! Payloads that carry a number and a known pattern, and the check of them when they are read back.

use bench_model::{Check, ModuleError};

/// The most bytes that the payloads of one batch may take.
const BYTES_MAX: usize = 64 << 20;

/// Payloads of one length. Payload `n` has pattern `n` modulo the number of patterns, and starts with the low bytes of `n`, at most
/// eight.
#[derive(Clone, Debug)]
pub struct Payloads {
    buffers: Vec<Vec<u8>>,
    len: usize,
    next: u64,
    digest: u64,
}

impl Payloads {
    /// Payloads of `len` bytes, of which up to `at_once` are in use at a time.
    pub fn new(len: usize, at_once: usize) -> Result<Self, ModuleError> {
        if len == 0 || at_once == 0 || len.saturating_mul(at_once) > BYTES_MAX {
            return Err(ModuleError::Unavailable(format!(
                "{at_once} payloads of {len} bytes at once are outside 1 byte to {} MiB; give another batch or payload_bytes",
                BYTES_MAX >> 20
            )));
        }
        let buffers: Vec<_> = (0..at_once as u64).map(|index| pattern(index, len)).collect();
        // Computed once, before any number is written, because sessions return it with every batch of operations.
        let add = |digest: u64, bytes: &Vec<u8>| digest.rotate_left(7) ^ u64::from(crc32c::crc32c(bytes));
        let digest = buffers.iter().fold(len as u64, add);
        Ok(Self { buffers, len, next: 0, digest })
    }

    /// The next payload.
    #[inline]
    pub fn advance(&mut self) -> &[u8] {
        let index = self.index_of(self.next);
        stamp(&mut self.buffers[index], self.next);
        self.next += 1;
        &self.buffers[index]
    }

    /// The next `count` payloads, at most `at_once`.
    pub fn advance_batch(&mut self, count: usize) -> Vec<&[u8]> {
        assert!(count <= self.buffers.len(), "a batch is no longer than was announced");
        let numbers = self.next..self.next + count as u64;
        for number in numbers.clone() {
            let index = self.index_of(number);
            stamp(&mut self.buffers[index], number);
        }
        self.next = numbers.end;
        numbers.map(|number| self.buffers[self.index_of(number)].as_slice()).collect()
    }

    /// The number of payloads so far.
    pub fn count(&self) -> u64 {
        self.next
    }

    /// Bytes of one payload.
    pub fn bytes(&self) -> usize {
        self.len
    }

    /// A digest of all patterns: equal for equal `len` and `at_once`.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    fn index_of(&self, number: u64) -> usize {
        (number % self.buffers.len() as u64) as usize
    }

    /// Payload number `number` as it should be.
    pub fn expected(&self, number: u64) -> Vec<u8> {
        let mut bytes = pattern(self.index_of(number) as u64, self.len);
        stamp(&mut bytes, number);
        bytes
    }
}

/// Pseudo-random bytes (splitmix64).
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

fn number_of(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    let len = bytes.len().min(8);
    number[..len].copy_from_slice(&bytes[..len]);
    u64::from_le_bytes(number)
}

/// Checks payloads that are read back in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadBack {
    payloads: u64,
    last: Option<u64>,
    out_of_order: u64,
    altered: u64,
}

/// How many bytes are compared by content; after them only the order is.
const COMPARED_BYTES_MAX: u64 = 64 << 20;

impl ReadBack {
    /// Checks the next payload that was read back.
    pub fn take(&mut self, payloads: &Payloads, found: &[u8]) {
        // A payload shorter than a number has its low bytes only; the order gives the rest.
        let number = match self.last {
            None if payloads.len < 8 => {
                payloads.next.saturating_sub(1) & !0xff | u64::from(found.first().copied().unwrap_or(0))
            }
            Some(last) if payloads.len < 8 => last + 1,
            _ => number_of(found),
        };
        self.out_of_order += u64::from(self.last.is_some_and(|last| number != last + 1));
        if self.payloads * (payloads.len as u64) < COMPARED_BYTES_MAX {
            self.altered += u64::from(payloads.expected(number) != found);
        }
        self.last = Some(number);
        self.payloads += 1;
    }

    /// The checks, where the last `wanted` payloads were requested.
    pub fn checks(&self, payloads: &Payloads, wanted: u64) -> Vec<Check> {
        let newest = payloads.next.checked_sub(1).filter(|_| wanted > 0);
        vec![
            Check::equal("read-back-count", &wanted, &self.payloads),
            Check::equal("read-back-order", &0, &self.out_of_order),
            Check::equal("read-back-content", &0, &self.altered),
            Check::equal("read-back-newest", &newest, &self.last),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut read_back = ReadBack::default();
        log.iter().for_each(|payload| read_back.take(payloads, payload));
        read_back
    }

    #[test]
    fn unchanged_payloads_pass_and_each_fault_is_found() {
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
    fn payload_shorter_than_its_number_is_compared() {
        let mut payloads = Payloads::new(3, 1).unwrap();
        let mut log = appended(&mut payloads, 10);
        failed(&read(&payloads, &log), &payloads, 10, &[]);
        log[5][0] ^= 1;
        failed(&read(&payloads, &log), &payloads, 10, &["read-back-content"]);
    }

    #[test]
    fn batches_and_single_payloads_have_the_same_numbers() {
        let mut payloads = Payloads::new(64, 3).unwrap();
        let mut log = appended(&mut payloads, 2);
        for count in [3, 1, 2, 3] {
            log.extend(payloads.advance_batch(count).into_iter().map(<[u8]>::to_vec));
        }
        failed(&read(&payloads, &log), &payloads, 11, &[]);
        assert_eq!(Payloads::new(64, 3).unwrap().digest(), payloads.digest());
        assert_ne!(Payloads::new(65, 3).unwrap().digest(), payloads.digest());
    }

    #[test]
    fn batch_larger_than_memory_is_refused() {
        let error = Payloads::new(1 << 20, 1_000).unwrap_err();
        assert!(error.is_environment() && error.to_string().contains("1000 payloads of 1048576 bytes"), "{error}");
    }
}
