//! One side of a connected stream socket of any address family.

use super::{Fault, Transport, alternate, read_exact, write_all};
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::net::{RecvFlags, SendFlags, recv, send};

pub(crate) struct Stream {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(fd: OwnedFd, message_max: usize) -> Self {
        Self { fd, buffer: vec![0; message_max] }
    }
}

impl Transport for Stream {
    #[inline(always)]
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        write_all("send", message, |bytes| send(&self.fd, bytes, SendFlags::NOSIGNAL))
    }

    #[inline(always)]
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        let message = &mut self.buffer[..len];
        read_exact("recv", message, |room| recv(&self.fd, room, RecvFlags::empty()).map(|(_, received)| received))?;
        Ok(read(message))
    }

    fn bare(&mut self, rounds: u64, len: usize, leads: bool) -> Result<(), Fault> {
        let give = |side: &mut Self| {
            write_all("send", &side.buffer[..len], |bytes| send(&side.fd, bytes, SendFlags::NOSIGNAL))
        };
        let take = |side: &mut Self| {
            let Self { fd, buffer } = side;
            read_exact("recv", &mut buffer[..len], |room| {
                recv(&*fd, room, RecvFlags::empty()).map(|(_, received)| received)
            })
        };
        alternate(self, rounds, leads, give, take)
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.fd.as_raw_fd()]
    }
}
