//! By which means a message travels: the two traits every means implements, and what can go wrong. It must
//! not know what a message says.

mod eventfd;
mod frames;
mod futex;
mod http;
mod kind;
mod line;
mod mqueue;
mod pipe;
mod python;
mod ring;
mod slots;
mod socket;
mod tcp;
mod unix;
mod uring;
mod vm;

pub use kind::TransportKind;
pub(crate) use kind::{Visitor, dispatch};

use crate::program::Program;
use crate::{Placement, ScenarioKind};
use bench_model::ModuleError;
use ring_peer::{LOOK_AFTER, Watch};
use rustix::fd::RawFd;
use rustix::io::Errno;

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

/// One side of a connection. What passes every message is inlined into the loops that exchange them: where a process has slept
/// in between, a processor that forgets its predictions takes a return to a caller for a further tenth of a round trip. It
/// blocks, in its own way, until it can do what it is asked or the other side is gone.
pub(crate) trait Transport {
    /// Sends one message, at most as long as the link was opened for. It may leave with the next call of this side.
    fn send(&mut self, message: &[u8]) -> Result<(), Fault>;

    /// Receives one message of `len` bytes, which both sides know, and lends it to `read`.
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault>;

    /// Sends what has not left yet.
    fn flush(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Makes `rounds` round trips by the same system calls, in the same order, without looking at what travels: `len` bytes,
    /// or none where those do not go through the kernel. The side that `leads` begins each. Both sides are asked at once.
    fn bare(&mut self, _rounds: u64, _len: usize, _leads: bool) -> Result<(), Fault> {
        Err(Fault::Protocol("this transport has no bare loop"))
    }

    /// The descriptors this side needs.
    fn fds(&self) -> Vec<RawFd>;

    /// The program that is the peer in this one's place. It gets the connection through [`Transport::fds`].
    fn program(&self) -> Option<&Program> {
        None
    }
}

/// What a link is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// The length of the messages that are measured, in bytes.
    pub(crate) payload_bytes: usize,
    /// The length of the longest message, a report included, in bytes.
    pub(crate) message_max: usize,
    pub(crate) scenario: ScenarioKind,
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

/// The longest message that [`copy_short`] copies without a call.
const SHORT_BYTES: usize = 64;

/// Copies `message` to `room`, which is as long. A short one goes word by word: no call to where a processor that has just
/// switched processes does not know the way.
#[inline(always)]
fn copy_short(message: &[u8], room: &mut [u8]) {
    match (message.as_chunks::<8>(), room.as_chunks_mut::<8>()) {
        ((from, []), (to, [])) if message.len() <= SHORT_BYTES && from.len() == to.len() => {
            for (from, to) in from.iter().zip(to) {
                // Kept from being made a call again.
                *to = std::hint::black_box(*from);
            }
        }
        _ => room.copy_from_slice(message),
    }
}

/// Lets `side` give and take in turns, `rounds` times; the side that `leads` gives first.
#[inline(always)]
fn alternate<S>(
    side: &mut S,
    rounds: u64,
    leads: bool,
    give: impl Fn(&mut S) -> Result<(), Fault>,
    take: impl Fn(&mut S) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for _ in 0..rounds {
        if leads {
            give(side)?;
            take(side)?;
        } else {
            take(side)?;
            give(side)?;
        }
    }
    Ok(())
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
#[inline(always)]
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
#[inline(always)]
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
