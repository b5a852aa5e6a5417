//! Pairs of connected Unix sockets: streams, and datagrams of one message each.

use super::socket::Stream;
use super::{Fault, LOOK_AFTER, Link, Setup, Transport, alternate, broken, system_error};
use bench_model::ModuleError;
use ring_peer::Watch;
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::io::Errno;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};

pub(crate) struct StreamPair {
    parent: OwnedFd,
    peer: OwnedFd,
    message_max: usize,
}

pub(super) fn pair(kind: SocketType) -> Result<(OwnedFd, OwnedFd), ModuleError> {
    socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).map_err(system_error("socketpair"))
}

impl Link for StreamPair {
    type Side = Stream;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let (parent, peer) = pair(SocketType::STREAM)?;
        Ok(Self { parent, peer, message_max: setup.message_max })
    }

    fn parent(self, _: Watch) -> Result<Stream, Fault> {
        Ok(Stream::new(self.parent, self.message_max))
    }

    fn peer(self) -> Result<Stream, Fault> {
        Ok(Stream::new(self.peer, self.message_max))
    }
}

pub(crate) struct DatagramPair {
    parent: OwnedFd,
    peer: OwnedFd,
    message_max: usize,
}

/// Buffer for four datagrams of the longest payload with the kernel's overhead; the default may be less than one.
const SEND_BUFFER_BYTES: usize = 4 * (65_536 + 4096);

impl Link for DatagramPair {
    type Side = Datagram;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let (parent, peer) = pair(SocketType::DGRAM)?;
        for fd in [&parent, &peer] {
            sockopt::set_socket_send_buffer_size(fd, SEND_BUFFER_BYTES)
                .map_err(system_error("setsockopt(SO_SNDBUF)"))?;
            // A datagram socket does not report that its peer is gone, so it times out and checks.
            for timeout in [Timeout::Recv, Timeout::Send] {
                sockopt::set_socket_timeout(fd, timeout, Some(LOOK_AFTER))
                    .map_err(system_error("setsockopt(SO_RCVTIMEO)"))?;
            }
        }
        Ok(Self { parent, peer, message_max: setup.message_max })
    }

    fn parent(self, watch: Watch) -> Result<Datagram, Fault> {
        Ok(Datagram { fd: self.parent, buffer: vec![0; self.message_max], watch })
    }

    fn peer(self) -> Result<Datagram, Fault> {
        Ok(Datagram { fd: self.peer, buffer: vec![0; self.message_max], watch: Watch::on_parent() })
    }
}

pub(crate) struct Datagram {
    fd: OwnedFd,
    buffer: Vec<u8>,
    watch: Watch,
}

impl Datagram {
    /// Repeats `call` after an interruption, and after a timeout while the other process is alive.
    #[inline(always)]
    fn insist(
        watch: &Watch,
        name: &'static str,
        mut call: impl FnMut() -> rustix::io::Result<usize>,
    ) -> Result<usize, Fault> {
        loop {
            match call() {
                Ok(bytes) => return Ok(bytes),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if watch.is_gone() => return Err(Fault::Closed),
                Err(Errno::AGAIN) => {}
                Err(errno) => return Err(broken(name)(errno)),
            }
        }
    }
}

impl Transport for Datagram {
    #[inline(always)]
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        // A datagram is sent whole or not at all.
        Self::insist(&self.watch, "send", || send(&self.fd, message, SendFlags::NOSIGNAL)).map(|_| ())
    }

    #[inline(always)]
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        let (fd, buffer) = (&self.fd, &mut self.buffer);
        let receive = || recv(fd, &mut buffer[..], RecvFlags::empty()).map(|(_, received)| received);
        let received = Self::insist(&self.watch, "recv", receive)?;
        if received != len {
            return Err(Fault::Protocol("received a datagram of unexpected length"));
        }
        Ok(read(&self.buffer[..len]))
    }

    fn bare(&mut self, rounds: u64, len: usize, leads: bool) -> Result<(), Fault> {
        let give = |side: &mut Self| {
            let call = || send(&side.fd, &side.buffer[..len], SendFlags::NOSIGNAL);
            Self::insist(&side.watch, "send", call).map(|_| ())
        };
        let take = |side: &mut Self| {
            let Self { fd, buffer, watch } = side;
            let call = || recv(&*fd, &mut buffer[..], RecvFlags::empty()).map(|(_, received)| received);
            Self::insist(watch, "recv", call).map(|_| ())
        };
        alternate(self, rounds, leads, give, take)
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.fd.as_raw_fd()]
    }
}
