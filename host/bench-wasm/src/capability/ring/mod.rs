//! `bench-host:ring`: each message is copied between the component's memory and the shared ring, which is what the
//! boundary costs.

mod peers;

use super::{Capability, total_bytes};
use crate::state::State;
use bindings::bench_host::ring::ring;
use shm_ring::{Consumer, Integrity, Producer, PushError, Rings};
use wasmtime::Result;
use wasmtime::component::{HasSelf, Linker, Resource};

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/ring",
        world: "client",
        imports: { default: tracing | trappable },
        with: {
            "bench-host:ring/ring.producer": shm_ring::Producer,
            "bench-host:ring/ring.consumer": shm_ring::Consumer,
            "bench-host:ring/peers.peer": ring_peer::RingPeer,
        },
    });
}

/// The rings of a session, which a slot of its state holds, and the second process behind two of them.
pub(super) struct RingCapability;

impl Capability for RingCapability {
    fn link(&self, linker: &mut Linker<State>) -> Result<()> {
        ring::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        bindings::bench_host::ring::peers::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
    }
}

impl ring::Host for State {}

impl ring::HostProducer for State {
    fn open(
        &mut self,
        name: String,
        capacity: u32,
        integrity: ring::Integrity,
    ) -> Result<Result<Resource<Producer>, String>> {
        let integrity = match integrity {
            ring::Integrity::None => Integrity::None,
            ring::Integrity::Crc32c => Integrity::Crc32c,
        };
        self.body(move |state| match state.slot::<Rings>().producer(&name, capacity as usize, integrity) {
            Ok(producer) => Ok(Ok(state.table.push(producer)?)),
            Err(error) => Ok(Err(error.to_string())),
        })
    }

    fn push(&mut self, producer: Resource<Producer>, message: Vec<u8>) -> Result<Result<(), ring::PushError>> {
        self.body(move |state| {
            state.traffic.lifted += message.len() as u64;
            Ok(state.table.get_mut(&producer)?.push(&message).map_err(|error| match error {
                PushError::Full => ring::PushError::Full,
                PushError::TooLarge => ring::PushError::TooLarge,
            }))
        })
    }

    fn push_batch(&mut self, producer: Resource<Producer>, messages: Vec<Vec<u8>>) -> Result<u32> {
        self.body(move |state| {
            state.traffic.lifted += total_bytes(&messages);
            let producer = state.table.get_mut(&producer)?;
            let taken = messages.iter().take_while(|message| producer.push(message).is_ok()).count();
            Ok(taken as u32)
        })
    }

    fn drop(&mut self, producer: Resource<Producer>) -> Result<()> {
        self.body(move |state| {
            state.table.delete(producer)?;
            Ok(())
        })
    }
}

impl ring::HostConsumer for State {
    fn open(&mut self, name: String) -> Result<Result<Resource<Consumer>, String>> {
        self.body(move |state| match state.slot::<Rings>().consumer(&name) {
            Ok(consumer) => Ok(Ok(state.table.push(consumer)?)),
            Err(error) => Ok(Err(error.to_string())),
        })
    }

    fn pop(&mut self, consumer: Resource<Consumer>) -> Result<Option<Vec<u8>>> {
        self.body(move |state| {
            let message = state.table.get_mut(&consumer)?.pop(<[u8]>::to_vec)?;
            state.traffic.lowered += message.as_ref().map_or(0, Vec::len) as u64;
            Ok(message)
        })
    }

    fn pop_batch(&mut self, consumer: Resource<Consumer>, max: u32) -> Result<Vec<Vec<u8>>> {
        self.body(move |state| {
            let consumer = state.table.get_mut(&consumer)?;
            let mut messages = Vec::new();
            while messages.len() < max as usize {
                match consumer.pop(<[u8]>::to_vec)? {
                    Some(message) => messages.push(message),
                    None => break,
                }
            }
            state.traffic.lowered += total_bytes(&messages);
            Ok(messages)
        })
    }

    fn drop(&mut self, consumer: Resource<Consumer>) -> Result<()> {
        self.body(move |state| {
            state.table.delete(consumer)?;
            Ok(())
        })
    }
}
