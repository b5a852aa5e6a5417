//! Recycling: bounded files, no old content in recycled ones, and readers that keep what they hold.

use crate::support::{HEADER, config, content, directory, entry, fill, filled, offsets, open, payload, segments};
use std::fs;
use std::thread;
use wal_log::{Config, Durability, Log, LogError, PageState, ReadError, Retention};

fn recycling(directory: &std::path::Path, kept: u32) -> Config {
    Config { retention: Retention::Segments(kept), ..config(directory) }
}

/// Fills, and waits for the helper, so that it depends on no timing what is recycled.
fn fill_slowly(log: &Log, numbers: std::ops::Range<u64>) {
    for number in numbers {
        fill(log, number..number + 1);
        log.wait_until_idle().unwrap();
    }
}

#[test]
fn file_count_is_bounded_and_recycled_sequences_are_reported() {
    for (kept, durability) in [(1, Durability::ProcessCrash), (3, Durability::Group), (2, Durability::None)] {
        let directory = directory();
        let mut config = recycling(directory.path(), kept);
        config.durability = durability;
        let log = open(config.clone());
        fill_slowly(&log, 0..600);
        assert_eq!(segments(directory.path()).len() as u32, kept + config.segments_ahead);
        let first = log.snapshot().first_sequence();
        assert!(first > 300);
        assert_eq!(log.read(first - 1).unwrap_err(), ReadError::Recycled { sequence: first - 1, first });
        assert_eq!(log.snapshot().iter(0).unwrap_err(), ReadError::Recycled { sequence: 0, first });
        assert_eq!(content(&log), filled(first..600));
        drop(log);
        let log = open(config);
        assert_eq!((log.recovery().first_sequence, log.recovery().next_sequence), (first, 600));
        assert_eq!(content(&log), filled(first..600));
        fill_slowly(&log, 600..900);
    }
}

/// The helper retires after each segment that it provides, so it is at most two segments behind.
#[test]
fn file_count_is_bounded_while_appenders_take_each_segment_at_once() {
    let directory = directory();
    let config = recycling(directory.path(), 2);
    let (kept, ahead) = (2, config.segments_ahead as usize);
    let log = open(config);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for number in 0..3_000 {
                        log.append(entry(&payload(number, 100))).unwrap();
                    }
                })
            })
            .collect();
        while writers.iter().any(|writer| !writer.is_finished()) {
            let snapshot = log.snapshot();
            let span = snapshot.next_sequence() - snapshot.first_sequence();
            assert!(span <= (kept + ahead + 2) as u64 * (8 << 10) / 100, "{span} records are kept");
        }
    });
    assert!(log.snapshot().first_sequence() > 8_000);
}

#[test]
fn held_entry_keeps_its_segment() {
    let directory = directory();
    let log = open(recycling(directory.path(), 1));
    fill_slowly(&log, 0..10);
    let held = log.read(3).unwrap();
    let snapshot = log.snapshot();
    fill_slowly(&log, 10..700);
    assert!(log.snapshot().first_sequence() > 100);
    assert_eq!(held.record().payload, payload(3, 93));
    assert_eq!(snapshot.read(5).unwrap().payload, payload(5, 95));
    // The whole chain behind a held segment stays, so that numbers have no gap whenever the process dies.
    let names: Vec<_> = segments(directory.path()).iter().map(|path| path.file_stem().unwrap().to_owned()).collect();
    let numbers: Vec<_> = names.iter().map(|name| u64::from_str_radix(name.to_str().unwrap(), 16).unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    assert!(numbers.len() > 5);
    drop((held, snapshot));
    log.rotate().unwrap();
    log.wait_until_idle().unwrap();
    assert_eq!(segments(directory.path()).len(), 2);
}

#[test]
fn log_cannot_be_reopened_while_entries_are_held() {
    let directory = directory();
    let log = open(recycling(directory.path(), 1));
    fill_slowly(&log, 0..10);
    let (held, snapshot) = (log.read(3).unwrap(), log.snapshot());
    drop(log);
    assert!(matches!(Log::open(recycling(directory.path(), 1)), Err(LogError::InUse { .. })));
    assert_eq!(snapshot.read(5).unwrap().payload, payload(5, 95));
    drop(snapshot);
    assert!(matches!(Log::open(recycling(directory.path(), 1)), Err(LogError::InUse { .. })));
    assert_eq!(held.record().payload, payload(3, 93));
    drop(held);
    open(recycling(directory.path(), 1));
}

/// Records of one length, so that each new one ends exactly where an old one begins.
#[test]
fn tail_of_a_recycled_segment_is_never_valid() {
    let directory = directory();
    let config = || recycling(directory.path(), 1);
    let log = open(config());
    let append = |log: &Log, numbers: std::ops::Range<u64>| {
        for number in numbers {
            assert_eq!(log.append(entry(&payload(number, 100))).unwrap(), number);
            log.wait_until_idle().unwrap();
        }
    };
    let expected =
        |numbers: std::ops::Range<u64>| -> Vec<_> { numbers.map(|number| (number, payload(number, 100))).collect() };
    append(&log, 0..400);
    log.rotate().unwrap();
    log.wait_until_idle().unwrap();
    append(&log, 400..403);
    drop(log);
    let active = segments(directory.path()).remove(0);
    let (offsets, end) = offsets(&fs::read(&active).unwrap());
    assert!(offsets.len() > 50 && offsets[0] == HEADER && end > 8000, "old records follow the new ones");
    for next in 403..410 {
        let log = open(config());
        let found = log.recovery();
        assert_eq!((found.records, found.cut_bytes, found.next_sequence), (next - 400, 0, next));
        assert_eq!(content(&log), expected(400..next));
        append(&log, next..next + 1);
    }
}

#[test]
fn torn_append_in_a_recycled_segment_is_cut() {
    let directory = directory();
    let log = open(recycling(directory.path(), 1));
    fill_slowly(&log, 0..400);
    log.rotate().unwrap();
    log.wait_until_idle().unwrap();
    let next = log.next_sequence();
    fill_slowly(&log, next..next + 3);
    drop(log);
    let active = segments(directory.path()).remove(0);
    // What an append leaves that was interrupted before its last store: everything but the first word.
    crate::support::edit(&active, |bytes| {
        let (offsets, _) = offsets(bytes);
        let at = offsets[3];
        bytes[at + 8..at + 16].copy_from_slice(&(next + 3).to_le_bytes());
    });
    let log = open(recycling(directory.path(), 1));
    assert!(log.recovery().cut_bytes > 0);
    assert_eq!(content(&log), filled(next..next + 3));
    drop(log);
    let log = open(recycling(directory.path(), 1));
    assert_eq!(log.recovery().cut_bytes, 0);
}

#[test]
fn every_page_state_recycles_and_recovers() {
    for page_state in [PageState::Fresh, PageState::Written, PageState::Resident] {
        for durability in [Durability::ProcessCrash, Durability::Each] {
            let directory = directory();
            let config = Config { page_state, durability, ..recycling(directory.path(), 2) };
            let log = open(config.clone());
            fill_slowly(&log, 0..300);
            log.close().unwrap();
            let log = open(config);
            let first = log.snapshot().first_sequence();
            assert!(first > 0);
            assert_eq!(content(&log), filled(first..300));
        }
    }
}
