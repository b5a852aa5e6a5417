//! A pair of connected Unix stream sockets, each with an io_uring: sending and waiting for the answer are one system
//! call.

use super::{Fault, Link, Setup, Transport, broken, unix};
use bench_model::ModuleError;
use io_uring::{IoUring, opcode, types};
use ring_peer::Watch;
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::io::Errno;

/// Entries of the queue: a side has one send and one receive in progress.
const ENTRIES: u32 = 2;

pub(crate) struct Uring {
    parent: OwnedFd,
    peer: OwnedFd,
    message_max: usize,
}

pub(crate) struct Side {
    ring: IoUring,
    socket: OwnedFd,
    output: Vec<u8>,
    /// Bytes of `output` that are still to be sent.
    queued: usize,
    input: Vec<u8>,
    /// Operations that the kernel has not completed; until then it may access the buffers.
    in_flight: usize,
}

/// The operation that a completion belongs to.
const SEND: u64 = 0;
const RECV: u64 = 1;

impl Link for Uring {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let ring = make().map_err(unavailable)?;
        let mut known = io_uring::Probe::new();
        ring.submitter().register_probe(&mut known).map_err(unavailable)?;
        if !known.is_supported(opcode::Send::CODE) || !known.is_supported(opcode::Recv::CODE) {
            let reason = "this kernel's io_uring does not support send and receive, which need Linux 5.6";
            return Err(ModuleError::Unavailable(reason.to_owned()));
        }
        let (parent, peer) = unix::pair(rustix::net::SocketType::STREAM)?;
        Ok(Self { parent, peer, message_max: setup.message_max })
    }

    fn parent(self, _: Watch) -> Result<Side, Fault> {
        Side::new(self.parent, self.message_max)
    }

    fn peer(self) -> Result<Side, Fault> {
        Side::new(self.peer, self.message_max)
    }
}

/// Creates a ring. On Linux 6.1 and later the waiting thread runs the completions, so that they do not interrupt it.
fn make() -> std::io::Result<IoUring> {
    IoUring::builder().dontfork().setup_single_issuer().setup_defer_taskrun().build(ENTRIES).or_else(|error| {
        if error.raw_os_error() == Some(libc::EINVAL) {
            IoUring::builder().dontfork().build(ENTRIES)
        } else {
            Err(error)
        }
    })
}

fn unavailable(error: std::io::Error) -> ModuleError {
    let next = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            "set `sysctl kernel.io_uring_disabled=0` and allow io_uring_setup in the container's seccomp profile"
        }
        Some(libc::ENOSYS) => "the kernel is built without it or seccomp hides it; use transport=unix-stream",
        Some(libc::ENOMEM) => "raise the limit of locked memory: `ulimit -l`",
        _ => "use transport=unix-stream",
    };
    ModuleError::Unavailable(format!("io_uring is not available: {error}; {next}"))
}

impl Side {
    fn new(socket: OwnedFd, message_max: usize) -> Result<Self, Fault> {
        let errno = |error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        let ring = make().map_err(|error| Fault::System { call: "io_uring_setup", errno: errno(error) })?;
        let (output, input) = (vec![0; message_max], vec![0; message_max]);
        Ok(Self { ring, socket, output, queued: 0, input, in_flight: 0 })
    }

    /// Sends the queued bytes and receives `len` bytes in one system call.
    fn turn(&mut self, len: usize) -> Result<(), Fault> {
        let (mut sent, mut received) = (0, 0);
        let (mut sending, mut receiving) = (false, false);
        let socket = types::Fd(self.socket.as_raw_fd());
        while sent < self.queued || received < len {
            if sent < self.queued && !sending {
                let rest = &self.output[sent..self.queued];
                let flags = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;
                let send = opcode::Send::new(socket, rest.as_ptr(), rest.len() as u32).flags(flags);
                self.push(&send.build().user_data(SEND))?;
                sending = true;
            }
            if received < len && !receiving {
                let room = &mut self.input[received..len];
                let receive = opcode::Recv::new(socket, room.as_mut_ptr(), room.len() as u32).flags(libc::MSG_WAITALL);
                self.push(&receive.build().user_data(RECV))?;
                receiving = true;
            }
            match self.ring.submit_and_wait(self.in_flight) {
                Err(error) if error.raw_os_error() != Some(libc::EINTR) => {
                    let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                    return Err(broken("io_uring_enter")(errno));
                }
                _ => {}
            }
            while let Some(completion) = self.ring.completion().next() {
                self.in_flight -= 1;
                let (call, done, busy) = match completion.user_data() {
                    SEND => ("send", &mut sent, &mut sending),
                    _ => ("recv", &mut received, &mut receiving),
                };
                *busy = false;
                match usize::try_from(completion.result()) {
                    Ok(0) => return Err(Fault::Closed),
                    Ok(bytes) => *done += bytes,
                    Err(_) => match Errno::from_raw_os_error(-completion.result()) {
                        Errno::INTR | Errno::AGAIN => {}
                        errno => return Err(broken(call)(errno)),
                    },
                }
            }
        }
        self.queued = 0;
        Ok(())
    }

    fn push(&mut self, entry: &io_uring::squeue::Entry) -> Result<(), Fault> {
        // SAFETY: the entry's socket and buffer belong to `self` and are neither moved nor touched until `turn` has
        // taken its completion; if that never arrives, `drop` leaks the buffer.
        let pushed = unsafe { self.ring.submission().push(entry) };
        pushed.map_err(|_| Fault::Protocol("the submission queue of the io_uring is full"))?;
        self.in_flight += 1;
        Ok(())
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if self.in_flight > 0 {
            std::mem::forget(std::mem::take(&mut self.input));
            std::mem::forget(std::mem::take(&mut self.output));
        }
    }
}

impl Transport for Side {
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        self.turn(0)?;
        self.output[..message.len()].copy_from_slice(message);
        self.queued = message.len();
        Ok(())
    }

    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        self.turn(len)?;
        Ok(read(&self.input[..len]))
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.turn(0)
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.ring.as_raw_fd(), self.socket.as_raw_fd()]
    }
}
