//! Streams: their heads are recovered, also where their records are recycled.

use crate::support::{config, directory, open};
use wal_log::{Config, Entry, Log, LogError, Policy, Retention, StreamId};

fn put(log: &Log, stream: u32) -> u64 {
    log.append(Entry { stream: StreamId(stream), kind: 0, payload: &[9; 100] }).unwrap()
}

fn recycling(directory: &std::path::Path) -> Config {
    Config { retention: Retention::Segments(2), ..config(directory) }
}

#[test]
fn heads_outlive_their_records() {
    let directory = directory();
    let log = open(recycling(directory.path()));
    for stream in 1000..1050 {
        put(&log, stream);
    }
    for _ in 0..500 {
        put(&log, 7);
        log.wait_until_idle().unwrap();
    }
    put(&log, 1001);
    let check = |log: &Log| {
        assert!(log.snapshot().first_sequence() > 50, "the streams' records are recycled");
        assert_eq!(log.stream_count(), 51);
        let expected = |stream: u32| if stream == 1001 { 550 } else { u64::from(stream) - 1000 };
        (1000..1050).for_each(|stream| assert_eq!(log.stream_head(StreamId(stream)), Some(expected(stream))));
        assert_eq!((log.stream_head(StreamId(7)), log.stream_head(StreamId(8))), (Some(549), None));
    };
    check(&log);
    drop(log);
    check(&open(recycling(directory.path())));
}

#[test]
fn damaged_heads_file_is_reported_and_set_aside() {
    let directory = directory();
    let log = open(recycling(directory.path()));
    put(&log, 1);
    (0..500).for_each(|_| assert!(put(&log, 2) > 0));
    log.wait_until_idle().unwrap();
    drop(log);
    let heads = directory.path().join("heads");
    crate::support::edit(&heads, |bytes| bytes[45] ^= 4);
    let error = Log::open(recycling(directory.path())).unwrap_err();
    assert!(matches!(error, LogError::Corrupt { .. }));
    assert!(error.to_string().contains("heads, byte 0: the heads of streams without records"), "{error}");
    let log = open(Config { policy: Policy::Skip, ..recycling(directory.path()) });
    assert_eq!((log.recovery().findings.len(), log.stream_head(StreamId(1))), (1, None));
    assert_eq!(log.stream_head(StreamId(2)), Some(500));
    drop(log);
    open(recycling(directory.path()));
}
