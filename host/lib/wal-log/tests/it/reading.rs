//! Reading: by sequence, in order, by range, and what a reader keeps alive.

use crate::support::{config, content, directory, entry, fill, filled, open, payload};
use wal_log::{Entry, LogError, ReadError, StreamId};

#[test]
fn entries_are_read_as_written() {
    let directory = directory();
    let log = open(config(directory.path()));
    let lengths = [0, 1, 7, 8, 9, 63, 64, 65, 767, 768, 769, 4096, 8 * 1024 - 128 - 24];
    for (sequence, len) in lengths.into_iter().enumerate() {
        let payload = vec![len as u8; len];
        let entry = Entry { stream: StreamId(len as u32), kind: u16::MAX - len as u16, payload: &payload };
        assert_eq!(log.append(entry).unwrap(), sequence as u64);
    }
    let check = |log: &wal_log::Log| {
        for (sequence, len) in lengths.into_iter().enumerate() {
            let held = log.read(sequence as u64).unwrap();
            let record = held.record();
            assert_eq!((record.sequence, record.payload), (sequence as u64, vec![len as u8; len].as_slice()));
            assert_eq!((record.stream, record.kind), (StreamId(len as u32), u16::MAX - len as u16));
        }
    };
    check(&log);
    drop(log);
    check(&open(config(directory.path())));
}

#[test]
fn record_larger_than_a_segment_is_refused_and_changes_nothing() {
    let directory = directory();
    let log = open(config(directory.path()));
    let max = config(directory.path()).payload_bytes_max() as usize;
    fill(&log, 0..3);
    let error = log.append(entry(&vec![1; max + 1])).unwrap_err();
    assert!(matches!(error, LogError::TooLarge { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "8072 bytes with their heads do not fit a segment, which has room for 8064; make segments larger"
    );
    let too_large = vec![1; max + 1];
    assert!(matches!(log.append_batch(&[entry(b"fits"), entry(&too_large)]), Err(LogError::TooLarge { .. })));
    assert_eq!(content(&log), filled(0..3));
    assert_eq!(log.append(entry(&vec![1; max])).unwrap(), 3);
}

#[test]
fn sequence_outside_the_log_is_reported_with_its_reason() {
    let directory = directory();
    let log = open(config(directory.path()));
    let beyond = |sequence, next| Some(ReadError::Beyond { sequence, next });
    assert_eq!(log.read(0).err(), beyond(0, 0));
    fill(&log, 0..5);
    assert_eq!(log.read(5).err(), beyond(5, 5));
    assert_eq!(log.read(u64::MAX).err(), beyond(u64::MAX, 5));
    let snapshot = log.snapshot();
    assert_eq!(snapshot.iter(6).err(), beyond(6, 5));
    assert_eq!(snapshot.iter(5).unwrap().count(), 0);
}

#[test]
fn ranges_and_positions_cover_every_entry_across_segments() {
    let directory = directory();
    let log = open(config(directory.path()));
    fill(&log, 0..300);
    let snapshot = log.snapshot();
    assert!(snapshot.segment_count() > 3);
    for (from, to) in [(0, 300), (0, 0), (77, 78), (60, 240), (299, 300), (150, u64::MAX), (10, 5)] {
        let records = snapshot.range(from..to).unwrap().map(|record| record.unwrap());
        let found: Vec<_> = records.map(|record| (record.sequence, record.payload.to_vec())).collect();
        assert_eq!(found, filled(from..to.min(300)), "{from}..{to}");
    }
    for (sequence, expected) in filled(0..300) {
        assert_eq!(snapshot.read(sequence).unwrap().payload, expected);
    }
}

#[test]
fn iterator_at_the_end_continues_with_new_entries() {
    let directory = directory();
    let log = open(config(directory.path()));
    let snapshot = log.snapshot();
    let mut records = snapshot.iter(0).unwrap();
    assert!(records.next().is_none());
    fill(&log, 0..2);
    assert_eq!(records.next().unwrap().unwrap().sequence, 0);
    assert_eq!(records.next().unwrap().unwrap().payload, payload(1, 91));
    assert!(records.next().is_none());
    fill(&log, 2..3);
    assert_eq!(records.next().unwrap().unwrap().sequence, 2);
}

#[test]
fn damage_under_a_reader_is_an_error() {
    let directory = directory();
    let log = open(config(directory.path()));
    fill(&log, 0..20);
    let path = crate::support::segments(directory.path()).remove(0);
    let (offsets, _) = crate::support::offsets(&std::fs::read(&path).unwrap());
    // Through the file, as a failing disk would.
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[0xff], offsets[7] as u64 + 30).unwrap();
    let error = log.read(7).unwrap_err().to_string();
    assert!(error.contains("record 7 has CRC32C") && error.contains("though it was valid"), "{error}");
    let snapshot = log.snapshot();
    let read: Vec<_> = snapshot.iter(0).unwrap().collect();
    assert_eq!(read.len(), 8);
    assert!(matches!(read[7], Err(ReadError::Corrupt(_))));
}
