//! The memory layout of a worker, drawn from the seed: what a program's environment, stack and heap happen to lie at changes its speed
//! by some per cent, and is constant in a process.
//!
//! Mytkowicz, Diwan, Hauswirth and Sweeney, "Producing Wrong Data Without Doing Anything Obviously Wrong!", ASPLOS 2009.

use bench_sink::runfile::Layout;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use std::hint::black_box;

/// The variable with the layout, followed by as many characters as make the environment longer.
pub(super) const VARIABLE: &str = "BENCH_HOST_LAYOUT";

/// Offsets are smaller than a page, because pages are placed at random by the system.
const PAGE: u32 = 4096;

/// Draws the layout of one process of a cell.
pub fn draw_layout(seed: u64, cell: u32, process: u32) -> Layout {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((u64::from(cell) << 32) | u64::from(process));
    let mut below_page = || random.next_u32() % PAGE;
    Layout { environment_bytes: below_page(), stack_bytes: below_page(), heap_bytes: below_page() }
}

/// The value of the variable.
pub(super) fn variable(layout: &Layout) -> String {
    let Layout { environment_bytes, stack_bytes, heap_bytes } = *layout;
    format!("{stack_bytes} {heap_bytes} {}", "x".repeat(environment_bytes as usize))
}

/// The variable of this worker's environment, for the environment of a program that it starts with no other; `None` if the parent has drawn
/// no layout.
pub fn layout_variable() -> Option<(String, String)> {
    std::env::var(VARIABLE).ok().map(|value| (VARIABLE.to_owned(), value))
}

/// Runs `work` in the layout that the parent has drawn, if it has.
pub(super) fn in_layout<R>(work: impl FnOnce() -> R) -> R {
    let value = std::env::var(VARIABLE).unwrap_or_default();
    let mut offsets = value.split(' ').map(|number| number.parse::<u32>().unwrap_or_default());
    let (stack_bytes, heap_bytes) = (offsets.next().unwrap_or_default(), offsets.next().unwrap_or_default());
    // It is never freed, so that everything behind it is moved.
    std::mem::forget(black_box(Vec::<u8>::with_capacity(heap_bytes as usize)));
    let mut result = None;
    let mut work = Some(work);
    move_stack(stack_bytes, &mut || result = work.take().map(|work| work()));
    result.expect("the work was done once")
}

/// The bytes that one call of [`move_stack`] takes at least.
const FRAME: u32 = 64;

/// Runs `work` with the stack moved by about `bytes`.
#[inline(never)]
fn move_stack(bytes: u32, work: &mut dyn FnMut()) {
    let room = [0_u8; FRAME as usize];
    black_box(&room);
    if bytes >= FRAME {
        move_stack(bytes - FRAME, work)
    } else {
        work()
    }
    black_box(&room);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn layout_is_drawn_from_the_seed_for_each_process() {
        assert_eq!(draw_layout(1, 2, 3), draw_layout(1, 2, 3));
        let drawn: BTreeSet<_> = (0..100).map(|process| format!("{:?}", draw_layout(1, 0, process))).collect();
        assert_eq!(drawn.len(), 100);
        assert_ne!(draw_layout(1, 0, 1), draw_layout(1, 1, 0));
        assert_ne!(draw_layout(1, 0, 0), draw_layout(2, 0, 0));
    }

    #[test]
    fn stack_is_moved() {
        let here = |bytes| {
            let mut address = 0;
            move_stack(bytes, &mut || {
                let local = 0_u8;
                address = std::ptr::from_ref(black_box(&local)).addr();
            });
            address
        };
        let places: BTreeSet<_> = [0, 64, 1_000, 4_000].map(here).into();
        assert_eq!(places.len(), 4);
        assert!(places.last().unwrap() - places.first().unwrap() >= 3_900, "{places:?}");
    }

    #[test]
    fn variable_is_as_long_as_drawn() {
        let layout = Layout { environment_bytes: 1_000, stack_bytes: 7, heap_bytes: 30 };
        assert_eq!(variable(&layout).len(), 1_000 + "7 30 ".len());
    }
}
