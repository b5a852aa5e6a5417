//! A full disk: a tmpfs of a few hundred KiB, mounted in a child's own mount namespace.

use crate::support::{config, content, directory, entry, filled, open, payload};
use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use wal_log::{Config, Durability, LogError, PageState};

/// Mounts in a namespace that this thread alone sees. `Err` says why not.
fn mount_small_disk(target: &Path) -> Result<(), String> {
    // SAFETY: a system call without pointers. The thread is one of ours, and shares neither with the others from here on.
    let unshared = unsafe { libc::unshare(libc::CLONE_NEWNS | libc::CLONE_FS) };
    if unshared != 0 {
        return Err(format!("unshare: {}", io::Error::last_os_error()));
    }
    // Nothing that is mounted here is to appear outside.
    mount(c"none", c"/", c"", libc::MS_PRIVATE | libc::MS_REC, c"")?;
    let target = CString::new(target.as_os_str().as_bytes()).unwrap();
    mount(c"wal-log", &target, c"tmpfs", 0, c"size=512k")
}

fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: libc::c_ulong, data: &CStr) -> Result<(), String> {
    let data = if data.is_empty() { ptr::null() } else { data.as_ptr().cast() };
    // SAFETY: the strings end with a zero and live longer than the call.
    let mounted = unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, data) };
    if mounted == 0 { Ok(()) } else { Err(format!("mount: {}", io::Error::last_os_error())) }
}

/// Runs on a thread of its own, because the namespace stays with the thread; the log's threads inherit it.
fn on_small_disk(check: impl FnOnce(&Path) + Send) {
    let target = directory();
    std::thread::scope(|scope| {
        let run = || match mount_small_disk(target.path()) {
            Ok(()) => check(target.path()),
            Err(why) => eprintln!("skipped: needs a mount of its own ({why})"),
        };
        scope.spawn(run).join().unwrap();
    });
}

#[test]
fn full_disk_is_an_error_and_loses_nothing_acknowledged() {
    for page_state in [PageState::Fresh, PageState::Written, PageState::Resident] {
        on_small_disk(|path| {
            let config = Config { page_state, segment_bytes: 64 << 10, ..config(path) };
            let ballast = path.join("ballast");
            std::fs::write(&ballast, vec![1; 130 << 10]).unwrap();
            let log = open(config.clone());
            let mut count = 0;
            let error = loop {
                match log.append(entry(&payload(count, 90 + count as usize % 20))) {
                    Ok(_) => count += 1,
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, LogError::NoSpace { .. }), "{error:?}");
            let message = error.to_string();
            assert!(message.contains("free 65536 bytes there and append again"), "{message}");
            assert_eq!(content(&log), filled(0..count), "it stays readable");
            std::fs::remove_file(&ballast).unwrap();
            for number in count..count + 300 {
                log.append(entry(&payload(number, 90 + number as usize % 20))).unwrap();
            }
            drop(log);
            let log = open(config);
            assert_eq!(content(&log), filled(0..count + 300));
        });
    }
}

#[test]
fn disk_without_space_for_one_segment_fails_open() {
    on_small_disk(|path| {
        let config = Config { durability: Durability::Group, segment_bytes: 1 << 20, ..config(path) };
        assert!(matches!(wal_log::Log::open(config.clone()), Err(LogError::NoSpace { .. })));
        assert!(crate::support::segments(path).is_empty(), "what was reserved is given back");
        let log = open(Config { segment_bytes: 64 << 10, ..config });
        log.append(entry(b"fits")).unwrap();
    });
}
