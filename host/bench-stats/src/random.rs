//! Draws of whole numbers that are the same on every machine: a seed and a stream are all they depend on.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// A source of draws.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// A source for one stream of `seed`. Streams are independent: one more draw from one does not change another.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// A number below `bound`, which must be at least 1 and fit 32 bits. A multiplication instead of a rejection favours
    /// some numbers by at most bound/2³², which no statistic of this crate can see, and is written here because results
    /// must not change with a version of `rand`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u64::from(self.0.next_u32()) * bound as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_fixed_and_streams_differ() {
        let draws = |seed, stream| -> Vec<usize> {
            let mut random = Random::new(seed, stream);
            (0..6).map(|_| random.below(1_000)).collect()
        };
        assert_eq!(draws(7, 0), draws(7, 0));
        assert_ne!(draws(7, 0), draws(7, 1));
        assert_ne!(draws(7, 0), draws(8, 0));
    }

    #[test]
    fn every_number_below_the_bound_comes_up_alike() {
        let mut random = Random::new(1, 0);
        let mut seen = [0u32; 7];
        (0..70_000).for_each(|_| seen[random.below(7)] += 1);
        assert!(seen.iter().all(|count| count.abs_diff(10_000) < 400), "{seen:?}");
    }
}
