//! A second process behind two rings of the host, for components. Each message is copied through the boundary.

use super::ring::bindings::bench_host::ring::peers;
use bench_model::ModuleError;

/// How a peer is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerConfig {
    /// Whether it compares and counts messages; otherwise it sends each back.
    pub counts: bool,
    /// Whether both sides spin; otherwise they sleep until they are woken.
    pub spins: bool,
    /// Whether each side has a CPU of its own; otherwise both have one.
    pub crosses: bool,
    /// The capacity of each ring, a power of two between 4 KiB and 64 MiB.
    pub ring_bytes: u32,
}

pub use peers::Tally;

/// The second process. It ends when this is dropped, and with the host.
#[derive(Debug)]
pub struct Peer(peers::Peer);

impl Peer {
    pub(super) fn start(config: PeerConfig) -> Result<Self, ModuleError> {
        let PeerConfig { counts, spins, crosses, ring_bytes } = config;
        let task = if counts { peers::Task::Count } else { peers::Task::Echo };
        let waiting = if spins { peers::Waiting::Spinning } else { peers::Waiting::Sleeping };
        let placement = if crosses { peers::Placement::Cross } else { peers::Placement::Same };
        peers::Peer::start(task, waiting, placement, ring_bytes).map(Self).map_err(|refusal| match refusal {
            peers::Refusal::Unavailable(reason) => ModuleError::Unavailable(reason),
            peers::Refusal::Failed(reason) => ModuleError::Other(reason),
        })
    }

    /// Sends one message, of at least one byte and at most 16 bytes less than a ring has.
    pub fn send(&mut self, message: &[u8]) -> Result<(), ModuleError> {
        self.0.send(message).map_err(ModuleError::Other)
    }

    /// Sends messages in order; the peer sees them together, or as many as fit into the ring at a time. This is one call through the
    /// boundary.
    pub fn send_batch(&mut self, messages: &[Vec<u8>]) -> Result<(), ModuleError> {
        self.0.send_batch(messages).map_err(ModuleError::Other)
    }

    /// Waits for the next message from the peer, and passes it to `read`.
    pub fn receive<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Result<R, ModuleError> {
        self.0.receive().map(|message| read(&message)).map_err(ModuleError::Other)
    }

    /// Asks the peer for its counts. All messages that it has sent must have been received.
    pub fn tally(&mut self) -> Result<Tally, ModuleError> {
        self.0.tally().map_err(ModuleError::Other)
    }
}
