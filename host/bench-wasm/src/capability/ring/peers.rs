//! `bench-host:ring/peers`: each message is copied between the component's memory and the rings to the second process, which is
//! what the boundary costs.

use super::super::total_bytes;
use super::bindings::bench_host::ring::peers;
use crate::state::State;
use ring_peer::{Config, PeerError, RingPeer};
use wasmtime::Result;
use wasmtime::component::Resource;

vocabulary::peers_conversions!(peers);

impl peers::Host for State {}

impl peers::HostPeer for State {
    fn start(
        &mut self,
        task: peers::Task,
        waiting: peers::Waiting,
        placement: peers::Placement,
        ring_bytes: u32,
    ) -> Result<Result<Resource<RingPeer>, peers::Refusal>> {
        let config = Config {
            task: task.into(),
            waiting: waiting.into(),
            placement: placement.into(),
            ring_bytes: ring_bytes as usize,
            patience: ring_peer::PATIENCE,
        };
        self.body(move |state| match RingPeer::start(config) {
            Ok(peer) => Ok(Ok(state.table.push(peer)?)),
            Err(error) if error.is_unavailable() => Ok(Err(peers::Refusal::Unavailable(error.to_string()))),
            Err(error) => Ok(Err(peers::Refusal::Failed(error.to_string()))),
        })
    }

    fn send(&mut self, peer: Resource<RingPeer>, message: Vec<u8>) -> Result<Result<(), String>> {
        self.body(move |state| {
            state.traffic.lifted += message.len() as u64;
            Ok(state.table.get_mut(&peer)?.send(&message).map_err(describe_error))
        })
    }

    fn send_batch(&mut self, peer: Resource<RingPeer>, messages: Vec<Vec<u8>>) -> Result<Result<(), String>> {
        self.body(move |state| {
            state.traffic.lifted += total_bytes(&messages);
            let peer = state.table.get_mut(&peer)?;
            let staged = messages.iter().try_for_each(|message| peer.stage(message));
            peer.publish();
            Ok(staged.map_err(describe_error))
        })
    }

    fn receive(&mut self, peer: Resource<RingPeer>) -> Result<Result<Vec<u8>, String>> {
        self.body(move |state| {
            let received = state.table.get_mut(&peer)?.receive().map(<[u8]>::to_vec).map_err(describe_error);
            state.traffic.lowered += received.as_ref().map_or(0, Vec::len) as u64;
            Ok(received)
        })
    }

    fn tally(&mut self, peer: Resource<RingPeer>) -> Result<Result<peers::Tally, String>> {
        self.body(move |state| {
            let peer = state.table.get_mut(&peer)?;
            Ok(peer.tally().map(peers::Tally::from).map_err(describe_error))
        })
    }

    fn drop(&mut self, peer: Resource<RingPeer>) -> Result<()> {
        self.body(move |state| {
            state.table.delete(peer)?;
            Ok(())
        })
    }
}

#[cold]
fn describe_error(error: PeerError) -> String {
    error.to_string()
}
