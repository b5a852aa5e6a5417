//! Messages through the host's shared-memory ring, with both ends on one thread, or with a second process. The receiver
//! checks each message.

mod ends;
mod message;
mod peer;
mod roundtrip;
mod stream;

use bench_plugin::prelude::*;
use ends::RingEnds;
use peer::{OneWay, PING_PONG_TRANSPORTS, PLACEMENTS, PingPong, TRANSPORTS};
use roundtrip::Roundtrip;
use stream::Stream;

const PAYLOADS: [i64; 5] = [64, 1024, 4096, 16_384, 65_536];

struct RingClient;

impl Plugin for RingClient {
    fn describe() -> Descriptor {
        let roundtrip = "One message pushed into the ring, popped and checked, with both ends on one thread.";
        let stream =
            "One message of a burst that fills the ring and is then drained and checked, with both ends on one thread.";
        let ping_pong = "One round trip to a second process through two rings; the answer is checked.";
        let one_way = "One message through a ring to a second process, which checks it; a batch ends with its report.";
        Descriptor::new("ring-client", env!("CARGO_PKG_VERSION"), "Messages through the host's shared-memory ring.")
            .scenario(on_one_thread("roundtrip", roundtrip))
            .scenario(on_one_thread("stream", stream))
            .scenario(across("ping-pong", ping_pong, &PING_PONG_TRANSPORTS))
            .scenario(across("two-process-stream", one_way, &TRANSPORTS))
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let payload_bytes = arguments.size("payload_bytes")?;
        match scenario {
            "roundtrip" => Ok(Box::new(Roundtrip::open(RingEnds::open(scenario, arguments, host)?, payload_bytes)?)),
            "stream" => Ok(Box::new(Stream::open(RingEnds::open(scenario, arguments, host)?, payload_bytes)?)),
            "ping-pong" => Ok(Box::new(PingPong::new(peer::start(false, arguments, host)?.0, payload_bytes))),
            "two-process-stream" => {
                let (peer, batched) = peer::start(true, arguments, host)?;
                Ok(Box::new(OneWay::new(peer, batched, payload_bytes)?))
            }
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }
}

fn on_one_thread(name: &str, summary: &str) -> Scenario {
    scenario(name, summary)
        .limit(MachineLimit::MemoryCopy)
        .parameter(
            Parameter::new("ring_bytes", 262_144, "capacity of the ring, a power of two")
                .unit(Unit::Bytes)
                .between(4096, 67_108_864),
        )
        .parameter(Parameter::new("crc32c", false, "whether the ring adds a CRC32C to each message"))
}

fn across(name: &str, summary: &str, transports: &[&'static str]) -> Scenario {
    let transport = "how the two sides wait, and whether messages are sent in batches";
    let placement = "same: both processes are pinned to one CPU; cross: to two";
    scenario(name, summary)
        .limit(MachineLimit::CacheLine)
        .can_use("cpu:2", "placement=cross needs a processor for each process")
        .parameter(
            Parameter::new("transport", transports[0], transport)
                .sweep(transports.iter().copied())
                .choices(transports.iter().copied()),
        )
        .parameter(Parameter::new("placement", PLACEMENTS[1], placement).sweep(PLACEMENTS).choices(PLACEMENTS))
}

fn scenario(name: &str, summary: &str) -> Scenario {
    Scenario::new(name, "ring", summary).parameter(
        Parameter::new("payload_bytes", PAYLOADS[0], "bytes of one message")
            .unit(Unit::Bytes)
            .sweep(PAYLOADS)
            .choices(PAYLOADS),
    )
}

bench_plugin::export!(RingClient);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        RingClient::describe().validate().unwrap();
    }
}
