//! Slots in shared memory with eventfds as the signal: one write for each message, and one read for all that have come
//! since the last. It must not know what a message says.
//!
//! A read of an eventfd cannot time out and does not end when the other process does, and a poll before it would cost
//! what is measured. So the parent has a thread that sleeps until the peer ends, and then signals in its place.

use super::slots::{Receiver, Sender, Slots};
use super::{Fault, Link, Setup, Transport, alternate, broken, read_exact, refused, write_all};
use bench_model::ModuleError;
use ring_peer::Watch;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::io::Errno;
use std::sync::Arc;
use std::thread::JoinHandle;

/// One direction: where the payload lies, the signal that there is a message, and the signal that there is room, which
/// is given only where the sender waits for it.
#[derive(Clone)]
struct Way {
    slots: Arc<Slots>,
    message: Arc<OwnedFd>,
    room: Arc<OwnedFd>,
    /// As `message`, of the bare loop: no signal is ever left over in it.
    bare: Arc<OwnedFd>,
}

/// What the end of the peer adds to a signal, beyond what any number of messages does.
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
    /// Messages that were signalled and not taken yet.
    signalled: u64,
    watch: Watch,
    _sentinel: Option<Sentinel>,
}

impl Link for Signalled {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let signal = || eventfd(0, EventfdFlags::CLOEXEC).map(Arc::new).map_err(refused("eventfd"));
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
        // Signals are counted rather than the slots looked at: a message that was seen before its signal would leave that over,
        // and a later wait would be in vain.
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

/// Waits for a signal, and says what has been given since the last. One may be left over, and the other process's end is one
/// too, so the caller looks again.
#[inline(always)]
fn take(signal: &OwnedFd) -> Result<u64, Fault> {
    let mut given = [0; 8];
    read_exact("read", &mut given, |room| rustix::io::read(signal, room))?;
    Ok(u64::from_ne_bytes(given))
}

/// The thread that sleeps until the peer ends.
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
                // There is nobody to tell; a signal that cannot be given has been given already.
                let _ = rustix::io::write(&**signal, &ENDED.to_ne_bytes());
            }
        };
        let thread = std::thread::Builder::new().name("ipc-sentinel".to_owned()).spawn(guard);
        let thread = thread.map_err(|_| Fault::Protocol("no thread can be started to watch the peer"))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let told = give(&self.stop);
        if let Some(thread) = self.thread.take()
            && told.is_ok()
        {
            // It panics nowhere; a panic would only mean that it has ended.
            let _ = thread.join();
        }
    }
}
