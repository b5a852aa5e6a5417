//! Slots in shared memory with eventfds as the signal: one write for each message, and one read for all messages since
//! the last read.
//!
//! A read of an eventfd has no timeout and does not return when the other process exits, and a poll before it would add
//! to what is measured. So the parent has a thread that sleeps until the peer exits, and then signals in its place.

use super::slots::{Receiver, Sender, Slots};
use super::{Fault, Link, Setup, Transport, alternate, broken, read_exact, system_error, write_all};
use bench_model::ModuleError;
use ring_peer::Watch;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::io::Errno;
use std::sync::Arc;
use std::thread::JoinHandle;

/// One direction: the slots, the signal for a message, and the signal for a free slot, which is sent only if the sender
/// waits for it.
#[derive(Clone)]
struct Way {
    slots: Arc<Slots>,
    message: Arc<OwnedFd>,
    room: Arc<OwnedFd>,
    /// Like `message`, for the raw loop: no signal is ever left over in it.
    bare: Arc<OwnedFd>,
}

/// The value that the exit of the peer adds to a signal; larger than any number of messages.
const ENDED: u64 = 1 << 32;

pub(crate) struct Signalled {
    to_peer: Way,
    from_peer: Way,
}

pub(crate) struct Side {
    sender: Sender,
    receiver: Receiver,
    output: Way,
    input: Way,
    /// Messages that were signalled but not received yet.
    signalled: u64,
    watch: Watch,
    _sentinel: Option<Sentinel>,
}

impl Link for Signalled {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let signal = || eventfd(0, EventfdFlags::CLOEXEC).map(Arc::new).map_err(system_error("eventfd"));
        let way = || -> Result<Way, ModuleError> {
            let slots = Slots::new(setup.message_max)?;
            Ok(Way { slots, message: signal()?, room: signal()?, bare: signal()? })
        };
        Ok(Self { to_peer: way()?, from_peer: way()? })
    }

    fn parent(self, watch: Watch) -> Result<Side, Fault> {
        let signals = [&self.from_peer.message, &self.to_peer.room, &self.from_peer.bare].map(Arc::clone);
        let sentinel = Sentinel::start(watch.clone(), signals)?;
        Ok(Side::new(self.to_peer, self.from_peer, watch, Some(sentinel)))
    }

    fn peer(self) -> Result<Side, Fault> {
        Ok(Side::new(self.from_peer, self.to_peer, Watch::on_parent(), None))
    }
}

impl Side {
    fn new(output: Way, input: Way, watch: Watch, sentinel: Option<Sentinel>) -> Self {
        let (sender, receiver) = (Sender::new(Arc::clone(&output.slots)), Receiver::new(Arc::clone(&input.slots)));
        Self { sender, receiver, output, input, signalled: 0, watch, _sentinel: sentinel }
    }
}

impl Transport for Side {
    #[inline(always)]
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        while !self.sender.has_room() {
            self.sender.own().announce();
            if !self.sender.has_room() {
                take(&self.output.room)?;
                if !self.sender.has_room() && self.watch.is_gone() {
                    return Err(Fault::Closed);
                }
            }
            self.sender.own().withdraw();
        }
        self.sender.push(message);
        give(&self.output.message)
    }

    #[inline(always)]
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        // Counts signals instead of checking slots: a message that was seen before its signal would leave the signal
        // over, and a later wait would return too early.
        if self.signalled == 0 {
            self.signalled = take(&self.input.message)?;
        }
        if self.signalled >= ENDED {
            return Err(Fault::Closed);
        }
        self.signalled -= 1;
        let result = self.receiver.pop(len, read);
        if self.receiver.sender().take() {
            give(&self.input.room)?;
        }
        Ok(result)
    }

    fn bare(&mut self, rounds: u64, _: usize, leads: bool) -> Result<(), Fault> {
        let take = |side: &mut Self| if take(&side.input.bare)? < ENDED { Ok(()) } else { Err(Fault::Closed) };
        alternate(self, rounds, leads, |side| give(&side.output.bare), take)
    }

    fn fds(&self) -> Vec<RawFd> {
        let of_way = |way: &Way| [&way.message, &way.room, &way.bare].map(|signal| signal.as_raw_fd());
        [&self.output, &self.input].into_iter().flat_map(of_way).collect()
    }
}

#[inline(always)]
fn give(signal: &OwnedFd) -> Result<(), Fault> {
    write_all("write", &1u64.to_ne_bytes(), |bytes| rustix::io::write(signal, bytes))
}

/// Waits for a signal and returns the count since the last wait. A signal may be left over or mean that the other
/// process exited, so the caller checks again.
#[inline(always)]
fn take(signal: &OwnedFd) -> Result<u64, Fault> {
    let mut given = [0; 8];
    read_exact("read", &mut given, |room| rustix::io::read(signal, room))?;
    Ok(u64::from_ne_bytes(given))
}

/// The thread that sleeps until the peer exits.
struct Sentinel {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Sentinel {
    fn start(watch: Watch, signals: [Arc<OwnedFd>; 3]) -> Result<Self, Fault> {
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC).map_err(broken("eventfd"))?);
        let until = Arc::clone(&stop);
        let guard = move || {
            let Some(pidfd) = watch.pidfd() else { return };
            let wait = || poll(&mut [PollFd::new(&pidfd, PollFlags::IN), PollFd::new(&*until, PollFlags::IN)], None);
            while wait() == Err(Errno::INTR) {}
            for signal in &signals {
                // An error can be ignored: a full eventfd is signalled already.
                let _ = rustix::io::write(&**signal, &ENDED.to_ne_bytes());
            }
        };
        let thread = std::thread::Builder::new().name("ipc-sentinel".to_owned()).spawn(guard);
        let thread = thread.map_err(|_| Fault::Protocol("cannot start a thread to watch the peer"))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let told = give(&self.stop);
        if let Some(thread) = self.thread.take()
            && told.is_ok()
        {
            // The thread does not panic; a panic would mean only that it has ended.
            let _ = thread.join();
        }
    }
}
