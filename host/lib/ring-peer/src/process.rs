//! The second process: forked, watched, ended and waited for.
//!
//! # Why a fork without exec is sound here
//! A library cannot start itself again, so the peer is a fork. The peer is one thread with a copy of the caller's memory.
//! What it calls was prepared before the fork, but for small allocations; glibc's allocator takes its locks around a
//! fork, so they are usable in the child even where another thread was inside `malloc`. Other libraries' locks may be
//! held for ever in the child, so it calls none that has any: it makes system calls, parses and compares memory, and leaves
//! by `_exit`, which runs no destructor and no `atexit` handler of the host, or by becoming another program.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus};
use rustix::thread::Timespec;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The exit status of a child that panicked, as of Rust programs.
const EXIT_PANICKED: i32 = 101;
/// The exit status of a child that was told to end, or whose transport ended.
pub const EXIT_DONE: i32 = 0;
/// The exit status of a child that could not set itself up.
pub const EXIT_SETUP: i32 = 102;
/// The exit status of a child whose transport failed.
pub const EXIT_TRANSPORT: i32 = 103;

/// How long a peer may take to end on request before it is killed, and how long until a failed one is seen as ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a side sleeps between two checks of the other side, where the kernel does not notify it.
pub const LOOK_AFTER: Duration = Duration::from_millis(200);
/// Rounds of spinning between two such checks: some tens of milliseconds.
pub const SPIN_ROUNDS: u32 = 1 << 20;

/// The child, until it is waited for. Dropping it kills it.
#[derive(Debug)]
pub struct Peer {
    pid: Pid,
    watch: Watch,
    ended: Option<WaitStatus>,
}

/// Tells whether the other process runs. In the peer it always says yes, because the kernel kills the peer when its parent ends.
#[derive(Clone, Debug)]
pub struct Watch(Option<Arc<Watched>>);

/// A process: its id, and a descriptor that becomes readable when it ends.
#[derive(Debug)]
struct Watched {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Watch {
    /// The peer's view of its parent.
    pub fn on_parent() -> Self {
        Self(None)
    }

    /// Whether the process has ended, without waiting.
    pub fn is_gone(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits for the end of the process, at most `timeout`; returns whether it has ended.
    pub fn wait(&self, timeout: Duration) -> bool {
        let Some(pidfd) = self.pidfd() else { return false };
        let timeout = Timespec::try_from(timeout).ok();
        loop {
            match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref()) {
                Err(rustix::io::Errno::INTR) => {}
                result => return result.is_ok_and(|ready| ready > 0),
            }
        }
    }

    /// A descriptor that becomes readable when the process ends.
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(|watched| watched.pidfd.as_fd())
    }

    /// The peer's process id; `None` on the parent.
    pub fn pid(&self) -> Option<Pid> {
        self.0.as_ref().map(|watched| watched.pid)
    }
}

impl Peer {
    /// Forks. `body` runs in the child and its result is the child's exit status; it must not return to the host.
    ///
    /// The child is killed when the calling *thread* ends, so that no peer outlives a host that was killed.
    pub fn start(body: impl FnOnce() -> i32) -> std::io::Result<Self> {
        let parent = rustix::process::getpid();
        // SAFETY: the child does only what the file's header allows and never returns from this call.
        match unsafe { libc::fork() } {
            -1 => Err(std::io::Error::last_os_error()),
            0 => {
                let status = catch_unwind(AssertUnwindSafe(|| {
                    let tied = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
                    // The parent may have ended before the death signal was set.
                    if tied.is_err() || rustix::process::getppid() != Some(parent) {
                        return EXIT_SETUP;
                    }
                    body()
                }));
                // SAFETY: ends this process; nothing of it is used again.
                unsafe { libc::_exit(status.unwrap_or(EXIT_PANICKED)) }
            }
            raw => {
                let pid = Pid::from_raw(raw).ok_or(std::io::ErrorKind::InvalidData)?;
                // A child that is not waited for keeps its id, so the descriptor is this child's.
                let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty());
                let watch = Watch(pidfd.ok().map(|pidfd| Arc::new(Watched { pid, pidfd })));
                let mut peer = Self { pid, watch, ended: None };
                if peer.watch.0.is_none() {
                    peer.kill();
                    return Err(std::io::Error::other("pidfd_open failed; it needs Linux 5.3"));
                }
                Ok(peer)
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// A watch on it, for a waiting side.
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Waits for a peer that was told to end, and kills it where it does not.
    pub fn finish(&mut self) {
        if self.ended.is_none() && self.watch.wait(PATIENCE) {
            self.reap();
        }
        self.kill();
    }

    /// How the peer ended, for an error message after its transport failed.
    pub fn end(&mut self) -> String {
        if self.ended.is_none() && self.watch.wait(PATIENCE) {
            self.reap();
        }
        let Some(status) = self.ended else { return "is still running".to_owned() };
        match (status.exit_status(), status.terminating_signal()) {
            (Some(EXIT_PANICKED), _) => "panicked".to_owned(),
            (Some(EXIT_SETUP), _) => "could not set itself up".to_owned(),
            (Some(EXIT_TRANSPORT), _) => "ended because its transport failed".to_owned(),
            (Some(code), _) => format!("ended with exit status {code}"),
            (None, Some(signal)) => format!("was killed by signal {signal}"),
            (None, None) => format!("ended with wait status {:#x}", status.as_raw()),
        }
    }

    fn kill(&mut self) {
        if self.ended.is_none() {
            // It fails only where the process has ended already.
            let _ = rustix::process::kill_process(self.pid, Signal::KILL);
            self.reap();
        }
    }

    fn reap(&mut self) {
        while self.ended.is_none() {
            match rustix::process::waitpid(Some(self.pid), WaitOptions::empty()) {
                Ok(Some((_, status))) => self.ended = Some(status),
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                // It was already waited for.
                Err(_) => return,
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Closes every descriptor of the child except standard input, output and error, and `keep`. Otherwise the child would hold open
/// descriptors whose close the host and other sessions wait for.
pub fn close_others(keep: &mut [RawFd]) {
    keep.sort_unstable();
    let mut first = 3u32;
    for fd in keep.iter().map(|fd| fd.unsigned_abs()).chain([u32::MAX]) {
        if fd > first {
            // SAFETY: the child never touches a descriptor that is not in `keep` again, nor does it run destructors. An
            // old kernel refuses the call, and then they stay open.
            unsafe { libc::syscall(libc::SYS_close_range, first, fd - 1, 0) };
        }
        first = first.max(fd.saturating_add(1));
    }
}
