//! The memory of an idle stream, counted at the allocator.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "the allocator is wrapped")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use wal_log::{Config, Durability, Entry, Log, StreamId};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes a stream, from the memory of so many and so many more.
#[test]
fn idle_stream_costs_less_than_64_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new(directory.path(), Durability::None);
    config.segment_bytes = 8 << 20;
    let log = Log::open(config.clone()).unwrap();
    let touch = |streams: std::ops::Range<u32>| {
        for stream in streams {
            // Numbers as an application might give them out, not dense.
            log.append(Entry { stream: StreamId(stream.wrapping_mul(77)), kind: 0, payload: &[] }).unwrap();
        }
        log.wait_until_idle().unwrap();
        (LIVE.load(Ordering::Relaxed) - log.usage().index_bytes, log.usage().stream_bytes)
    };
    let (few, _) = touch(0..100_000);
    let (many, table) = touch(100_000..1_000_000);
    let slope = (many - few) as f64 / 900_000.0;
    assert!(slope <= 64.0, "{slope:.1} bytes a stream");
    assert!(many.abs_diff(table) < 4 << 20, "the log knows what its table takes: {table} of {many}");
    eprintln!("{slope:.1} bytes a stream from 100 000 to 1 000 000, {:.1} at a million", table as f64 / 1e6);
    drop(log);
    let log = Log::open(config).unwrap();
    assert_eq!((log.stream_count(), log.recovery().streams), (1_000_000, 1_000_000));
}
