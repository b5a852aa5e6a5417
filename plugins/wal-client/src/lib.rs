//! The host's log as a log under test: payloads are appended, singly and in batches, and read at random.

use bench_plugin::prelude::*;
use bench_plugin::{Durability, Log, PageState};
use std::ops::Range;
use wal_load::host_timed::{self, LogOptions};
use wal_load::{Journal, RandomRead, scenario};

struct WalClient;

const DURABILITIES: [(&str, Durability); 4] = [
    ("process-crash", Durability::ProcessCrash),
    ("none", Durability::None),
    ("group", Durability::Group),
    ("each", Durability::Each),
];

const PAGE_STATES: [(&str, PageState); 3] =
    [("resident", PageState::Resident), ("written", PageState::Written), ("fresh", PageState::Fresh)];

impl Plugin for WalClient {
    fn describe() -> Descriptor {
        let page_state = Parameter::new("page_state", PAGE_STATES[0].0, "the state of the log's pages before payloads are written: mapped and touched, written to the file before, or fresh")
            .choices(PAGE_STATES.map(|(name, _)| name));
        let durabilities = &["process-crash", "none", "group", "each"];
        let options = LogOptions { durabilities, parameters: vec![page_state] };
        let summary = "The host's write-ahead log, through the boundary of the module.";
        let mut descriptor =
            host_timed::describe(Descriptor::new("wal-client", env!("CARGO_PKG_VERSION"), summary), &options);
        for scenario in &mut descriptor.scenarios {
            // On one processor, the thread that prepares segments would compete with the appends.
            let placed = scenario.clone().can_use("cpu:2", "a second processor for the thread that prepares segments");
            *scenario = placed;
        }
        descriptor
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        host_timed::open(scenario, arguments, || HostLog::open(arguments, host))
    }
}

/// The host's log.
struct HostLog(Log);

impl HostLog {
    fn open(arguments: &Arguments, host: Host) -> Result<Self, ModuleError> {
        let durability = scenario::choice(arguments, "durability", &DURABILITIES)?;
        let page_state = scenario::choice(arguments, "page_state", &PAGE_STATES)?;
        let segment_bytes = arguments.size("segment_bytes")? as u64;
        host.log(arguments.text("directory")?, durability, page_state, segment_bytes).map(Self)
    }
}

impl Journal for HostLog {
    type Batch<'a> = &'a [Vec<u8>];

    #[inline]
    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError> {
        Ok(self.0.append(payload)?)
    }

    #[inline]
    fn prepare(payloads: &[Vec<u8>]) -> &[Vec<u8>] {
        payloads
    }

    #[inline]
    fn append_batch(&mut self, payloads: &&[Vec<u8>]) -> Result<Range<u64>, ModuleError> {
        Ok(self.0.append_batch(payloads)?)
    }

    fn readable(&mut self) -> Result<Range<u64>, ModuleError> {
        Ok(self.0.first_sequence()..self.0.next_sequence())
    }

    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError> {
        let next = self.0.next_sequence();
        (next.saturating_sub(count)..next).try_for_each(|sequence| self.read(sequence, &mut *read))
    }
}

impl RandomRead for HostLog {
    #[inline]
    fn read(&mut self, sequence: u64, read: impl FnOnce(&[u8])) -> Result<(), ModuleError> {
        Ok(self.0.read(sequence, read)?)
    }
}

bench_plugin::export!(WalClient);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid_and_has_every_durability() {
        let descriptor = WalClient::describe();
        descriptor.validate().unwrap();
        for scenario in &descriptor.scenarios {
            let parameter = |name: &str| scenario.parameters.iter().find(|parameter| parameter.name == name).unwrap();
            for (name, _) in DURABILITIES {
                assert!(parameter("durability").domain.contains(&name.into()), "{name}");
            }
            assert_eq!(parameter("durability").defaults, ["process-crash".into()]);
        }
    }
}
