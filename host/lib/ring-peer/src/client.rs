//! The caller's side of a peer: sends messages, receives answers and tallies, and waits for each within a bound.

use crate::error::PeerError;
use crate::placement::{Cpus, Pinned, pin};
use crate::process::{EXIT_SETUP, Peer, close_others};
use crate::serve::{Seen, Server, wait};
use rustix::fd::AsRawFd;
use shm_ring::{Consumer, Integrity, Producer, PushError, Ring, Wait, Waking};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vocabulary::peers::{Placement, Tally, Task, Waiting};

/// Rounds of spinning before a side with its own CPU sleeps: some microseconds, less than a sleep costs.
const PARK_ROUNDS: u32 = 100;

/// The default for how long a peer may be silent: longer than a busy machine delays a process.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Maximum number of peers of this process at a time.
pub const PEERS_MAX: usize = 16;

/// The peers of this process.
static PEERS: AtomicUsize = AtomicUsize::new(0);

/// One of the peers of this process, until it is dropped.
#[derive(Debug)]
struct Place;

impl Place {
    fn take() -> Result<Self, PeerError> {
        // The place is given back on drop, also of one too many.
        let place = Self;
        if PEERS.fetch_add(1, Ordering::Relaxed) < PEERS_MAX { Ok(place) } else { Err(PeerError::TooMany) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        PEERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The configuration of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The task of the peer.
    pub task: Task,
    /// The wait of both sides.
    pub waiting: Waiting,
    /// The CPUs of both sides.
    pub placement: Placement,
    /// The capacity of each of the two rings, in bytes: a power of two as [`Ring::create`] takes it.
    pub ring_bytes: usize,
    /// How long the peer may be silent before it is an error.
    pub patience: Duration,
}

/// A second process behind two rings. The thread that started it is pinned until this is dropped, which must happen on the same
/// thread. The process ends then, or with that thread.
#[derive(Debug)]
pub struct RingPeer {
    // Dropped first: the process ends before its rings do.
    process: Peer,
    output: Producer,
    input: Consumer,
    message_max: usize,
    wait: Wait,
    patience: Duration,
    cpus: Cpus,
    _pinned: Pinned,
    _place: Place,
}

impl RingPeer {
    /// Pins this thread, starts the peer, and returns when the peer has answered once.
    pub fn start(config: Config) -> Result<Self, PeerError> {
        let spins = config.waiting == Waiting::Spinning;
        if spins && config.placement == Placement::Same {
            let reason = "spinning needs two cores; use placement=cross or transport=shm-ring-futex";
            return Err(bench_model::ModuleError::Unavailable(reason.to_owned()).into());
        }
        let place = Place::take()?;
        let cpus = Cpus::choose(config.placement)?;
        let waking = if spins { Waking::Never } else { Waking::Futex };
        let ring = || Ring::create_with(config.ring_bytes, Integrity::None, waking);
        let (there, back) = (ring()?, ring()?);
        let message_max = there.message_max();
        // On one CPU the other side cannot publish while this one spins.
        let rounds = if config.placement == Placement::Same { 0 } else { PARK_ROUNDS };
        let wait = wait(spins, rounds);
        let mut server = Server::new(config.task, wait, message_max);
        let mut keep = [there.fd().as_raw_fd(), back.fd().as_raw_fd()];
        let pinned = Pinned::to(cpus.own)?;
        let process = Peer::start(|| {
            close_others(&mut keep);
            match (pin(cpus.peer), there.consumer(), back.producer()) {
                (Ok(()), Ok(input), Ok(output)) => server.serve(input, output),
                _ => EXIT_SETUP,
            }
        });
        let process = process.map_err(PeerError::Start)?;
        let (output, input) = (there.producer()?, back.consumer()?);
        let patience = config.patience;
        let mut peer =
            Self { process, output, input, message_max, wait, patience, cpus, _pinned: pinned, _place: place };
        peer.tally()?;
        Ok(peer)
    }

    /// The process id of the peer.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends one message of 1 byte or more; waits for room.
    #[inline]
    pub fn send(&mut self, message: &[u8]) -> Result<(), PeerError> {
        self.put(message, Producer::push_waiting)
    }

    /// Writes one message without publishing it; a full ring publishes the staged ones.
    #[inline]
    pub fn stage(&mut self, message: &[u8]) -> Result<(), PeerError> {
        self.put(message, Producer::stage_waiting)
    }

    /// Publishes the staged messages.
    #[inline]
    pub fn publish(&mut self) {
        self.output.publish();
    }

    /// Waits for the next answer, and lends it until the next call.
    #[inline]
    pub fn receive(&mut self) -> Result<&[u8], PeerError> {
        self.await_message("the answer to a message")?;
        Ok(self.input.peek()?.unwrap_or_default())
    }

    /// Asks the peer for its tally, and waits for it. All answers must have been received.
    pub fn tally(&mut self) -> Result<Tally, PeerError> {
        if self.output.push_waiting(&[], self.wait).is_err() {
            self.insist(ROOM, |peer| Ok(peer.output.push_waiting(&[], peer.wait).ok()))?;
        }
        self.await_message("its tally")?;
        let found = self.input.peek()?.unwrap_or_default();
        let seen = Seen::decode(found).ok_or(PeerError::NoTally { found: found.len() });
        self.input.release();
        let Seen { messages, altered, out_of_order, digest, cpu } = seen?;
        // Whether this side is on the CPU it is pinned to, and the peer was when it answered.
        let in_place = (rustix::thread::sched_getcpu(), cpu) == (self.cpus.own, self.cpus.peer as u64);
        Ok(Tally { messages, altered, out_of_order, digest, in_place })
    }

    #[inline]
    fn put(
        &mut self,
        message: &[u8],
        put: impl Fn(&mut Producer, &[u8], Wait) -> Result<(), PushError>,
    ) -> Result<(), PeerError> {
        let len = message.len();
        // The empty message asks for the tally.
        if len == 0 || len > self.message_max {
            return Err(PeerError::Length { len, most: self.message_max });
        }
        // A message that fits an empty ring is refused only by a full one.
        match put(&mut self.output, message, self.wait) {
            Ok(()) => Ok(()),
            Err(_) => self.insist(ROOM, |peer| Ok(put(&mut peer.output, message, peer.wait).ok())),
        }
    }

    #[inline]
    fn await_message(&mut self, what: &'static str) -> Result<(), PeerError> {
        self.input.release();
        if self.input.wait(self.wait) {
            return Ok(());
        }
        self.insist(what, |peer| Ok(peer.input.wait(peer.wait).then_some(())))
    }

    /// Repeats `attempt` until it succeeds, or the peer has ended or was silent for too long.
    #[cold]
    fn insist<R>(
        &mut self,
        waited_for: &'static str,
        mut attempt: impl FnMut(&mut Self) -> Result<Option<R>, PeerError>,
    ) -> Result<R, PeerError> {
        let (since, watch) = (Instant::now(), self.process.watch());
        loop {
            // Checked before the attempt: what the peer sent before it ended counts.
            let is_gone = watch.is_gone();
            if let Some(result) = attempt(self)? {
                return Ok(result);
            }
            let pid = self.process.pid();
            if is_gone {
                return Err(PeerError::Gone { pid, end: self.process.end(), waited_for });
            }
            if since.elapsed() >= self.patience {
                return Err(PeerError::Silent { pid, patience: self.patience, waited_for });
            }
        }
    }
}

/// What a sender waits for at a full ring.
const ROOM: &str = "room for a message";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_of_peers_is_bounded_and_places_are_given_back() {
        let mut places: Vec<_> = (0..PEERS_MAX).map(|_| Place::take().unwrap()).collect();
        assert!(matches!(Place::take(), Err(PeerError::TooMany)));
        places.pop();
        Place::take().unwrap();
    }
}
