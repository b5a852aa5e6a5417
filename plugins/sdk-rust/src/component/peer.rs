//! A second process behind two rings of the host, for components. Each message is copied through the boundary.

use super::Host;
use super::ring::bindings::bench_host::ring::peers;
use bench_model::ModuleError;

pub use vocabulary::peers::{PeerConfig, Placement, Tally, Task, Waiting};

vocabulary::peers_conversions!(peers);

/// The second process. It ends when this is dropped, and with the host.
#[derive(Debug)]
pub struct Peer(peers::Peer);

impl Host {
    /// A second process behind two rings.
    pub fn ring_peer(self, config: PeerConfig) -> Result<Peer, ModuleError> {
        Peer::start(config)
    }
}

impl Peer {
    fn start(config: PeerConfig) -> Result<Self, ModuleError> {
        let PeerConfig { task, waiting, placement, ring_bytes } = config;
        let started = peers::Peer::start(task.into(), waiting.into(), placement.into(), ring_bytes);
        started.map(Self).map_err(|refusal| match refusal {
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
        self.0.tally().map(Tally::from).map_err(ModuleError::Other)
    }
}
