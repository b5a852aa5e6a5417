//! Calibrates sequential reading and copying by one core in its own caches. No pass over bytes is faster; data outside of the caches
//! is slower.

use super::{Effort, absent, measured, sample};
use bench_model::MachineLimit;
use bench_sink::runfile::LimitRecord;
use bench_stats::Distribution;

const BYTES: usize = 256 << 10;
/// Passes per sample, so that the cost of the clock is negligible.
const PASSES: u32 = 64;

/// Bytes by which the two buffers of a copy are apart, modulo a page. Some processors copy many times more slowly where the distance
/// is a few bytes, or where the buffers map to the same sets of a cache, so several are tried.
const APART: [usize; 4] = [0, 64, 512, 2048 + 64];
const PAGE: usize = 4096;

/// A copy reads each byte and writes it. One that takes this many times as long as reading did not run at the machine's speed.
const COPY_TO_READ_MAX: f64 = 8.0;

pub(super) fn read(effort: Effort) -> LimitRecord {
    measured(MachineLimit::MemoryRead, read_samples(effort.samples), "summing 256 KiB in cache, on one core")
}

fn read_samples(samples: u32) -> Vec<f64> {
    let buffer = Buffer::new(0, 1);
    per_byte(sample(samples, PASSES, || {
        // Eight sums, so that the latency of the additions does not limit the speed.
        let mut sums = [0u64; 8];
        for chunk in std::hint::black_box(buffer.words()).chunks_exact(8) {
            sums.iter_mut().zip(chunk).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
        }
        std::hint::black_box(sums);
    }))
}

/// The fastest of several distances between the buffers, because the roofline is what the machine can do.
pub(super) fn copy(effort: Effort) -> LimitRecord {
    let few = (effort.samples / 4).max(1);
    let median = |samples: &Vec<f64>| Distribution::of_samples(samples.clone()).quantile(0.5).unwrap_or(f64::INFINITY);
    let tried = APART.map(|apart| (apart, copy_samples(few, apart)));
    let best = tried.iter().map(|(apart, samples)| (*apart, median(samples))).min_by(|a, b| a.1.total_cmp(&b.1));
    let (apart, _) = best.unwrap_or((0, f64::INFINITY));
    let samples = copy_samples(effort.samples, apart);
    if let Some(reason) = implausible(median(&samples), median(&read_samples(few))) {
        return absent(MachineLimit::MemoryCopy, reason);
    }
    let detail = format!(
        "copying 256 KiB in cache, on one core, the buffers {apart} bytes apart modulo a page, the fastest of {} distances",
        APART.len()
    );
    measured(MachineLimit::MemoryCopy, samples, detail)
}

/// Why a byte that takes so long to be `copy`ed is not the machine's limit, where one takes so long to be `read`.
fn implausible(copy: f64, read: f64) -> Option<String> {
    (copy > COPY_TO_READ_MAX * read).then(|| {
        format!(
            "copying took {:.0} times as long as reading, at the best of {} distances between the buffers, so it is not the \
             machine's limit; stop other work and try again",
            copy / read,
            APART.len()
        )
    })
}

fn copy_samples(samples: u32, apart: usize) -> Vec<f64> {
    let from = Buffer::new(0, 1);
    let mut to = Buffer::new(apart, 2);
    per_byte(sample(samples, PASSES, || {
        to.words_mut().copy_from_slice(std::hint::black_box(from.words()));
        std::hint::black_box(&mut to);
    }))
}

/// Words that begin at a given offset in a page. Each page was written, so it is mapped and is not the shared zero page.
struct Buffer {
    words: Vec<u64>,
    begin: usize,
}

impl Buffer {
    fn new(offset: usize, fill: u64) -> Self {
        let words = vec![fill; (BYTES + 2 * PAGE) / 8];
        let address = words.as_ptr().addr();
        let begin = (address.next_multiple_of(PAGE) + offset - address) / 8;
        Self { words, begin }
    }

    fn words(&self) -> &[u64] {
        &self.words[self.begin..][..BYTES / 8]
    }

    fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words[self.begin..][..BYTES / 8]
    }
}

fn per_byte(samples: Vec<f64>) -> Vec<f64> {
    samples.into_iter().map(|ns| ns / BYTES as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_that_is_many_times_slower_than_reading_is_no_roofline() {
        assert_eq!(implausible(0.03, 0.02), None);
        let reason = implausible(1.0, 0.02).expect("a machine that reads 50 GB/s copies more than 1 GB/s");
        assert!(reason.starts_with("copying took 50 times as long as reading, at the best of 4 distances"), "{reason}");
    }

    #[test]
    fn buffers_begin_at_their_offset_in_a_page() {
        for apart in APART {
            let mut buffer = Buffer::new(apart, 7);
            assert_eq!(buffer.words().as_ptr().addr() % PAGE, apart % PAGE);
            assert_eq!(buffer.words_mut().len() * 8, BYTES);
        }
    }
}
