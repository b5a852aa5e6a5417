//! Transactions: all or nothing, for readers and for recovery.

use crate::support::{
    config, content, directory, edit, entry, fill, filled, offsets, open, payload, segments, with_policy,
};
use std::fs;
use wal_log::{Log, LogError, Policy};

fn commit(log: &Log, numbers: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let mut transaction = log.transaction();
    for (_, payload) in filled(numbers) {
        transaction.append(entry(&payload));
    }
    transaction.commit().unwrap()
}

#[test]
fn committed_transaction_is_visible_and_dropped_one_is_not() {
    let directory = directory();
    let log = open(config(directory.path()));
    fill(&log, 0..3);
    assert_eq!(commit(&log, 3..9), 3..9);
    let mut dropped = log.transaction();
    dropped.append(entry(b"never"));
    assert_eq!((dropped.len(), dropped.is_empty()), (1, false));
    drop(dropped);
    assert_eq!(log.transaction().commit().unwrap(), 9..9);
    fill(&log, 9..200);
    assert_eq!(commit(&log, 200..230), 200..230);
    assert_eq!(content(&log), filled(0..230));
    (0..230).for_each(|sequence| assert_eq!(log.read(sequence).unwrap().record().sequence, sequence));
    drop(log);
    let log = open(config(directory.path()));
    assert_eq!((log.recovery().records, log.recovery().uncommitted_records), (230, 0));
    assert_eq!(content(&log), filled(0..230));
}

#[test]
fn transaction_larger_than_a_segment_is_refused_as_a_whole() {
    let directory = directory();
    let log = open(config(directory.path()));
    let mut transaction = log.transaction();
    (0..100).for_each(|number| transaction.append(entry(&payload(number, 100))));
    assert!(matches!(transaction.commit(), Err(LogError::TooLarge { .. })));
    assert_eq!(log.next_sequence(), 0);
}

/// Cuts a log behind a transaction off at every byte of it.
#[test]
fn recovery_finds_all_or_nothing_of_a_cut_transaction() {
    let directory = directory();
    let log = open(config(directory.path()));
    fill(&log, 0..2);
    commit(&log, 2..5);
    drop(log);
    let path = segments(directory.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let (offsets, end) = offsets(&whole);
    assert_eq!(offsets.len(), 6, "five entries and a commit record");
    for cut in offsets[2]..end {
        fs::write(&path, &whole).unwrap();
        edit(&path, |bytes| bytes[cut..].fill(0));
        if fs::read(&path).unwrap() == whole {
            // What was cut was zero.
            continue;
        }
        let log = open(config(directory.path()));
        assert_eq!(content(&log), filled(0..2), "cut at {cut}");
        let complete = offsets[3..].iter().filter(|offset| **offset <= cut).count() as u64;
        // A record whose padding was cut, which is zero anyway, is complete too.
        let found = log.recovery().uncommitted_records;
        assert!(found == complete.min(3) || found == complete + 1, "cut at {cut}: {found}, not {complete}");
        assert_eq!(commit(&log, 2..4), 2..4);
        drop(log);
        let log = open(config(directory.path()));
        assert_eq!(content(&log), filled(0..4), "what was cut does not come back");
    }
}

#[test]
fn damaged_transaction_is_skipped_as_a_whole() {
    let directory = directory();
    let log = open(config(directory.path()));
    fill(&log, 0..2);
    commit(&log, 2..5);
    fill(&log, 5..8);
    drop(log);
    let path = segments(directory.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let (offsets, _) = offsets(&whole);
    for damaged in 2..6 {
        fs::write(&path, &whole).unwrap();
        edit(&path, |bytes| bytes[offsets[damaged] + 20] ^= 1);
        assert!(matches!(Log::open(config(directory.path())), Err(LogError::Corrupt { .. })));
        let log = open(with_policy(directory.path(), Policy::Skip));
        assert_eq!(content(&log), filled((0..2).chain(5..8)));
        assert_eq!((log.recovery().skipped_records, log.recovery().records), (3, 5));
        drop(log);
        let log = open(config(directory.path()));
        assert_eq!(content(&log), filled((0..2).chain(5..8)), "the damage is marked");
        drop(log);
        fs::write(&path, &whole).unwrap();
        edit(&path, |bytes| bytes[offsets[damaged] + 20] ^= 1);
        let log = open(with_policy(directory.path(), Policy::Truncate));
        assert_eq!(content(&log), filled(0..2));
    }
}
