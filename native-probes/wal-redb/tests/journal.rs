//! Payloads in redb are read back, also after reopening, and the file does not grow without bound.

#![cfg(target_os = "linux")]

use redb::Durability;
use wal_load::{Journal, Payloads};
use wal_redb::{RedbJournal, WalRedb, open};
use wal_trial::{batch, check, check_reopened, check_session};

#[test]
fn sessions_run_in_each_durability() {
    for durability in ["each", "none"] {
        let durability = ("durability", durability.into());
        check_session::<WalRedb>(open, "append", std::slice::from_ref(&durability));
        check_session::<WalRedb>(open, "append", &[durability.clone(), ("rate", 1_000.into())]);
        check_session::<WalRedb>(open, "append-batch", &[durability, ("payload_bytes", 1_024.into())]);
    }
}

#[test]
fn payloads_are_read_back_after_reopening() {
    for durability in [Durability::Immediate, Durability::None] {
        for payload_bytes in [64, 65_536] {
            check_reopened(payload_bytes, |folder| RedbJournal::open(folder, durability));
        }
    }
}

#[test]
fn a_full_table_is_emptied_and_its_space_reused() {
    let folder = tempfile::tempdir().unwrap();
    let mut payloads = Payloads::new(1 << 20, 50).unwrap();
    let mut journal = RedbJournal::open(folder.path(), Durability::None).unwrap();
    let bytes = || folder.path().join("log.redb").metadata().unwrap().len();
    let mut after_two = 0;
    for emptied in 1..5 {
        let before = journal.readable().unwrap().start;
        while journal.readable().unwrap().start == before {
            batch(&mut journal, &mut payloads, 50);
        }
        let kept = payloads.count() - journal.readable().unwrap().start;
        check(&mut journal, &payloads, kept);
        match emptied {
            2 => after_two = bytes(),
            _ => assert!(after_two == 0 || bytes() <= after_two, "{} after {after_two}", bytes()),
        }
    }
    let kept_from = journal.readable().unwrap().start;
    drop(journal);
    assert_eq!(RedbJournal::open(folder.path(), Durability::None).unwrap().readable().unwrap().start, kept_from);
}

#[test]
fn a_missing_folder_is_an_error_that_names_it() {
    let error = RedbJournal::open("/nowhere/at/all".as_ref(), Durability::None).unwrap_err().to_string();
    assert!(error.starts_with("redb cannot open /nowhere/at/all/log.redb: "), "{error}");
}
