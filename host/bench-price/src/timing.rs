//! Times calls in batches, with the payloads interleaved, so that a change of the machine meets all of them.

use bench_wasm::wasmtime::Result;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// How long each call is measured in each process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Samples of each payload.
    pub samples: u32,
    /// About the duration of a sample.
    pub sample_ns: u64,
}

impl Effort {
    /// Usually.
    pub const DEFAULT: Self = Self { samples: 20, sample_ns: 150_000 };
    /// Enough to see that it works.
    pub const QUICK: Self = Self { samples: 5, sample_ns: 30_000 };
}

/// The most calls of a sample.
pub(crate) const BATCH_MAX: u32 = 1 << 20;

/// Something that is called with one of several payloads.
pub(crate) trait Calls {
    /// Chooses the payload.
    fn select(&mut self, payload: usize) -> Result<()>;

    /// Makes what so many calls use up, before they are timed.
    fn prepare(&mut self, times: u32) -> Result<()>;

    /// Calls it so many times, each of which was prepared.
    fn repeat(&mut self, times: u32) -> Result<()>;

    /// The most calls of a sample, at most [`BATCH_MAX`].
    fn batch_max(&self) -> u32;
}

/// The samples of one payload: nanoseconds a call, each the mean of so many calls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Samples {
    pub(crate) batch: u32,
    pub(crate) ns: Vec<f64>,
}

/// The samples of each of `payloads` payloads.
pub(crate) fn samples(calls: &mut impl Calls, payloads: usize, effort: Effort) -> Result<Vec<Samples>> {
    let mut found = Vec::with_capacity(payloads);
    for payload in 0..payloads {
        calls.select(payload)?;
        found.push(Samples { batch: batch(calls, effort.sample_ns)?, ns: Vec::with_capacity(effort.samples as usize) });
    }
    for _ in 0..effort.samples {
        for (payload, samples) in found.iter_mut().enumerate() {
            calls.select(payload)?;
            // One untimed call, because the other payload has displaced this one from the caches.
            calls.prepare(1)?;
            calls.repeat(1)?;
            calls.prepare(samples.batch)?;
            let start = Instant::now();
            calls.repeat(samples.batch)?;
            samples.ns.push(start.elapsed().as_nanos() as f64 / f64::from(samples.batch));
        }
    }
    Ok(found)
}

/// The number of calls that take about `sample_ns`. Trying it out is the warm-up.
fn batch(calls: &mut impl Calls, sample_ns: u64) -> Result<u32> {
    let (mut times, max) = (1, calls.batch_max());
    loop {
        calls.prepare(times)?;
        let start = Instant::now();
        calls.repeat(times)?;
        let elapsed_ns = start.elapsed().as_nanos().max(1) as u64;
        if elapsed_ns >= sample_ns / 2 || times >= max {
            let batch = u64::from(times) * sample_ns / elapsed_ns;
            return Ok(batch.clamp(1, u64::from(max)) as u32);
        }
        times = (times * 2).min(max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes what it is asked for.
    #[derive(Default)]
    struct Noted {
        selected: Vec<usize>,
        calls: Vec<(usize, u32)>,
        prepared: u32,
    }

    impl Calls for Noted {
        fn select(&mut self, payload: usize) -> Result<()> {
            self.selected.push(payload);
            Ok(())
        }

        fn prepare(&mut self, times: u32) -> Result<()> {
            assert!(times <= 16, "no more than can be prepared");
            self.prepared = times;
            Ok(())
        }

        fn repeat(&mut self, times: u32) -> Result<()> {
            assert_eq!(std::mem::take(&mut self.prepared), times, "every call is prepared");
            self.calls.push((self.selected.last().copied().unwrap_or_default(), times));
            Ok(())
        }

        fn batch_max(&self) -> u32 {
            16
        }
    }

    #[test]
    fn payloads_take_turns_and_each_has_its_samples() {
        let mut noted = Noted::default();
        let found = samples(&mut noted, 3, Effort { samples: 4, sample_ns: 1_000 }).unwrap();
        assert!(found.iter().all(|samples| samples.ns.len() == 4 && samples.batch >= 1));
        assert_eq!(noted.selected, [0, 1, 2].repeat(5), "once to find the batch, then for each sample");
        let timed = &noted.calls[noted.calls.len() - 24..];
        for (at, call) in timed.iter().enumerate() {
            let payload = at / 2 % 3;
            let times = if at % 2 == 0 { 1 } else { found[payload].batch };
            assert_eq!(*call, (payload, times), "{at}");
        }
    }
}
