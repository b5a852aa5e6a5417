//! One side of a connected stream socket, whatever its family. It must not know how the connection was made.

use super::{Fault, Transport, read_exact, write_all};
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::net::{RecvFlags, SendFlags, recv, send};

pub(crate) struct Stream {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(fd: OwnedFd, payload_bytes: usize) -> Self {
        Self { fd, buffer: vec![0; payload_bytes] }
    }
}

impl Transport for Stream {
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        write_all("send", message, |bytes| send(&self.fd, bytes, SendFlags::NOSIGNAL))
    }

    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        let message = &mut self.buffer[..len];
        read_exact("recv", message, |room| recv(&self.fd, room, RecvFlags::empty()).map(|(_, received)| received))?;
        Ok(read(message))
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.fd.as_raw_fd()]
    }
}
