//! Payloads in okaywal are read back, also after reopening and recycling.

#![cfg(target_os = "linux")]

use std::fs;
use wal_load::{Journal, Payloads};
use wal_okaywal::{OkayJournal, WalOkaywal, open};
use wal_trial::{batch, check, check_reopened, check_session};

#[test]
fn sessions_run() {
    check_session::<WalOkaywal>(open, "append", &[]);
    check_session::<WalOkaywal>(open, "append", &[("rate", 100.into())]);
    check_session::<WalOkaywal>(open, "append-batch", &[("batch", 10_000.into())]);
    check_session::<WalOkaywal>(open, "append-batch", &[("payload_bytes", 65_536.into())]);
}

#[test]
fn payloads_are_read_back_after_reopening() {
    for payload_bytes in [64, 1_024, 65_536] {
        check_reopened(payload_bytes, OkayJournal::open);
    }
}

#[test]
fn recycling_keeps_the_readable_payloads() {
    let folder = tempfile::tempdir().unwrap();
    let mut payloads = Payloads::new(1 << 20, 30).unwrap();
    let mut journal = OkayJournal::open(folder.path()).unwrap();
    for _ in 0..16 {
        batch(&mut journal, &mut payloads, 30);
        let kept = payloads.count() - journal.readable().unwrap().start;
        assert!(kept >= payloads.count().min(64), "{kept} of {}", payloads.count());
        check(&mut journal, &payloads, kept);
    }
    drop(journal);
    let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    let bytes: u64 = files.sum();
    assert!(bytes < payloads.count() << 20, "{bytes}");
    check(&mut OkayJournal::open(folder.path()).unwrap(), &payloads, 64);
}

#[test]
fn entry_bytes_equal_the_bytes_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut payloads = Payloads::new(100, 3).unwrap();
    let mut journal = OkayJournal::open(folder.path()).unwrap();
    batch(&mut journal, &mut payloads, 3);
    drop(journal);
    let content = fs::read(folder.path().join("wal-1")).unwrap();
    // After a header of five bytes.
    let used = content.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    assert_eq!(used, 5 + OkayJournal::entry_bytes(3, 100));
}

#[test]
fn a_failed_log_is_not_called_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut payloads = Payloads::new(64, 1).unwrap();
    let mut journal = OkayJournal::open(folder.path()).unwrap();
    journal.append(payloads.advance()).unwrap();
    fs::remove_file(folder.path().join("wal-1")).unwrap();
    let gone = journal.read_last(1, &mut |_| ()).unwrap_err().to_string();
    assert!(gone.starts_with("okaywal: "), "{gone}");
    let refused = journal.append(payloads.advance()).unwrap_err().to_string();
    assert!(refused.contains("has failed before"), "{refused}");
}
