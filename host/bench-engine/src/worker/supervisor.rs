//! The process between the parent and the worker. It adopts what the worker leaves behind (it is a subreaper), ends all of it when
//! the worker or the parent has ended, and exits with what the worker's end was. It runs no code of a module.

use super::isolation::Group;
use super::tree;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, getppid, kill_process, pidfd_open, set_child_subreaper,
    setpgid, wait,
};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// The time in which the supervisor ends what the worker left.
const PATIENCE: Duration = Duration::from_secs(5);

/// Splits this process, which has one thread, into the supervisor and the worker. Returns in the worker only, with the id of its
/// supervisor; `None` where the system cannot do it, so that this process stays a worker without a supervisor. `fork` returns the
/// id of the new process in the old one, and `None` in the new one, which begins in the control group whose folder it is given.
pub fn supervise(fork: impl FnOnce(Option<BorrowedFd<'_>>) -> io::Result<Option<Pid>>) -> io::Result<Option<Pid>> {
    let Some(parent) = parent() else { return Ok(None) };
    let Ok(parent) = pidfd_open(parent, PidfdFlags::empty()) else { return Ok(None) };
    set_child_subreaper(Some(getpid()))?;
    let supervisor = getpid();
    let group = Group::of_variable();
    let folder = group.as_ref().and_then(Group::open);
    match fork(folder.as_ref().map(AsFd::as_fd))? {
        Some(worker) => std::process::exit(watch(parent, worker, group.as_ref())),
        None => {
            if let Some(group) = group {
                group.enter();
            }
            // A signal to the group of the worker must not reach the supervisor.
            setpgid(None, None)?;
            Ok(Some(supervisor))
        }
    }
}

/// The process that has made the socket on standard input, if it is the parent of this one.
fn parent() -> Option<Pid> {
    let maker = rustix::net::sockopt::socket_peercred(io::stdin().as_fd()).ok()?.pid;
    (getppid() == Some(maker)).then_some(maker)
}

/// Waits until the worker has ended, by itself or because the parent has, then ends all others; returns the exit status.
fn watch(parent: OwnedFd, worker: Pid, group: Option<&Group>) -> i32 {
    // The parent waits for the end of these, which must come with the end of the worker.
    if let Ok(nothing) = File::options().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(&nothing);
        let _ = rustix::stdio::dup2_stdout(&nothing);
        let _ = rustix::stdio::dup2_stderr(&nothing);
    }
    std::thread::spawn(move || {
        wait_for_end(&parent);
        let _ = kill_process(worker, Signal::KILL);
    });
    let status = reap_until(worker).map_or(1, exit_status);
    if let Some(group) = group {
        group.kill();
    }
    // Any child, whatever its group: what the worker left.
    tree::kill_adopted(PATIENCE);
    status
}

fn wait_for_end(process: &OwnedFd) {
    while poll(&mut [PollFd::new(process, PollFlags::IN)], None) == Err(Errno::INTR) {}
}

/// Waits for the children of this process until `worker` has ended. Those that were adopted are waited for as well, because the parent may
/// wait until their ids are free.
fn reap_until(worker: Pid) -> Option<WaitStatus> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((ended, status))) if ended == worker => return Some(status),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// The first exit status that stands for a signal is one more than this, as in shells.
const OF_SIGNALS: i32 = 128;
const SIGNAL_MAX: i32 = 64;

/// The exit status of the supervisor: that of the worker, or one that stands for the signal that ended it. A status of the worker
/// that stands for a signal becomes 128.
fn exit_status(status: WaitStatus) -> i32 {
    match (status.terminating_signal(), status.exit_status()) {
        (Some(signal), _) => OF_SIGNALS + signal,
        (None, Some(code)) if signal_of(code).is_some() => OF_SIGNALS,
        (None, code) => code.unwrap_or(1),
    }
}

/// The signal that an exit status of a supervisor stands for.
pub(super) fn signal_of(exit_status: i32) -> Option<i32> {
    let signal = exit_status - OF_SIGNALS;
    (1..=SIGNAL_MAX).contains(&signal).then_some(signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_status_tells_a_signal_from_a_status() {
        assert_eq!([signal_of(0), signal_of(101), signal_of(128), signal_of(255)], [None; 4]);
        assert_eq!((signal_of(139), signal_of(137)), (Some(11), Some(9)));
    }
}
