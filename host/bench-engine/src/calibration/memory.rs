//! Sequential reading and copying of memory by one core, over more than the caches near it hold.

use super::{Effort, measured, sample};
use bench_model::MachineLimit;
use bench_sink::runfile::LimitRecord;

const BYTES: usize = 64 << 20;

pub(super) fn read(effort: Effort) -> LimitRecord {
    // Written once, so that every page is there and none is the shared page of zeros.
    let words: Vec<u64> = (0..(BYTES / 8) as u64).collect();
    let samples = sample(effort.dear_samples, 1, || {
        // Eight sums, so that the adder's latency is not what is measured.
        let mut sums = [0u64; 8];
        for chunk in words.chunks_exact(8) {
            sums.iter_mut().zip(chunk).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
        }
        std::hint::black_box(sums);
    });
    measured(MachineLimit::MemoryRead, per_byte(samples), "summing 64 MiB of resident memory on one core")
}

pub(super) fn copy(effort: Effort) -> LimitRecord {
    let from: Vec<u64> = (0..(BYTES / 8) as u64).collect();
    let mut to = vec![1u64; BYTES / 8];
    let samples = sample(effort.dear_samples, 1, || {
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&mut to);
    });
    measured(MachineLimit::MemoryCopy, per_byte(samples), "copying 64 MiB of resident memory on one core")
}

fn per_byte(samples: Vec<f64>) -> Vec<f64> {
    samples.into_iter().map(|ns| ns / BYTES as f64).collect()
}
