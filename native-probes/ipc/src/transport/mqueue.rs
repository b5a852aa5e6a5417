//! Two POSIX message queues, one per direction. They are opened before the fork and unlinked before the first message,
//! so nothing is left over however the processes end.

use super::{Fault, LOOK_AFTER, Link, Setup, Transport, broken, system_error};
use bench_model::ModuleError;
use ring_peer::Watch;
use rustix::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::Errno;
use std::ffi::CString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Messages in a queue; also the default limit of an unprivileged process.
const DEPTH_MAX: i64 = 10;

pub(crate) struct Queues {
    to_peer: OwnedFd,
    from_peer: OwnedFd,
    message_max: usize,
}

pub(crate) struct Side {
    input: OwnedFd,
    output: OwnedFd,
    buffer: Vec<u8>,
    watch: Watch,
    /// When a blocked call times out, on the wall clock. It is renewed only when it has passed, so a message does not
    /// pay for reading the clock.
    deadline: libc::timespec,
}

impl Link for Queues {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let message_max = setup.message_max;
        if let Some(most) = limit("msgsize_max")
            && message_max as u64 > most
        {
            return Err(ModuleError::Unavailable(format!(
                "a POSIX message queue accepts messages of {most} bytes here, and the session needs {message_max}; \
                 sysctl fs.mqueue.msgsize_max={message_max}"
            )));
        }
        let depth = limit("msg_max").and_then(|most| i64::try_from(most).ok()).unwrap_or(DEPTH_MAX).min(DEPTH_MAX);
        Ok(Self { to_peer: nameless(depth, message_max)?, from_peer: nameless(depth, message_max)?, message_max })
    }

    fn parent(self, watch: Watch) -> Result<Side, Fault> {
        Ok(Side::new(self.from_peer, self.to_peer, self.message_max, watch))
    }

    fn peer(self) -> Result<Side, Fault> {
        Ok(Side::new(self.to_peer, self.from_peer, self.message_max, Watch::on_parent()))
    }
}

/// A limit of the kernel, if it is readable.
fn limit(name: &str) -> Option<u64> {
    std::fs::read_to_string(format!("/proc/sys/fs/mqueue/{name}")).ok()?.trim().parse().ok()
}

/// Opens a queue and unlinks its name.
fn nameless(depth: i64, message_max: usize) -> Result<OwnedFd, ModuleError> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    create(&format!("/bench-host-ipc-{}-{made}", std::process::id()), depth, message_max)
}

fn create(name: &str, depth: i64, message_max: usize) -> Result<OwnedFd, ModuleError> {
    let name = CString::new(name).map_err(|_| ModuleError::Other("a queue's name contains NUL".to_owned()))?;
    // SAFETY: all-zero bytes are an `mq_attr`.
    let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
    attributes.mq_maxmsg = depth as _;
    attributes.mq_msgsize = message_max as _;
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
    // SAFETY: the name ends with NUL, and with O_CREAT a mode and attributes follow.
    let queue = unsafe { libc::mq_open(name.as_ptr(), flags, 0o600 as libc::mode_t, &raw const attributes) };
    if queue == -1 {
        return Err(match last_errno() {
            Errno::NOSYS => {
                ModuleError::Unavailable("this kernel has no POSIX message queues; use another transport".to_owned())
            }
            Errno::MFILE | Errno::NOSPC => ModuleError::Unavailable(
                "the limit of POSIX message queues is reached; raise `ulimit -q` or fs.mqueue.queues_max".to_owned(),
            ),
            errno => system_error("mq_open")(errno),
        });
    }
    // SAFETY: on Linux a queue's handle is a file descriptor, and no other value owns this one.
    let queue = unsafe { OwnedFd::from_raw_fd(queue) };
    // SAFETY: the name ends with NUL.
    if unsafe { libc::mq_unlink(name.as_ptr()) } == -1 {
        return Err(system_error("mq_unlink")(last_errno()));
    }
    Ok(queue)
}

impl Side {
    fn new(input: OwnedFd, output: OwnedFd, message_max: usize, watch: Watch) -> Self {
        Self { input, output, buffer: vec![0; message_max], watch, deadline: deadline() }
    }

    /// Handles a failed call before it is repeated.
    #[cold]
    fn after_failure(&mut self, call: &'static str) -> Result<(), Fault> {
        match last_errno() {
            Errno::INTR => Ok(()),
            Errno::TIMEDOUT if self.watch.is_gone() => Err(Fault::Closed),
            Errno::TIMEDOUT => {
                self.deadline = deadline();
                Ok(())
            }
            errno => Err(broken(call)(errno)),
        }
    }
}

impl Transport for Side {
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        let queue = self.output.as_raw_fd();
        // SAFETY: the queue is open, and the message and the deadline outlive the call.
        while unsafe { libc::mq_timedsend(queue, message.as_ptr().cast(), message.len(), 0, &raw const self.deadline) }
            == -1
        {
            self.after_failure("mq_timedsend")?;
        }
        Ok(())
    }

    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        let (queue, room) = (self.input.as_raw_fd(), self.buffer.len());
        loop {
            let (at, priority) = (self.buffer.as_mut_ptr().cast(), std::ptr::null_mut());
            // SAFETY: the queue is open, the buffer has `room` bytes, and it and the deadline outlive the call.
            let received = unsafe { libc::mq_timedreceive(queue, at, room, priority, &raw const self.deadline) };
            match usize::try_from(received) {
                Ok(received) if received == len => return Ok(read(&self.buffer[..len])),
                Ok(_) => return Err(Fault::Protocol("received a queued message of unexpected length")),
                Err(_) => self.after_failure("mq_timedreceive")?,
            }
        }
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.input.as_raw_fd(), self.output.as_raw_fd()]
    }
}

fn deadline() -> libc::timespec {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO) + LOOK_AFTER;
    libc::timespec { tv_sec: at.as_secs() as _, tv_nsec: at.subsec_nanos().into() }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_queue_has_no_name() {
        let name = format!("/bench-host-ipc-test-{}", std::process::id());
        let first = match create(&name, 2, 64) {
            Ok(queue) => queue,
            Err(ModuleError::Unavailable(reason)) => return eprintln!("skipped: {reason}"),
            Err(error) => panic!("{error}"),
        };
        // O_EXCL would refuse a name that is taken.
        create(&name, 2, 64).unwrap();
        drop(first);
    }
}
