//! Logs as a session sees them: what they keep, what they refuse, and what they leave behind.

use super::*;
use std::{fs, io};

const OPTIONS: Options =
    Options { durability: Durability::ProcessCrash, page_state: PageState::Resident, segment_bytes: 64 << 10 };

#[test]
fn appends_are_read_back_and_files_are_removed_with_the_log() {
    let parent = tempfile::tempdir().unwrap();
    let mut log = Logs::default().open(&parent.path().join("made"), OPTIONS).unwrap();
    assert_eq!((log.first_sequence(), log.next_sequence()), (0, 0));
    assert_eq!(log.append(b"one"), Ok(0));
    assert_eq!(log.append_batch([&b"two"[..], b""]), Ok(1..3));
    for (sequence, payload) in [&b"one"[..], b"two", b""].into_iter().enumerate() {
        assert_eq!(log.read(sequence as u64), Ok(payload));
    }
    assert_eq!(log.next_sequence(), 3);
    assert_eq!(log.sync(), Ok(3));
    // Read again after an append, with a new view.
    assert_eq!(log.append(b"three"), Ok(3));
    assert_eq!(log.read(3), Ok(&b"three"[..]));
    let folder = parent.path().join("made/log-0");
    assert!(folder.is_dir());
    drop(log);
    assert!(!folder.exists());
}

#[test]
fn disk_usage_is_bounded_and_recycled_payloads_are_reported() {
    let parent = tempfile::tempdir().unwrap();
    let mut log = Logs::default().open(parent.path(), OPTIONS).unwrap();
    let payload = vec![7; 1000];
    for sequence in 0..2000 {
        assert_eq!(log.append(&payload), Ok(sequence));
        // A reader in the middle of the log does not prevent recycling.
        assert_eq!(log.read(sequence).map(<[u8]>::len), Ok(1000));
    }
    // An append drops the view of the last read; the thread that retires segments may lag behind.
    let started = std::time::Instant::now();
    let first = loop {
        log.append(&payload).unwrap();
        let first = log.first_sequence();
        if first > 1700 {
            break first;
        }
        assert!(started.elapsed().as_secs() < 60, "still {first}");
        std::thread::yield_now();
    };
    let next = log.next_sequence();
    assert_eq!(log.read(first - 1).map_err(|error| error.fault), Err(Fault::Recycled));
    assert_eq!(log.read(first).map(<[u8]>::len), Ok(1000));
    let beyond = log.read(next).unwrap_err();
    let reason = format!("sequence {next} is not in the log yet; the next one is {next}");
    assert_eq!((beyond.fault, beyond.reason), (Fault::Beyond, reason));
    // Nothing holds a segment any more: the next ones take the place of those that readers held.
    let folder = parent.path().join("log-0");
    // A segment gets another name when it is recycled, so a listed file may be gone.
    let length = |file: io::Result<fs::DirEntry>| file.and_then(|file| file.metadata()).map_or(0, |found| found.len());
    let bytes = || fs::read_dir(&folder).unwrap().map(length).sum::<u64>();
    while bytes() > u64::from(SEGMENTS + 3) * OPTIONS.segment_bytes {
        assert!(started.elapsed().as_secs() < 60, "still {} bytes", bytes());
        log.append(&payload).unwrap();
    }
}

#[test]
fn what_can_be_read_stays_readable_until_the_next_append() {
    let parent = tempfile::tempdir().unwrap();
    let mut log = Logs::default().open(parent.path(), OPTIONS).unwrap();
    let payload = vec![7; 60_000];
    for _ in 0..400 {
        log.append(&payload).unwrap();
        let first = log.first_sequence();
        // The thread that retires segments has time for it.
        std::thread::yield_now();
        assert_eq!(log.read(first).map(<[u8]>::len), Ok(60_000));
        assert_eq!(log.first_sequence(), first);
    }
    assert!(log.first_sequence() > 0);
}

#[test]
fn invalid_options_are_refused() {
    let parent = tempfile::tempdir().unwrap();
    let logs = Logs::default();
    let check = |options: Options, parent: &Path, expect: &str| {
        let error = logs.open(parent, options).unwrap_err().to_string();
        assert!(error.contains(expect), "{expect:?} is not in {error}");
    };
    for segment_bytes in [0, 4096, (64 << 10) + 1, 128 << 20] {
        check(Options { segment_bytes, ..OPTIONS }, parent.path(), "give a multiple of 65536");
    }
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    check(OPTIONS, &file, "no folder for a log can be made");
    let mut open: Vec<_> = (0..LOGS_MAX).map(|_| logs.open(parent.path(), OPTIONS).unwrap()).collect();
    check(OPTIONS, parent.path(), "close one first");
    open.pop();
    let mut log = logs.open(parent.path(), OPTIONS).unwrap();
    assert_eq!(log.append(&vec![0; 64 << 10]).map_err(|error| error.fault), Err(Fault::TooLarge));
    assert_eq!(log.append(b"fits"), Ok(0));
}
