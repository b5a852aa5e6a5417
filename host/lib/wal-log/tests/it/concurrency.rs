//! Many writers and readers at once: nothing lost, nothing out of order, nothing visible before it is whole.

use crate::support::{config, directory, open, payload};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use wal_log::{Config, Durability, Entry, Log, Retention, StreamId};

const APPENDS: u64 = 300;

/// Each writer has a stream of its own, and numbers its entries.
fn write(log: &Log, writer: u32) {
    let mut last = None;
    for number in 0..APPENDS {
        let payload = payload(number, 8 + (number as usize * 7 + writer as usize) % 200);
        let entry = Entry { stream: StreamId(writer), kind: 0, payload: &payload };
        let sequence = if number % 10 == 9 {
            let mut transaction = log.transaction();
            transaction.append(entry);
            transaction.commit().unwrap().start
        } else {
            log.append(entry).unwrap()
        };
        assert!(last < Some(sequence), "a writer's sequences grow");
        last = Some(sequence);
    }
}

/// That each stream's entries are there, in order.
fn check(log: &Log, writers: u32) {
    let snapshot = log.snapshot();
    let mut next = vec![0; writers as usize];
    for (expected, record) in snapshot.iter(0).unwrap().enumerate() {
        let record = record.unwrap();
        assert_eq!(record.sequence, expected as u64);
        let number = &mut next[record.stream.0 as usize];
        let len = 8 + (*number as usize * 7 + record.stream.0 as usize) % 200;
        assert_eq!(record.payload, payload(*number, len));
        *number += 1;
    }
    assert!(next.iter().all(|number| *number == APPENDS), "{next:?}");
}

#[test]
fn concurrent_writers_lose_nothing() {
    for (writers, durability) in
        [(1, Durability::None), (4, Durability::Group), (16, Durability::ProcessCrash), (32, Durability::ProcessCrash)]
    {
        let directory = directory();
        let config = Config { durability, segment_bytes: 64 << 10, ..config(directory.path()) };
        let log = open(config.clone());
        thread::scope(|scope| {
            for writer in 0..writers {
                let log = &log;
                scope.spawn(move || write(log, writer));
            }
        });
        check(&log, writers);
        drop(log);
        check(&open(config), writers);
    }
}

#[test]
fn readers_see_a_growing_prefix() {
    let directory = directory();
    let log = open(config(directory.path()));
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut subscription = log.subscribe(0).unwrap();
                let mut next = [0; 4];
                let mut expected = 0;
                while expected < 4 * APPENDS {
                    let count = subscription.drain(|record| {
                        assert_eq!(record.sequence, expected);
                        expected += 1;
                        let number = &mut next[record.stream.0 as usize];
                        assert_eq!(record.payload[..8], u64::to_le_bytes(*number));
                        *number += 1;
                        true
                    });
                    if count.unwrap() == 0 {
                        assert!(!is_done.load(Ordering::Relaxed) || log.next_sequence() > expected);
                        thread::yield_now();
                    }
                }
            });
        }
        scope.spawn(|| {
            // Whatever is below the next sequence can be read at once.
            while !is_done.load(Ordering::Relaxed) {
                let next = log.snapshot().next_sequence();
                if next > 0 {
                    assert_eq!(log.read(next - 1).unwrap().record().sequence, next - 1);
                }
            }
        });
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                scope.spawn({
                    let log = &log;
                    move || write(log, writer)
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn readers_are_not_disturbed_by_recycling() {
    let directory = directory();
    let log = open(Config { retention: Retention::Segments(2), ..config(directory.path()) });
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let snapshot = log.snapshot();
                let first = snapshot.first_sequence();
                for (offset, record) in snapshot.iter(first).unwrap().enumerate() {
                    assert_eq!(record.unwrap().sequence, first + offset as u64);
                }
            }
        });
        thread::scope(|writers| {
            for writer in 0..3 {
                let log = &log;
                writers.spawn(move || write(log, writer));
            }
        });
        is_done.store(true, Ordering::Relaxed);
    });
    assert!(log.snapshot().first_sequence() > 0);
}

#[test]
fn shared_types_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Log>();
    check::<wal_log::Snapshot>();
    check::<wal_log::HeldEntry>();
    check::<wal_log::Subscription<'_>>();
    check::<wal_log::LogError>();
}
