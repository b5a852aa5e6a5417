//! A chain of dependent steps, which no compiler can make faster: a scenario whose arms differ by a chosen percentage,
//! to test comparisons. It must not read anything.

use crate::kernel::Entry;
use bench_plugin::prelude::*;

pub(crate) const ENTRY: Entry = Entry { name: "spin", describe, open };

/// The value that every operation begins with.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// The result of an operation, computed independently with Python's integers, truncated to 64 bits.
const RESULT: u64 = 0xb56d_ccc6_bb1e_7c15;

/// Laps of an operation, a multiple of 100. Together they take about 11 ms, against which a call into a component is
/// negligible, even with cold caches, where it takes about 3 µs.
const LAPS: u64 = 32_000;

/// Steps of a lap.
const STEPS: u64 = 256;

// Halves of Knuth's constants for MMIX, which fit in an immediate operand, so that compilers do not load them from
// memory. The factor is odd, so that a step can be inverted.
const FACTOR: u64 = 0x5851_f42d;
const MASK: u64 = 0x1405_7b7e;

/// One step. Its two operations cannot be combined, so no sequence of steps has a shorter form. Neither needs a copy of
/// `x`, as `x ^ (x >> 7)` would: the cost of a copy depends on the processor and the compiler.
fn step(x: u64) -> u64 {
    x.wrapping_mul(FACTOR) ^ MASK
}

/// `STEPS` steps, unrolled by hand, because compilers differ in how far they unroll a loop. The jump at its end is at
/// most one per mille of these steps.
#[inline(always)]
fn lap(x: u64) -> u64 {
    let four = |x| step(step(step(step(x))));
    let sixteen = |x| four(four(four(four(x))));
    let sixty_four = |x| sixteen(sixteen(sixteen(sixteen(x))));
    sixty_four(sixty_four(sixty_four(sixty_four(x))))
}

fn chain(x: u64, laps: u64) -> u64 {
    (0..laps).fold(x, |x, _| lap(x))
}

/// The constant that leads from the end of a chain back to its beginning, by inverting every step.
fn unchain(x: u64, laps: u64) -> u64 {
    const INVERSE: u64 = inverse(FACTOR);
    (0..laps * STEPS).fold(x, |x, _| (x ^ MASK).wrapping_mul(INVERSE))
}

/// The inverse modulo 2⁶⁴ by Newton's method: an odd number is its own inverse in the lowest three bits, and each round
/// doubles the number of correct bits.
const fn inverse(odd: u64) -> u64 {
    let (mut inverse, mut bits) = (odd, 3);
    while bits < u64::BITS {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse
}

fn describe() -> Scenario {
    let summary = "A chain of 8,192,000 multiplications, equally fast in every arm, or slower in the arm `wasm` by a chosen percentage.";
    Scenario::new("spin", "kernels", summary).parameter(
        Parameter::new(
            "extra_percent",
            0,
            "additional work of the arm `wasm` in percent, to test that a comparison finds it",
        )
        .unit(Unit::from("%"))
        .between(0, 100),
    )
}

fn open(arguments: &Arguments) -> Result<Box<dyn Session>, ModuleError> {
    let percent = arguments.size("extra_percent")? as u64;
    Ok(Box::new(Spin::new(extra_laps(percent, cfg!(target_family = "wasm")))))
}

fn extra_laps(percent: u64, in_wasm: bool) -> u64 {
    if in_wasm { LAPS / 100 * percent } else { 0 }
}

struct Spin {
    /// Additional laps after those of the operation, which are not part of its result.
    extra_laps: u64,
    /// The constant that leads from the end of an operation back to the seed.
    restart: u64,
    /// The value that the next operation begins with: the seed, unless a step was wrong.
    state: u64,
    result: u64,
}

impl Spin {
    fn new(extra_laps: u64) -> Self {
        let result = chain(SEED, LAPS);
        Self { extra_laps, restart: chain(result, extra_laps) ^ SEED, state: SEED, result }
    }
}

impl Session for Spin {
    /// Each operation depends on the end of the one before, including its additional laps, so that a processor cannot
    /// overlap them. The compiler cannot know that the value is always the seed.
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.result = chain(self.state, LAPS);
            self.state = chain(self.result, self.extra_laps) ^ self.restart;
        }
        Ok(Outcome { operations: times, bytes: 0, checksum: self.result })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![
            Check::equal("known-result", &RESULT, &self.result),
            Check::equal("undone", &SEED, &unchain(self.result, LAPS)),
            // A wrong step in any operation so far would still show in this value.
            Check::equal("back-at-seed", &SEED, &self.state),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(spin: &mut Spin) -> Vec<String> {
        spin.verify().unwrap().into_iter().filter(|check| !check.passed).map(|check| check.name).collect()
    }

    #[test]
    fn additional_laps_do_not_change_the_result() {
        for extra_laps in [0, 1, LAPS] {
            let mut spin = Spin::new(extra_laps);
            for times in [0, 1, 2] {
                let expect = Outcome { operations: times, bytes: 0, checksum: RESULT };
                assert_eq!(spin.iterate(times).unwrap(), expect, "{extra_laps} additional laps");
            }
            assert!(failed(&mut spin).is_empty(), "{extra_laps} additional laps");
        }
    }

    #[test]
    fn a_chain_can_be_inverted() {
        assert_eq!(FACTOR.wrapping_mul(inverse(FACTOR)), 1);
        assert_eq!(unchain(chain(SEED, 3), 3), SEED);
        assert_ne!(unchain(chain(SEED, 3), 2), SEED);
    }

    #[test]
    fn a_wrong_step_fails_all_later_checks() {
        let mut spin = Spin::new(0);
        spin.result ^= 1;
        assert_eq!(failed(&mut spin), ["known-result", "undone"]);
        spin.state ^= 1;
        spin.iterate(1).unwrap();
        assert_eq!(failed(&mut spin), ["known-result", "undone", "back-at-seed"]);
    }

    #[test]
    fn the_parameter_affects_only_the_arm_wasm() {
        for (percent, expect) in [(0, 0), (3, LAPS * 3 / 100), (100, LAPS)] {
            assert_eq!((extra_laps(percent, true), extra_laps(percent, false)), (expect, 0));
        }
    }
}
