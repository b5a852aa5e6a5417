//! What operations allocate, counted at the allocator of this program. It is one test, because all threads of a program are counted.

use std::hint::black_box;
use table_core::allocator::{Counting, Counts, counted};
use table_core::clock::Clock;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn block(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes))
}

/// What is counted of `operation`, up to what the test's own runtime may allocate meanwhile.
#[track_caller]
fn check(operation: impl FnOnce(), expect: Counts) {
    let ((), found) = counted(operation);
    for (found, expect) in
        [(found.allocations, expect.allocations), (found.bytes, expect.bytes), (found.held_max, expect.held_max)]
    {
        assert!((expect..expect + 1_000).contains(&found), "{found} for {expect}");
    }
}

#[test]
fn blocks_are_counted_while_an_operation_lasts() {
    let mut earlier = vec![block(70_000)];
    check(|| (), Counts::default());
    let both = || {
        let mut enlarged = block(10_000);
        drop(block(40_000));
        enlarged.reserve_exact(30_000);
        drop(black_box(enlarged));
    };
    // 10000 and 40000 at a time, and 20000 that were added.
    check(both, Counts { allocations: 3, bytes: 70_000, held_max: 50_000 });
    // What is freed of earlier blocks is not allocated again.
    let replaced = || {
        earlier.clear();
        earlier.push(block(60_000));
    };
    check(replaced, Counts { allocations: 1, bytes: 60_000, held_max: 0 });
    let (stages, _) = counted(|| {
        let mut clock = Clock::start();
        for (stage, bytes) in [("scan", 20_000), ("join", 50_000), ("scan", 30_000)] {
            drop(block(bytes));
            clock.lap(stage);
        }
        clock.allocated().collect::<Vec<_>>()
    });
    let near = |found: u64, expect: u64| (expect..expect + 1_000).contains(&found);
    let expect = [("scan", 50_000), ("join", 50_000)];
    assert_eq!(stages.len(), expect.len(), "{stages:?}");
    for ((stage, bytes), (expect, least)) in stages.into_iter().zip(expect) {
        assert!(stage == expect && near(bytes, least), "{stage}: {bytes}");
    }
    // Nothing is counted afterwards.
    drop(block(90_000));
    let mut clock = Clock::start();
    clock.lap("scan");
    assert_eq!(clock.allocated().collect::<Vec<_>>(), [("scan", 0)]);
}
