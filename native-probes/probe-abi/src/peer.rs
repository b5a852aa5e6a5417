//! A second process behind two rings, as a probe sees it: the end of the extension `bench-host:ring/0.1` behind a safe type.

use crate::author::not_offered;
use crate::{Host, raw};
use bench_model::ModuleError;
use std::ptr::NonNull;

pub use vocabulary::peers::{PeerConfig, Placement, Tally, Task, Waiting};

/// The second process. It ends when this is dropped, and with the host.
#[derive(Debug)]
pub struct Peer {
    table: &'static raw::RingWithPeers,
    raw: NonNull<raw::RingPeer>,
}

impl Host {
    /// A second process behind two rings.
    pub fn ring_peer(self, config: PeerConfig) -> Result<Peer, ModuleError> {
        let table: *const raw::RingWithPeers = self.extension(raw::EXTENSION_RING).cast();
        // SAFETY: an extension is valid until the process ends, and its first member is its size, whatever its version.
        let is_whole = !table.is_null() && unsafe { table.cast::<usize>().read() } >= size_of::<raw::RingWithPeers>();
        // SAFETY: the size says that all of it is there.
        let table = if is_whole { unsafe { table.as_ref() } } else { None };
        Peer::start(table.ok_or_else(|| not_offered("bench-host:ring/0.1 with peers"))?, config)
    }
}

impl Peer {
    fn start(table: &'static raw::RingWithPeers, config: PeerConfig) -> Result<Self, ModuleError> {
        let PeerConfig { task, waiting, placement, ring_bytes } = config;
        let (task, waiting, placement) = (task.code(), waiting.code(), placement.code());
        let mut out = std::ptr::null_mut();
        // SAFETY: the table is the host's; `out` outlives the call.
        let status = unsafe { (table.peer_start)(table.ring.ctx, task, waiting, placement, ring_bytes, &mut out) };
        match raw::error_of(status, "the host started no peer process".to_owned()) {
            Some(error) => Err(error),
            None => NonNull::new(out)
                .map(|raw| Self { table, raw })
                .ok_or_else(|| ModuleError::Other("the host started no peer process and gave no reason".to_owned())),
        }
    }

    /// Sends one message, of at least one byte and at most 16 bytes less than a ring has.
    #[inline]
    pub fn send(&mut self, message: &[u8]) -> Result<(), ModuleError> {
        // SAFETY: the peer is open, and the message outlives the call.
        let status = unsafe { (self.table.peer_send)(self.raw.as_ptr(), message.as_ptr(), message.len()) };
        self.done(status)
    }

    /// Sends messages in order; the peer sees them together, or as many as fit the ring at a time.
    pub fn send_batch(&mut self, messages: &[Vec<u8>]) -> Result<(), ModuleError> {
        for message in messages {
            // SAFETY: as in `send`.
            let status = unsafe { (self.table.peer_stage)(self.raw.as_ptr(), message.as_ptr(), message.len()) };
            self.done(status)?;
        }
        // SAFETY: the peer is open.
        unsafe { (self.table.peer_publish)(self.raw.as_ptr()) };
        Ok(())
    }

    /// Waits for the next message from the peer, and hands it to `read`.
    #[inline]
    pub fn receive<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Result<R, ModuleError> {
        let (mut message, mut message_len) = (std::ptr::null(), 0);
        // SAFETY: the peer is open, and there is room for both results.
        let status = unsafe { (self.table.peer_receive)(self.raw.as_ptr(), &mut message, &mut message_len) };
        self.done(status)?;
        // SAFETY: the host lends the message until the next call for this peer, which comes after `read`.
        Ok(read(unsafe { raw::slice(message, message_len) }))
    }

    /// Asks the peer what it has seen. All that it has sent must have been received.
    pub fn tally(&mut self) -> Result<Tally, ModuleError> {
        let mut tally = raw::RingTally::default();
        // SAFETY: the peer is open, and there is room for the tally.
        let status = unsafe { (self.table.peer_tally)(self.raw.as_ptr(), &mut tally) };
        self.done(status)?;
        let raw::RingTally { messages, altered, out_of_order, digest, in_place } = tally;
        Ok(Tally { messages, altered, out_of_order, digest, in_place: in_place != 0 })
    }

    #[inline]
    fn done(&self, status: i32) -> Result<(), ModuleError> {
        if status == 0 { Ok(()) } else { Err(self.failure()) }
    }

    #[cold]
    fn failure(&self) -> ModuleError {
        // SAFETY: the peer is open.
        let reason = unsafe { (self.table.peer_reason)(self.raw.as_ptr()) };
        // SAFETY: the host lends the text until the next call for this peer.
        ModuleError::Other(unsafe { reason.text() }.into_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // SAFETY: the peer is open and is not used again.
        unsafe { (self.table.peer_close)(self.raw.as_ptr()) }
    }
}
