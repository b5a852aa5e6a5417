//! Durability: who syncs when, and what a failed sync leaves. The file boundary counts, waits and fails on demand, so nothing
//! depends on time.

use crate::support::{config, content, directory_on_disk, entry, fill, filled, open, payload};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;
use wal_log::{Config, Durability, FileBoundary, Log, LogError, OperatingSystem};

/// Counts syncs, and fails those after a number of them.
#[derive(Debug, Default)]
struct Disk {
    syncs: AtomicU64,
    directory_syncs: AtomicU64,
    /// The files and directories that were synced.
    synced: Mutex<BTreeSet<PathBuf>>,
    written: AtomicU64,
    is_failing: AtomicBool,
    is_read_only: AtomicBool,
    is_full: AtomicBool,
}

impl FileBoundary for Disk {
    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        OperatingSystem.allocate(file, bytes)
    }

    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.is_read_only.load(Ordering::SeqCst) {
            // As a disk would that breaks down half way.
            OperatingSystem.write(file, &bytes[..bytes.len() / 16 * 8], offset)?;
            return Err(io::Error::other("the disk is gone"));
        }
        self.written.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        OperatingSystem.write(file, bytes, offset)
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        if self.is_failing.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is gone"));
        }
        self.note(file);
        OperatingSystem.sync_data(file)
    }

    fn sync_directory(&self, directory: &File) -> io::Result<()> {
        self.directory_syncs.fetch_add(1, Ordering::SeqCst);
        self.note(directory);
        OperatingSystem.sync_directory(directory)
    }
}

impl Disk {
    /// Notes that a file was synced, by the name that it has now.
    fn note(&self, file: &File) {
        let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
        self.synced.lock().unwrap().insert(path);
    }
}

/// A log on such a disk, with its helper at rest.
fn on_disk(directory: &std::path::Path, durability: Durability) -> (Log, Arc<Disk>) {
    let disk = Arc::new(Disk::default());
    let boundary = Arc::clone(&disk) as Arc<dyn FileBoundary>;
    let log = open(Config { durability, boundary, segment_bytes: 64 << 10, ..config(directory) });
    log.wait_until_idle().unwrap();
    (log, disk)
}

#[test]
fn each_mode_syncs_as_documented() {
    let check = |durability, expected: u64| {
        let directory = directory_on_disk();
        let (log, disk) = on_disk(directory.path(), durability);
        let before = disk.syncs.load(Ordering::SeqCst);
        fill(&log, 0..10);
        log.append_batch(&[entry(b"a"), entry(b"b")]).unwrap();
        assert_eq!(disk.syncs.load(Ordering::SeqCst) - before, expected, "{durability:?}");
        let durable = if expected == 0 { 0 } else { 12 };
        assert_eq!(log.durable_sequence(), durable, "{durability:?}");
        assert_eq!(log.sync().unwrap(), 12);
        assert_eq!(log.durable_sequence(), 12);
        let before = disk.syncs.load(Ordering::SeqCst);
        log.close().unwrap();
        let at_close = disk.syncs.load(Ordering::SeqCst) - before;
        assert_eq!(at_close, u64::from(durability != Durability::None), "{durability:?}");
    };
    check(Durability::None, 0);
    check(Durability::ProcessCrash, 0);
    check(Durability::Interval(Duration::from_secs(3600)), 0);
    check(Durability::Group, 11);
    check(Durability::Each, 11);
}

#[test]
fn file_names_are_synced_unless_nothing_is() {
    let check = |durability, expected: bool| {
        let directory = directory_on_disk();
        let (log, disk) = on_disk(directory.path(), durability);
        let before = disk.directory_syncs.load(Ordering::SeqCst);
        log.rotate().unwrap();
        fill(&log, 0..1);
        log.rotate().unwrap();
        log.wait_until_idle().unwrap();
        assert_eq!(disk.directory_syncs.load(Ordering::SeqCst) > before, expected, "{durability:?}");
    };
    check(Durability::None, false);
    check(Durability::ProcessCrash, true);
    check(Durability::Group, true);
}

#[test]
fn explicit_sync_makes_names_durable_in_every_mode() {
    for durability in [Durability::None, Durability::ProcessCrash, Durability::Group, Durability::Each] {
        let parent = directory_on_disk();
        let directory = fs::canonicalize(parent.path()).unwrap().join("log");
        // Of an earlier process, of which nothing is durable.
        fill(&open(Config { durability: Durability::None, ..config(&directory) }), 0..1);
        let (log, disk) = on_disk(&directory, durability);
        log.rotate().unwrap();
        fill(&log, 1..2);
        log.wait_until_idle().unwrap();
        assert_eq!(log.sync().unwrap(), 2);
        let synced = disk.synced.lock().unwrap();
        let wanted = [directory.clone(), directory.join("identity")];
        assert!(wanted.iter().all(|path| synced.contains(path)), "{durability:?}: {synced:?}");
    }
}

#[test]
fn explicit_sync_makes_the_name_of_a_new_directory_durable() {
    for durability in [Durability::None, Durability::ProcessCrash, Durability::Group] {
        let parent = directory_on_disk();
        let parent = fs::canonicalize(parent.path()).unwrap();
        let (log, disk) = on_disk(&parent.join("a/log"), durability);
        log.sync().unwrap();
        let synced = disk.synced.lock().unwrap();
        let wanted = [parent.join("a/log/identity"), parent.join("a"), parent];
        assert!(wanted.iter().all(|path| synced.contains(path)), "{durability:?}: {synced:?}");
    }
}

#[test]
fn interval_sync_makes_appends_durable() {
    let directory = directory_on_disk();
    let (log, _) = on_disk(directory.path(), Durability::Interval(Duration::from_millis(1)));
    fill(&log, 0..10);
    while log.durable_sequence() < 10 {
        thread::yield_now();
    }
}

/// A disk whose first sync after it was armed waits until all appenders have written.
#[derive(Debug)]
struct SlowDisk {
    is_armed: AtomicBool,
    syncs: AtomicU64,
    all_written: Barrier,
}

impl FileBoundary for SlowDisk {
    fn sync_data(&self, file: &File) -> io::Result<()> {
        if self.is_armed.swap(false, Ordering::SeqCst) {
            self.all_written.wait();
        }
        self.syncs.fetch_add(1, Ordering::SeqCst);
        OperatingSystem.sync_data(file)
    }
}

#[test]
fn one_sync_commits_all_waiting_appends() {
    const APPENDERS: u64 = 16;
    let directory = directory_on_disk();
    let disk = Arc::new(SlowDisk { is_armed: false.into(), syncs: 0.into(), all_written: Barrier::new(2) });
    let boundary = Arc::clone(&disk) as Arc<dyn FileBoundary>;
    let log = open(Config { durability: Durability::Group, boundary, ..config(directory.path()) });
    log.wait_until_idle().unwrap();
    let before = disk.syncs.load(Ordering::SeqCst);
    disk.is_armed.store(true, Ordering::SeqCst);
    thread::scope(|scope| {
        for number in 0..APPENDERS {
            let log = &log;
            scope.spawn(move || {
                let sequence = log.append(entry(&payload(number, 20))).unwrap();
                assert!(log.durable_sequence() > sequence, "it is acknowledged only when it is durable");
            });
        }
        while log.next_sequence() < APPENDERS {
            thread::yield_now();
        }
        disk.all_written.wait();
    });
    // The one that was under way, and one for everybody who came too late for it.
    assert!(disk.syncs.load(Ordering::SeqCst) - before <= 2);
}

#[test]
fn failed_sync_poisons_the_log() {
    for durability in [Durability::Group, Durability::Each] {
        let directory = directory_on_disk();
        let (log, disk) = on_disk(directory.path(), durability);
        fill(&log, 0..3);
        disk.is_failing.store(true, Ordering::SeqCst);
        let error = log.append(entry(b"lost")).unwrap_err().to_string();
        assert!(error.starts_with("the log is poisoned, because the sync of "), "{error}");
        assert!(error.contains("0000000000000001.wal failed: the disk is gone; reopen it"), "{error}");
        // The disk says that all is well again, which means nothing: the log does not ask it.
        disk.is_failing.store(false, Ordering::SeqCst);
        let before = disk.syncs.load(Ordering::SeqCst);
        for _ in 0..3 {
            assert!(matches!(log.append(entry(b"refused")), Err(LogError::Poisoned { .. })));
            assert!(matches!(log.append_batch(&[entry(b"refused")]), Err(LogError::Poisoned { .. })));
            assert!(matches!(log.sync(), Err(LogError::Poisoned { .. })));
            assert!(matches!(log.rotate(), Err(LogError::Poisoned { .. })));
        }
        assert_eq!(disk.syncs.load(Ordering::SeqCst), before, "no sync is tried again");
        assert_eq!(log.durable_sequence(), 3);
        assert_eq!(content(&log)[..3], filled(0..3), "what was acknowledged is readable");
        assert!(log.close().is_err());
        let log = open(config(directory.path()));
        assert_eq!(content(&log)[..3], filled(0..3));
    }
}

/// The kernel takes pages for clean whose write-back failed, so a later sync says nothing about them.
#[test]
fn records_are_written_again_by_the_recovery_after_a_failed_sync() {
    for durability in [Durability::Group, Durability::ProcessCrash] {
        let directory = directory_on_disk();
        let (log, disk) = on_disk(directory.path(), durability);
        fill(&log, 0..100);
        log.sync().unwrap();
        disk.is_failing.store(true, Ordering::SeqCst);
        let appended = log.append(entry(b"doubtful"));
        assert_eq!(appended.is_err(), durability == Durability::Group);
        assert!(matches!(log.sync(), Err(LogError::Poisoned { .. })));
        drop(log);
        let reopened = || {
            let (log, disk) = on_disk(directory.path(), durability);
            (log.next_sequence(), disk.written.load(Ordering::SeqCst))
        };
        let (next, written) = reopened();
        assert_eq!(next, 101);
        assert!(written > 100 * 90, "all payloads are written: {written} bytes");
        assert_eq!(reopened(), (101, 0), "once they are, the next recovery trusts them");
    }
}

#[test]
fn failed_write_poisons_the_log_and_leaves_a_torn_tail() {
    let directory = directory_on_disk();
    let (log, disk) = on_disk(directory.path(), Durability::Group);
    fill(&log, 0..3);
    disk.is_read_only.store(true, Ordering::SeqCst);
    let error = log.append(entry(b"a record that is written by half")).unwrap_err().to_string();
    assert!(error.contains("the write of ") && error.contains(" failed: the disk is gone"), "{error}");
    disk.is_read_only.store(false, Ordering::SeqCst);
    assert!(matches!(log.append(entry(b"refused")), Err(LogError::Poisoned { .. })));
    assert_eq!(content(&log), filled(0..3));
    drop(log);
    let log = open(config(directory.path()));
    assert!(log.recovery().cut_bytes > 0);
    assert_eq!(content(&log), filled(0..3));
}

#[test]
fn recovered_records_are_durable_in_modes_that_sync() {
    let directory = directory_on_disk();
    drop((0..3).map(|round| fill(&open(config(directory.path())), round * 100..(round + 1) * 100)).collect::<Vec<_>>());
    let disk = Arc::new(Disk::default());
    let boundary = Arc::clone(&disk) as Arc<dyn FileBoundary>;
    let synced = Config { durability: Durability::Group, boundary, ..config(directory.path()) };
    let log = open(synced);
    assert!(disk.syncs.load(Ordering::SeqCst) >= log.recovery().segments);
    assert_eq!(log.durable_sequence(), 300);
    drop(log);
    let log = open(config(directory.path()));
    assert_eq!((log.durable_sequence(), log.sync().unwrap(), log.durable_sequence()), (0, 300, 300));
}

#[test]
fn failed_sync_reaches_every_waiting_append() {
    let directory = directory_on_disk();
    let (log, disk) = on_disk(directory.path(), Durability::Group);
    disk.is_failing.store(true, Ordering::SeqCst);
    thread::scope(|scope| {
        for number in 0..8 {
            let log = &log;
            scope.spawn(move || {
                assert!(matches!(log.append(entry(&payload(number, 9))), Err(LogError::Poisoned { .. })))
            });
        }
    });
    assert_eq!(log.durable_sequence(), 0);
}

#[test]
fn failed_interval_sync_fails_the_next_append() {
    let directory = directory_on_disk();
    let (log, disk) = on_disk(directory.path(), Durability::Interval(Duration::from_millis(1)));
    disk.is_failing.store(true, Ordering::SeqCst);
    loop {
        match log.append(entry(b"more")) {
            Err(LogError::Poisoned { .. }) => break,
            // Until then it may be a segment that cannot be made.
            Ok(_) | Err(LogError::System { call: "fdatasync", .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn full_disk_fails_appends_until_there_is_space() {
    let directory = directory_on_disk();
    let (log, disk) = on_disk(directory.path(), Durability::ProcessCrash);
    disk.is_full.store(true, Ordering::SeqCst);
    let mut count = 0;
    let error = loop {
        match log.append(entry(&payload(count, 90 + count as usize % 20))) {
            Ok(sequence) => assert_eq!(sequence, count),
            Err(error) => break error,
        }
        count += 1;
    };
    assert!(matches!(error, LogError::NoSpace { .. }), "{error:?}");
    assert!(count > 500, "the segment that was ready was used: {count}");
    assert_eq!(content(&log), filled(0..count));
    // A batch that does not fit says how much of it is in the log.
    let small = [entry(b"x"); 10_000];
    match log.append_batch(&small).unwrap_err() {
        LogError::Partial { next, source } => {
            assert!(matches!(*source, LogError::NoSpace { .. }));
            assert_eq!(next, log.next_sequence());
        }
        error => assert!(matches!(error, LogError::NoSpace { .. })),
    }
    let next = log.next_sequence();
    disk.is_full.store(false, Ordering::SeqCst);
    fill(&log, next..next + 1000);
    drop(log);
    let log = open(config(directory.path()));
    assert_eq!(log.next_sequence(), next + 1000);
    assert_eq!(content(&log)[..count as usize], filled(0..count));
}
