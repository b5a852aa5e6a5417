//! Calibrates sequential reading and copying by one core in its own caches. No pass over bytes is faster; data outside of the caches
//! is slower.

use super::{Effort, measured, sample};
use bench_model::MachineLimit;
use bench_sink::runfile::LimitRecord;

const BYTES: usize = 256 << 10;
/// Passes per sample, so that the cost of the clock is negligible.
const PASSES: u32 = 64;

pub(super) fn read(effort: Effort) -> LimitRecord {
    // Written once, so that every page is mapped and none is the shared zero page.
    let words: Vec<u64> = (0..(BYTES / 8) as u64).collect();
    let samples = sample(effort.samples, PASSES, || {
        // Eight sums, so that the latency of the additions does not limit the speed.
        let mut sums = [0u64; 8];
        for chunk in std::hint::black_box(&words).chunks_exact(8) {
            sums.iter_mut().zip(chunk).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
        }
        std::hint::black_box(sums);
    });
    measured(MachineLimit::MemoryRead, per_byte(samples), "summing 256 KiB in cache, on one core")
}

pub(super) fn copy(effort: Effort) -> LimitRecord {
    let from: Vec<u64> = (0..(BYTES / 8) as u64).collect();
    let mut to = vec![1u64; BYTES / 8];
    let samples = sample(effort.samples, PASSES, || {
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&mut to);
    });
    measured(MachineLimit::MemoryCopy, per_byte(samples), "copying 256 KiB in cache, on one core")
}

fn per_byte(samples: Vec<f64>) -> Vec<f64> {
    samples.into_iter().map(|ns| ns / BYTES as f64).collect()
}
