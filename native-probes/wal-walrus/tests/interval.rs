//! Like `journal.rs`, with the sync schedule `interval`, because walrus has one schedule per process.

#![cfg(target_os = "linux")]

use wal_trial::{check_reopened, check_session};
use wal_walrus::{Promise, WalWalrus, WalrusJournal, open};

#[test]
fn what_was_appended_is_read_back_after_reopening_too() {
    check_reopened(64, |folder| WalrusJournal::open(folder, Promise::Interval));
    check_session::<WalWalrus>(open, "append", &[("durability", "interval".into())]);
}
