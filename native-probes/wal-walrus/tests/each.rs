//! Like `journal.rs`, with the sync schedule `each`, because walrus has one schedule per process.

#![cfg(target_os = "linux")]

use wal_trial::{check_reopened, check_session};
use wal_walrus::{Durability, WalWalrus, WalrusJournal, open};

#[test]
fn payloads_are_read_back_after_reopening() {
    check_reopened(64, |folder| WalrusJournal::open(folder, Durability::Each));
    check_session::<WalWalrus>(open, "append", &[("durability", "each".into())]);
}
