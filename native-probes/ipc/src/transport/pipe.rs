//! Two pipes of the kernel's default size, one per direction.

use super::{Fault, Link, Setup, Transport, alternate, read_exact, system_error, write_all};
use bench_model::ModuleError;
use ring_peer::Watch;
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::pipe::{PipeFlags, pipe_with};

type Pipe = (OwnedFd, OwnedFd);

pub(crate) struct Pipes {
    to_peer: Pipe,
    from_peer: Pipe,
    message_max: usize,
}

pub(crate) struct Side {
    input: OwnedFd,
    output: OwnedFd,
    buffer: Vec<u8>,
}

impl Link for Pipes {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        // A write to a closed pipe must fail instead of killing the host. Rust's runtime sets this at the start of a
        // program, but not in a host of another language. SAFETY: ignoring a signal installs no handler.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(system_error("pipe2"));
        Ok(Self { to_peer: pipe()?, from_peer: pipe()?, message_max: setup.message_max })
    }

    fn parent(self, _: Watch) -> Result<Side, Fault> {
        Ok(Side { input: self.from_peer.0, output: self.to_peer.1, buffer: vec![0; self.message_max] })
    }

    fn peer(self) -> Result<Side, Fault> {
        Ok(Side { input: self.to_peer.0, output: self.from_peer.1, buffer: vec![0; self.message_max] })
    }
}

impl Transport for Side {
    #[inline(always)]
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        write_all("write", message, |bytes| rustix::io::write(&self.output, bytes))
    }

    #[inline(always)]
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        let message = &mut self.buffer[..len];
        read_exact("read", message, |room| rustix::io::read(&self.input, room))?;
        Ok(read(message))
    }

    fn bare(&mut self, rounds: u64, len: usize, leads: bool) -> Result<(), Fault> {
        let give =
            |side: &mut Self| write_all("write", &side.buffer[..len], |bytes| rustix::io::write(&side.output, bytes));
        let take = |side: &mut Self| {
            let Self { input, buffer, .. } = side;
            read_exact("read", &mut buffer[..len], |room| rustix::io::read(&*input, room))
        };
        alternate(self, rounds, leads, give, take)
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.input.as_raw_fd(), self.output.as_raw_fd()]
    }
}
