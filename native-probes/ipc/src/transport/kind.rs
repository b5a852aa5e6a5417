//! The transports: their names, the scenarios they support, and their types.

use super::{Link, eventfd, frames, futex, http, mqueue, pipe, python, ring, tcp, unix, uring, vm};
use crate::{Config, Look, Placement, ScenarioKind};
use shm_ring::{Cells, Ring};

/// The transports.
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
    /// A pair of connected Unix stream sockets, each with an io_uring: one system call per turn.
    IoUring,
    /// The receiver copies from the sender's memory with `process_vm_readv`, signalled by a futex.
    ProcessVmReadv,
    /// Two rings in shared memory; a side spins while it waits.
    ShmRingSpin,
    /// Like [`Self::ShmRingSpin`], but each message, of at most 56 bytes, has a cache line with its number in it.
    ShmRingCell,
    /// Two rings in shared memory; a side spins briefly if it has a CPU of its own, then sleeps on a futex.
    ShmRingFutex,
    /// Like [`Self::ShmRingSpin`], but messages that need no answer yet are sent in frames of some thousand bytes.
    ShmRingBatch,
    /// HTTP/1.1 and JSON over a keep-alive loopback TCP connection without Nagle's algorithm.
    HttpTcp,
    /// HTTP/1.1 and JSON over a keep-alive Unix stream connection.
    HttpUnix,
    /// Like [`Self::UnixStream`], with a peer in Python.
    PythonUnix,
    /// Like [`Self::TcpNodelay`], with a peer in Python.
    PythonTcp,
    /// Like [`Self::HttpTcp`], with Python's `http.server` and `json` as the peer.
    PythonHttp,
}

impl TransportKind {
    /// All transports, in the order of reports.
    pub const ALL: [Self; 18] = [
        Self::Pipe,
        Self::UnixStream,
        Self::UnixDatagram,
        Self::TcpNodelay,
        Self::Eventfd,
        Self::Futex,
        Self::ShmRingSpin,
        Self::ShmRingCell,
        Self::ShmRingBatch,
        Self::ShmRingFutex,
        Self::PosixMq,
        Self::IoUring,
        Self::ProcessVmReadv,
        Self::HttpTcp,
        Self::HttpUnix,
        Self::PythonUnix,
        Self::PythonTcp,
        Self::PythonHttp,
    ];

    /// Transports that have a raw loop (`Transport::bare`), in the order of reports.
    pub const BARE: &'static [Self] = Self::ALL.split_at(8).0;

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
            Self::IoUring => "io-uring",
            Self::ProcessVmReadv => "process-vm-readv",
            Self::ShmRingSpin => "shm-ring-spin",
            Self::ShmRingCell => "shm-ring-cell",
            Self::ShmRingFutex => "shm-ring-futex",
            Self::ShmRingBatch => "shm-ring-batch",
            Self::HttpTcp => "http-tcp",
            Self::HttpUnix => "http-unix",
            Self::PythonUnix => "python-unix",
            Self::PythonTcp => "python-tcp",
            Self::PythonHttp => "python-http",
        }
    }

    /// Why this transport cannot run `config`, and what to use instead.
    pub(crate) fn unfit(self, config: &Config) -> Option<&'static str> {
        let spins = matches!(self, Self::ShmRingSpin | Self::ShmRingCell | Self::ShmRingBatch);
        let looks = matches!(self, Self::ShmRingSpin | Self::ShmRingCell | Self::ShmRingFutex);
        let answers_each = matches!(self, Self::HttpTcp | Self::HttpUnix | Self::PythonHttp);
        match config.scenario {
            _ if spins && config.placement == Placement::Same => {
                Some("spinning needs two cores; use placement=cross or transport=shm-ring-futex")
            }
            _ if self == Self::ShmRingCell && config.payload_bytes > Cells::MESSAGE_MAX => {
                Some("a cell takes messages of up to 56 bytes; use payload_bytes=56 or transport=shm-ring-spin")
            }
            _ if config.pauses > 0 && !looks => {
                Some("only a ring is looked at; use pauses=0, or shm-ring-spin, shm-ring-cell or shm-ring-futex")
            }
            _ if config.look != Look::Word && !looks => {
                Some("only a ring is looked at; use look=word, or shm-ring-spin, shm-ring-cell or shm-ring-futex")
            }
            _ if config.frame_bytes != Config::FRAME_BYTES && self != Self::ShmRingBatch => {
                Some("only shm-ring-batch sends frames; use frame_bytes=1024 or transport=shm-ring-batch")
            }
            ScenarioKind::Stream if answers_each => {
                Some("HTTP answers each request before the next, so it has no one-way stream; use ping-pong")
            }
            _ => None,
        }
    }
}

/// An action on a [`Link`] whose type is known.
pub(crate) trait Visitor {
    type Output;

    fn visit<L: Link>(self) -> Self::Output;
}

/// Calls `visitor` with the type of `kind`.
pub(crate) fn dispatch<V: Visitor>(kind: TransportKind, visitor: V) -> V::Output {
    match kind {
        TransportKind::Pipe => visitor.visit::<pipe::Pipes>(),
        TransportKind::UnixStream => visitor.visit::<unix::StreamPair>(),
        TransportKind::UnixDatagram => visitor.visit::<unix::DatagramPair>(),
        TransportKind::TcpNodelay => visitor.visit::<tcp::Loopback>(),
        TransportKind::Eventfd => visitor.visit::<eventfd::Signalled>(),
        TransportKind::Futex => visitor.visit::<futex::Slept>(),
        TransportKind::PosixMq => visitor.visit::<mqueue::Queues>(),
        TransportKind::IoUring => visitor.visit::<uring::Uring>(),
        TransportKind::ProcessVmReadv => visitor.visit::<vm::Foreign>(),
        TransportKind::ShmRingSpin => visitor.visit::<ring::Rings<ring::Spin, Ring>>(),
        TransportKind::ShmRingCell => visitor.visit::<ring::Rings<ring::Spin, Cells>>(),
        TransportKind::ShmRingFutex => visitor.visit::<ring::Rings<ring::Park, Ring>>(),
        TransportKind::ShmRingBatch => visitor.visit::<frames::Frames>(),
        TransportKind::HttpTcp => visitor.visit::<http::OverTcp>(),
        TransportKind::HttpUnix => visitor.visit::<http::OverUnix>(),
        TransportKind::PythonUnix => visitor.visit::<python::Python<unix::StreamPair>>(),
        TransportKind::PythonTcp => visitor.visit::<python::Python<tcp::Loopback>>(),
        TransportKind::PythonHttp => visitor.visit::<python::Python<http::OverTcp>>(),
    }
}
