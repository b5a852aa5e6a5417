//! The traits that every transport implements, and its errors.

mod eventfd;
mod form;
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
use crate::{Look, Placement, ScenarioKind};
use bench_model::ModuleError;
use ring_peer::{LOOK_AFTER, Watch};
use rustix::fd::RawFd;
use rustix::io::Errno;

/// Both ends of a connection, created before the fork. Afterwards each process takes its side and drops the other's.
pub(crate) trait Link: Sized {
    /// One side of the connection; both have the same type.
    type Side: Transport + 'static;

    /// Creates the connection. If this machine does not support it, the error is [`ModuleError::Unavailable`] with the
    /// next step.
    fn open(setup: &Setup) -> Result<Self, ModuleError>;

    /// Takes the parent's side; `watch` observes the peer.
    fn parent(self, watch: Watch) -> Result<Self::Side, Fault>;

    /// Takes the peer's side, in the peer.
    fn peer(self) -> Result<Self::Side, Fault>;
}

/// One side of a connection. Calls block until they succeed or the other side is gone. Methods on the path of a message
/// are inlined into the loops that call them: after a sleep, a processor that has lost its branch predictions would
/// spend a further tenth of a round trip on returns.
pub(crate) trait Transport {
    /// Sends one message, at most as long as the link was opened for. It may be buffered until the next call on this
    /// side.
    fn send(&mut self, message: &[u8]) -> Result<(), Fault>;

    /// Receives one message of `len` bytes, a length that both sides know, and passes it to `read`.
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault>;

    /// Receives one message of `len` bytes and, if `asks` says so of it, sends `answer`. Where a message can be read in place, `read`
    /// sees it only after the answer was sent, so that its check takes place while the answer is on its way.
    #[inline(always)]
    fn answer<R>(
        &mut self,
        len: usize,
        answer: &[u8],
        asks: impl FnOnce(&[u8]) -> bool,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, Fault> {
        let (is_asked, result) = self.receive(len, |message| (asks(message), read(message)))?;
        if is_asked {
            self.send(answer)?;
        }
        Ok(result)
    }

    /// Room for several messages of `len` bytes, one behind the other, at least one and at most `most`, where this transport sends
    /// them together. The caller fills it and calls [`Transport::commit`].
    #[inline(always)]
    fn room(&mut self, _len: usize, _most: u64) -> Result<Option<&mut [u8]>, Fault> {
        Ok(None)
    }

    /// Sends the `bytes` of messages that were written to the room. They may be buffered as after [`Transport::send`].
    #[inline(always)]
    fn commit(&mut self, _bytes: usize) {}

    /// Messages of `len` bytes that have arrived, one behind the other and at least one, where this transport receives them
    /// together. The caller reads some and calls [`Transport::consume`].
    #[inline(always)]
    fn arrived(&mut self, _len: usize) -> Result<Option<&[u8]>, Fault> {
        Ok(None)
    }

    /// Passes over the `bytes` of arrived messages that were read.
    #[inline(always)]
    fn consume(&mut self, _bytes: usize) {}

    /// Sends what is still buffered.
    fn flush(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Runs `rounds` round trips with the same system calls in the same order, without checking content: of `len`
    /// bytes, or of none where the payload does not go through the kernel. The side that `leads` begins each. Both
    /// sides call this at the same time.
    fn bare(&mut self, _rounds: u64, _len: usize, _leads: bool) -> Result<(), Fault> {
        Err(Fault::Protocol("this transport has no raw loop"))
    }

    /// The descriptors this side needs.
    fn fds(&self) -> Vec<RawFd>;

    /// The program that the peer executes instead of this code. It gets the connection through [`Transport::fds`].
    fn program(&self) -> Option<&Program> {
        None
    }
}

/// The requirements of a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// The length of the messages that are measured, in bytes.
    pub(crate) payload_bytes: usize,
    /// The length of the longest message, including reports, in bytes.
    pub(crate) message_max: usize,
    pub(crate) scenario: ScenarioKind,
    pub(crate) placement: Placement,
    /// Pauses before a side of a ring looks for the next message.
    pub(crate) pauses: u32,
    /// What a side of a ring looks at while it waits.
    pub(crate) look: Look,
    /// The length of a frame of [`frames`], in bytes of messages.
    pub(crate) frame_bytes: usize,
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
    #[error("{sent} messages were sent, but the peer acknowledged {acknowledged} or other ones")]
    Delivery { sent: u64, acknowledged: u64 },
}

/// The longest message that [`copy_short`] copies without a call of `memcpy`.
const SHORT_BYTES: usize = 64;

/// Copies `message` to `room`, which is as long. A short one is copied word by word, because a processor that has just
/// switched processes mispredicts a call.
#[inline(always)]
fn copy_short(message: &[u8], room: &mut [u8]) {
    match (message.as_chunks::<8>(), room.as_chunks_mut::<8>()) {
        ((from, []), (to, [])) if message.len() <= SHORT_BYTES && from.len() == to.len() => {
            for (from, to) in from.iter().zip(to) {
                // Keeps the compiler from turning the loop into a call.
                *to = std::hint::black_box(*from);
            }
        }
        _ => room.copy_from_slice(message),
    }
}

/// Calls `give` and `take` of `side` in turn, `rounds` times; the side that `leads` gives first.
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

/// An error of a call that opens a link.
fn system_error(call: &'static str) -> impl Fn(Errno) -> ModuleError {
    move |errno| ModuleError::Other(format!("{call} failed: {errno}"))
}

/// An error of a call on an open connection. All errors that mean a closed peer become one.
fn broken(call: &'static str) -> impl Fn(Errno) -> Fault {
    move |errno| match errno {
        Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN | Errno::CONNREFUSED => Fault::Closed,
        _ => Fault::System { call, errno },
    }
}

/// Writes all of `bytes` with `write`, which may write a part or be interrupted.
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

/// Fills `buffer` with `read`, which may read a part or be interrupted.
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
