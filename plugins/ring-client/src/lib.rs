//! Messages through the host's shared-memory ring, both ends on one thread, each message checked where it arrives. It must
//! not know how the ring is built, nor whether a message is copied on its way.

mod ends;
mod message;
mod roundtrip;
mod stream;

use bench_plugin::prelude::*;
use ends::RingEnds;
use roundtrip::Roundtrip;
use stream::Stream;

const PAYLOADS: [i64; 5] = [64, 1024, 4096, 16_384, 65_536];

struct RingClient;

impl Plugin for RingClient {
    fn describe() -> Descriptor {
        let roundtrip = "One message pushed into the ring and popped from it again, checked; both ends on one thread.";
        let stream =
            "One message of a burst that fills the ring and is then drained, checked; both ends on one thread.";
        Descriptor::new("ring-client", env!("CARGO_PKG_VERSION"), "Messages through the host's shared-memory ring.")
            .scenario(scenario("roundtrip", roundtrip))
            .scenario(scenario("stream", stream))
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let payload_bytes = arguments.size("payload_bytes")?;
        match scenario {
            "roundtrip" => Ok(Box::new(Roundtrip::open(RingEnds::open(scenario, arguments, host)?, payload_bytes)?)),
            "stream" => Ok(Box::new(Stream::open(RingEnds::open(scenario, arguments, host)?, payload_bytes)?)),
            other => Err(ModuleError::UnknownScenario(other.to_owned())),
        }
    }
}

fn scenario(name: &str, summary: &str) -> Scenario {
    Scenario::new(name, "serverless", summary)
        .limit(MachineLimit::MemoryCopy)
        .parameter(
            Parameter::new("payload_bytes", PAYLOADS[0], "bytes of one message")
                .unit(Unit::Bytes)
                .sweep(PAYLOADS)
                .choices(PAYLOADS),
        )
        .parameter(
            Parameter::new("ring_bytes", 262_144, "capacity of the ring, a power of two")
                .unit(Unit::Bytes)
                .between(4096, 67_108_864),
        )
        .parameter(Parameter::new("crc32c", false, "whether the ring protects each message with a CRC32C"))
}

bench_plugin::export!(RingClient);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_keeps_the_rules() {
        RingClient::describe().validate().unwrap();
    }
}
