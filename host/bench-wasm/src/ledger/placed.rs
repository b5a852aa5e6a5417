//! Runs work with the stack at a random address, because the address of the stack changes the speed of calls by some per cent, and
//! is constant in a process.
//!
//! On the effect: Mytkowicz, Diwan, Hauswirth and Sweeney, "Producing Wrong Data Without Doing Anything Obviously Wrong!", ASPLOS
//! 2009. On randomisation as a remedy: Curtsinger and Berger, "STABILIZER", ASPLOS 2013.

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use std::hint::black_box;

type Place<R> = fn(&mut dyn FnMut() -> R) -> R;

/// Runs `work` with the stack moved by a random offset.
pub(crate) fn anywhere<R>(random: &mut ChaCha8Rng, mut work: impl FnMut(&mut ChaCha8Rng) -> R) -> R {
    // Each offset differs in its position in a cache line and in a page.
    let places: [Place<R>; 8] = [
        moved::<R, 0>,
        moved::<R, 528>,
        moved::<R, 1056>,
        moved::<R, 1584>,
        moved::<R, 2112>,
        moved::<R, 2640>,
        moved::<R, 3168>,
        moved::<R, 3696>,
    ];
    let place = places.choose(random).copied().unwrap_or(moved::<R, 0>);
    place(&mut || work(random))
}

#[inline(never)]
fn moved<R, const BYTES: usize>(work: &mut dyn FnMut() -> R) -> R {
    let room = [0_u8; BYTES];
    black_box(&room);
    let result = work();
    black_box(&room);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::collections::BTreeSet;

    #[test]
    fn offsets_differ_and_are_random() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let places: Vec<_> = (0..100)
            .map(|_| {
                anywhere(&mut random, |_| {
                    let here = 0_u8;
                    std::ptr::from_ref(black_box(&here)).addr()
                })
            })
            .collect();
        assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), 8);
        assert_eq!(places.iter().map(|place| place % 64).collect::<BTreeSet<_>>().len(), 4);
    }
}
