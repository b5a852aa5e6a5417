//! Batches: order, and what remains where one does not fit a segment.

use crate::support::{config, content, directory, entry, open, payload};
use wal_log::{Entry, StreamId};

#[test]
fn batch_keeps_its_order_across_segments() {
    let directory = directory();
    let log = open(config(directory.path()));
    let payloads: Vec<_> = (0..500).map(|number| payload(number, 8 + number as usize % 300)).collect();
    let entries: Vec<_> = payloads.iter().map(|payload| entry(payload)).collect();
    assert_eq!(log.append_batch(&entries[..1]).unwrap(), 0..1);
    assert_eq!(log.append_batch(&entries[1..]).unwrap(), 1..500);
    let expected: Vec<_> = (0..).zip(payloads.iter().cloned()).collect();
    assert_eq!(content(&log), expected);
    drop(log);
    assert_eq!(content(&open(config(directory.path()))), expected);
}

#[test]
fn empty_batch_changes_nothing() {
    let directory = directory();
    let log = open(config(directory.path()));
    assert_eq!(log.append_batch(&[]).unwrap(), 0..0);
    assert_eq!(log.next_sequence(), 0);
}

#[test]
fn batch_moves_the_heads_of_its_streams() {
    let directory = directory();
    let log = open(config(directory.path()));
    let streams = [3, 3, 4, 3, 5, 5];
    let entries = streams.map(|stream| Entry { stream: StreamId(stream), kind: 0, payload: b"" });
    log.append_batch(&entries).unwrap();
    let heads = |log: &wal_log::Log| [3, 4, 5, 6].map(|stream| log.stream_head(StreamId(stream)));
    assert_eq!(heads(&log), [Some(3), Some(2), Some(5), None]);
    drop(log);
    assert_eq!(heads(&open(config(directory.path()))), [Some(3), Some(2), Some(5), None]);
}
