//! Payloads in walrus are read back, also after reopening, and its old files are removed. walrus has one sync schedule
//! per process, here the one without syncs.

#![cfg(target_os = "linux")]

use std::fs;
use wal_load::{Journal, Payloads};
use wal_trial::{batch, check, check_refused, check_reopened, check_session};
use wal_walrus::{Durability, WalWalrus, WalrusJournal, open};

#[test]
fn sessions_run_and_unsupported_ones_say_why() {
    let each = || ("durability", "each".into());
    check_session::<WalWalrus>(open, "append", &[]);
    let large = [("rate", 1_000.into()), ("payload_bytes", 65_536.into())];
    check_session::<WalWalrus>(open, "append", &large);
    check_session::<WalWalrus>(open, "append-batch", &[("batch", 10_000.into())]);
    check_session::<WalWalrus>(open, "append-batch", &[each()]);
    let many = [each(), ("batch", 10_000.into())];
    check_refused::<WalWalrus>(open, "append-batch", &many, "batches of up to 2000, not 10000");
    let larger = [("payload_bytes", (11 << 20).into())];
    check_refused::<WalWalrus>(open, "append", &larger, "payloads of more than 10485696 bytes");
    check_refused::<WalWalrus>(open, "append", &[each()], "one sync schedule per process");
}

#[test]
fn payloads_are_read_back_after_reopening() {
    for durability in [Durability::ProcessCrash, Durability::EachBatch] {
        for payload_bytes in [64, 1_024, 65_536] {
            check_reopened(payload_bytes, |folder| WalrusJournal::open(folder, durability));
        }
    }
}

#[test]
fn each_payload_is_read_once_and_none_is_skipped() {
    for durability in [Durability::ProcessCrash, Durability::EachBatch] {
        let folder = tempfile::tempdir().unwrap();
        let mut payloads = Payloads::new(65_536, 100).unwrap();
        let mut journal = WalrusJournal::open(folder.path(), durability).unwrap();
        // Reads begin at the start or the middle of a block and span several; 32 MiB end within the last full one of
        // the first read.
        for batches in [7, 3, 5] {
            let before = payloads.count();
            (0..batches).for_each(|_| batch(&mut journal, &mut payloads, 100));
            assert_eq!(journal.readable().unwrap().start, before);
            check(&mut journal, &payloads, 100 * batches);
        }
        drop(journal);
        check(&mut WalrusJournal::open(folder.path(), durability).unwrap(), &payloads, payloads.count());
    }
}

#[test]
fn old_files_free_their_space_after_a_full_topic() {
    let folder = tempfile::tempdir().unwrap();
    let mut payloads = Payloads::new(1 << 20, 60).unwrap();
    let mut journal = WalrusJournal::open(folder.path(), Durability::ProcessCrash).unwrap();
    // More than a file of 1000 MiB, and more than the topic that continues in the second file.
    while payloads.count() < 1_400 {
        batch(&mut journal, &mut payloads, 60);
    }
    let kept = payloads.count() - journal.readable().unwrap().start;
    assert!(kept > 0 && kept <= 256, "{kept}");
    check(&mut journal, &payloads, kept);
    let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    assert_eq!(files.collect::<Vec<_>>(), [1_000 << 20]);
}
