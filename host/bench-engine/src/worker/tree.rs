//! The processes that descend from a worker, and their end. The supervisor of a worker adopts whatever the worker leaves behind, so
//! nothing that a module starts is outside of its tree while the supervisor lives; afterwards a mark in the environment tells.

use procfs_core::FromRead;
use procfs_core::process::Stat;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// A process in `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    parent: i32,
    is_zombie: bool,
}

/// Kills the descendants of `root`, again until none is left, because they may start others meanwhile. Gives up after `patience`.
pub(super) fn kill_descendants(root: Pid, patience: Duration) {
    let started = Instant::now();
    let mut scans_without = 0;
    // A process that was listed may start another and end before it is looked at. The next scan lists the other.
    while scans_without < 2 && started.elapsed() <= patience {
        let left = descendants(&processes(), root.as_raw_pid());
        scans_without = if left.is_empty() { scans_without + 1 } else { 0 };
        kill(left);
        std::thread::yield_now();
    }
}

/// Kills the descendants of this process, which must adopt them, until the kernel says that it has no child. Gives up after `patience`.
pub(super) fn kill_adopted(patience: Duration) {
    let started = Instant::now();
    while has_children() && started.elapsed() <= patience {
        kill(descendants(&processes(), getpid().as_raw_pid()));
        std::thread::yield_now();
    }
}

/// Whether this process has a child that has not ended. Takes the exit status of those that have.
fn has_children() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

fn kill(processes: Vec<i32>) {
    for process in processes.into_iter().filter_map(Pid::from_raw) {
        // It may have ended since it was listed.
        let _ = kill_process(process, Signal::KILL);
    }
}

/// The variable whose value tells the processes of one worker from all others, if its supervisor was killed.
pub(super) const MARK: &str = "BENCH_HOST_WORKER";

/// A value of [`MARK`] for the worker with this number of this process. Always of one length, because the environment moves the stack.
pub(super) fn mark(number: u64) -> String {
    format!("{:010}-{number:020}", std::process::id())
}

/// Kills the processes that were started with `mark`, again until none is left. Gives up after `patience`. One that has started another
/// program with another environment is not found.
pub(super) fn kill_marked(mark: &str, patience: Duration) {
    let started = Instant::now();
    loop {
        let left = marked(mark);
        if left.is_empty() || started.elapsed() > patience {
            return;
        }
        for process in left {
            let _ = kill_process(process, Signal::KILL);
        }
        std::thread::yield_now();
    }
}

/// The processes with `mark` in their environment. A zombie has none.
fn marked(mark: &str) -> Vec<Pid> {
    let variable = format!("{MARK}={mark}");
    let has_mark = |process: &Pid| {
        // Of another user's process, nothing can be read.
        let environment = fs::read(format!("/proc/{}/environ", process.as_raw_pid())).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|found| found == variable.as_bytes())
    };
    let own = getpid();
    let others = processes().into_keys().filter_map(Pid::from_raw).filter(|process| *process != own);
    others.filter(has_mark).collect()
}

/// The living descendants of `root`. A zombie has ended, but its children may live.
fn descendants(processes: &BTreeMap<i32, Entry>, root: i32) -> Vec<i32> {
    let (mut found, mut parents) = (Vec::new(), vec![root]);
    while let Some(parent) = parents.pop() {
        for (&process, entry) in processes.iter().filter(|(_, entry)| entry.parent == parent) {
            parents.push(process);
            found.extend((!entry.is_zombie).then_some(process));
        }
    }
    found
}

/// All processes that `/proc` shows; none on a system without it.
fn processes() -> BTreeMap<i32, Entry> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let entry = |name: &str| {
        let process = name.parse().ok()?;
        let stat = Stat::from_file(format!("/proc/{name}/stat")).ok()?;
        Some((process, Entry { parent: stat.ppid, is_zombie: matches!(stat.state, 'Z' | 'X') }))
    };
    entries.filter_map(|found| entry(found.file_name().to_str()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_of_a_zombie_are_descendants_and_it_is_not() {
        let entry = |parent, is_zombie| Entry { parent, is_zombie };
        let processes = BTreeMap::from([
            (2, entry(1, false)),
            (3, entry(2, true)),
            (4, entry(3, false)),
            (5, entry(4, false)),
            (9, entry(1, false)),
        ]);
        let mut found = descendants(&processes, 2);
        found.sort_unstable();
        assert_eq!(found, [4, 5]);
        assert!(descendants(&processes, 9).is_empty());
    }

    #[test]
    fn marks_have_one_length_and_differ() {
        assert_ne!(mark(1), mark(2));
        assert_eq!(mark(0).len(), mark(u64::MAX).len());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn marked_processes_are_killed_and_no_others() {
        let start = |mark: &str| {
            let child = std::process::Command::new("sleep").arg("600").env(MARK, mark).spawn().unwrap();
            // Its environment can be seen a moment after it has begun to be another program.
            while marked(mark).is_empty() {
                std::thread::yield_now();
            }
            child
        };
        let (mut ours, mut other) = (start(&mark(u64::MAX)), start(&mark(u64::MAX - 1)));
        kill_marked(&mark(u64::MAX), Duration::from_secs(60));
        assert!(!ours.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn killed_tree_has_no_process_left() {
        let mut child = std::process::Command::new("sh").args(["-c", "sleep 600 & sleep 600 & wait"]).spawn().unwrap();
        let root = Pid::from_child(&child);
        while descendants(&processes(), root.as_raw_pid()).len() < 2 {
            std::thread::yield_now();
        }
        kill_descendants(root, Duration::from_secs(60));
        assert!(descendants(&processes(), root.as_raw_pid()).is_empty());
        child.wait().unwrap();
    }
}
