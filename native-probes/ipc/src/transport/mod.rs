//! By which means a message travels: the two traits every means implements, their names, and what can go wrong. It must
//! not know what a message says.

mod eventfd;
mod futex;
mod mqueue;
mod pipe;
mod ring;
mod slots;
mod socket;
mod tcp;
mod unix;

use crate::Placement;
use crate::peer::Watch;
use bench_model::ModuleError;
use rustix::fd::RawFd;
use rustix::io::Errno;
use std::time::Duration;

/// How long a side blocks before it looks whether the other is still there, where the kernel would not tell it.
const LOOK_AFTER: Duration = Duration::from_millis(200);

/// Both ends of a connection, made before the fork; afterwards each process takes its side and drops the other's.
pub(crate) trait Link: Sized {
    /// One side. Both processes have the same kind.
    type Side: Transport + 'static;

    /// Makes the connection. What this machine does not offer is [`ModuleError::Unavailable`], with the next step.
    fn open(setup: &Setup) -> Result<Self, ModuleError>;

    /// Takes the parent's side; `watch` is on the peer.
    fn parent(self, watch: Watch) -> Result<Self::Side, Fault>;

    /// Takes the peer's side, in the peer.
    fn peer(self) -> Result<Self::Side, Fault>;
}

/// One side of a connection. It blocks, in its own way, until it can do what it is asked or the other side is gone.
pub(crate) trait Transport {
    /// Sends one message, at most as long as the payload the link was opened with.
    fn send(&mut self, message: &[u8]) -> Result<(), Fault>;

    /// Receives one message of `len` bytes, which both sides know, and lends it to `read`.
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault>;

    /// The descriptors this side needs.
    fn fds(&self) -> Vec<RawFd>;
}

/// What a link is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) payload_bytes: usize,
    pub(crate) placement: Placement,
}

/// Why a message did not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the other side closed the connection")]
    Closed,
    #[error("{call} failed: {errno}")]
    System { call: &'static str, errno: Errno },
    #[error("{0}")]
    Protocol(&'static str),
    #[error("{sent} messages were sent, the peer acknowledged {acknowledged} of them or others")]
    Delivery { sent: u64, acknowledged: u64 },
}

/// The means there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportKind {
    /// Two pipes.
    Pipe,
    /// A pair of connected Unix stream sockets.
    UnixStream,
    /// A pair of connected Unix datagram sockets.
    UnixDatagram,
    /// A loopback TCP connection without Nagle's algorithm.
    TcpNodelay,
    /// Slots in shared memory, signalled by eventfds.
    Eventfd,
    /// Slots in shared memory, signalled by a futex.
    Futex,
    /// Two POSIX message queues.
    PosixMq,
    /// Two rings in shared memory; a side waits by spinning.
    ShmRingSpin,
    /// Two rings in shared memory; a side spins shortly where it has a CPU of its own, then sleeps on a futex.
    ShmRingFutex,
}

impl TransportKind {
    /// All, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Pipe,
        Self::UnixStream,
        Self::UnixDatagram,
        Self::TcpNodelay,
        Self::Eventfd,
        Self::Futex,
        Self::PosixMq,
        Self::ShmRingSpin,
        Self::ShmRingFutex,
    ];

    /// The name used in the descriptor.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::UnixStream => "unix-stream",
            Self::UnixDatagram => "unix-datagram",
            Self::TcpNodelay => "tcp-nodelay",
            Self::Eventfd => "eventfd",
            Self::Futex => "futex",
            Self::PosixMq => "posix-mq",
            Self::ShmRingSpin => "shm-ring-spin",
            Self::ShmRingFutex => "shm-ring-futex",
        }
    }
}

/// What is done with a [`Link`] once its type is known.
pub(crate) trait Visitor {
    type Output;

    fn visit<L: Link>(self) -> Self::Output;
}

/// Hands the type that `kind` stands for to `visitor`.
pub(crate) fn dispatch<V: Visitor>(kind: TransportKind, visitor: V) -> V::Output {
    match kind {
        TransportKind::Pipe => visitor.visit::<pipe::Pipes>(),
        TransportKind::UnixStream => visitor.visit::<unix::StreamPair>(),
        TransportKind::UnixDatagram => visitor.visit::<unix::DatagramPair>(),
        TransportKind::TcpNodelay => visitor.visit::<tcp::Loopback>(),
        TransportKind::Eventfd => visitor.visit::<eventfd::Signalled>(),
        TransportKind::Futex => visitor.visit::<futex::Slept>(),
        TransportKind::PosixMq => visitor.visit::<mqueue::Queues>(),
        TransportKind::ShmRingSpin => visitor.visit::<ring::Rings<false>>(),
        TransportKind::ShmRingFutex => visitor.visit::<ring::Rings<true>>(),
    }
}

/// A failed call while a link is opened.
fn refused(call: &'static str) -> impl Fn(Errno) -> ModuleError {
    move |errno| ModuleError::Other(format!("{call} failed: {errno}"))
}

/// A failed call on an open connection. What the kernel says of a peer that is gone is all one here.
fn broken(call: &'static str) -> impl Fn(Errno) -> Fault {
    move |errno| match errno {
        Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN | Errno::CONNREFUSED => Fault::Closed,
        _ => Fault::System { call, errno },
    }
}

/// Writes all of `bytes` through `write`, which may write a part of them or be interrupted.
#[inline]
fn write_all(
    call: &'static str,
    mut bytes: &[u8],
    write: impl Fn(&[u8]) -> rustix::io::Result<usize>,
) -> Result<(), Fault> {
    while !bytes.is_empty() {
        match write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(broken(call)(errno)),
        }
    }
    Ok(())
}

/// Fills `buffer` through `read`, which may read a part of it or be interrupted.
#[inline]
fn read_exact(
    call: &'static str,
    buffer: &mut [u8],
    read: impl Fn(&mut [u8]) -> rustix::io::Result<usize>,
) -> Result<(), Fault> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read(&mut buffer[filled..]) {
            Ok(0) => return Err(Fault::Closed),
            Ok(more) => filled += more,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(broken(call)(errno)),
        }
    }
    Ok(())
}
