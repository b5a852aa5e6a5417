//! Logs as a session sees them: what they keep, what they refuse, and what they leave behind.

use super::*;
use std::fs;

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
    assert_eq!(log.append(&payload), Ok(2000));
    let started = std::time::Instant::now();
    while log.first_sequence() <= 1700 {
        assert!(started.elapsed().as_secs() < 60, "still {}", log.first_sequence());
        std::thread::yield_now();
    }
    let first = log.first_sequence();
    assert_eq!(log.read(first - 1).map_err(|error| error.fault), Err(Fault::Recycled));
    assert_eq!(log.read(first).map(<[u8]>::len), Ok(1000));
    let beyond = log.read(2001).unwrap_err();
    assert_eq!(
        (beyond.fault, beyond.reason.as_str()),
        (Fault::Beyond, "sequence 2001 is not in the log yet; the next one is 2001")
    );
    let files = fs::read_dir(parent.path().join("log-0")).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes <= u64::from(SEGMENTS + 3) * OPTIONS.segment_bytes, "{bytes}");
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
