//! One side of a transfer: an instance, called once, on the thread that this runs on; and where its wall time went.

use super::channel::{Calls, Meter};
use crate::connectors::{Connector, ConnectorInstance, Transfer};
use bench_engine::{Clock, MonotonicClock};
use bench_model::{Check, ModuleError};

/// The share of a side's wall time that may be in no stage.
const OTHER_MAX: f64 = 0.02;

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Source,
    Transform,
    Destination,
}

/// What a side did, where it did it.
#[derive(Clone, Debug)]
pub(super) struct Side {
    which: Which,
    /// From before the instance to after its call, in nanoseconds.
    pub(super) wall_ns: u64,
    instantiate_ns: u64,
    /// While its thread could have run and had no processor, as far as the system says.
    waited_ns: u64,
    pub(super) transfer: Transfer,
    /// For batches that it handed over; of a destination, for those that it took.
    pub(super) calls: Calls,
    /// For batches that a transform took.
    pub(super) received: Option<Calls>,
}

impl Which {
    /// As it is called in labels.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Transform => "transform",
            Self::Destination => "destination",
        }
    }

    /// The stages, in the order of a transfer.
    fn stages(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["connect", "query", "fetch", "encode", "emit"],
            Self::Transform => &["receive", "decode", "transform", "encode", "emit"],
            Self::Destination => &["connect", "receive", "decode", "flush", "commit"],
        }
    }

    /// The stage that is a call of the host, and what of it the host does to a batch. A transform has that of a destination too.
    fn host_stage(self) -> (&'static str, &'static str) {
        match self {
            Self::Source | Self::Transform => EMIT,
            Self::Destination => RECEIVE,
        }
    }
}

const EMIT: (&str, &str) = ("emit", "compress");
const RECEIVE: (&str, &str) = ("receive", "decompress");

/// Makes an instance and has `body` call it.
pub(super) fn run(
    which: Which,
    connector: &mut dyn Connector,
    meter: &Meter,
    body: impl FnOnce(&mut dyn ConnectorInstance) -> Result<Transfer, ModuleError>,
) -> Result<Side, ModuleError> {
    let clock = MonotonicClock::new();
    let waited_before = waited_ns();
    let begin = clock.now_ns();
    let mut instance = connector.instantiate()?;
    let instantiated = clock.now_ns();
    let transfer = body(instance.as_mut())?;
    let wall_ns = clock.now_ns() - begin;
    let waited_ns = waited_ns().saturating_sub(waited_before);
    let instantiate_ns = instantiated - begin;
    Ok(Side { which, wall_ns, instantiate_ns, waited_ns, transfer, calls: meter.read(), received: None })
}

/// How long this thread has waited for a processor since it began (the second field of `/proc/PID/schedstat`, in nanoseconds); 0
/// where the system does not say.
fn waited_ns() -> u64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    statistics.split_whitespace().nth(1).and_then(|field| field.parse().ok()).unwrap_or_default()
}

impl Side {
    /// The sum of what the connector has put under `name`, where it has.
    fn said(&self, name: &str) -> Option<u64> {
        let mut spans = self.transfer.stages.iter().filter(|(stage, _)| stage == name).map(|(_, ns)| *ns).peekable();
        spans.peek().is_some().then(|| spans.sum())
    }

    /// The stages that are calls of the host, what of them the host does to a batch, and the calls.
    fn host_stages(&self) -> impl Iterator<Item = (&'static str, &'static str, Calls)> {
        let (stage, packing) = self.which.host_stage();
        let received = self.received.map(|calls| (RECEIVE.0, RECEIVE.1, calls));
        received.into_iter().chain(std::iter::once((stage, packing, self.calls)))
    }

    /// Bytes of all batches that it handed over or took.
    pub(super) fn bytes(&self) -> u64 {
        self.host_stages().map(|(.., calls)| calls.bytes).sum()
    }

    /// A stage that is a call of the host as the connector sees it; as the host sees it where the connector does not say.
    fn host_stage_ns(&self, stage: &str, calls: &Calls) -> u64 {
        self.said(stage).unwrap_or(calls.whole_ns)
    }

    /// Stages that follow each other and together are the side's wall time, but for what is in none: names and nanoseconds.
    pub(super) fn parts(&self) -> Vec<(String, u64)> {
        let mut parts = vec![("instantiate".to_owned(), self.instantiate_ns)];
        for stage in self.which.stages() {
            let ns = match self.host_stages().find(|(host_stage, ..)| host_stage == stage) {
                Some((.., calls)) => Some(self.host_stage_ns(stage, &calls)),
                None => self.said(stage),
            };
            parts.extend(ns.map(|ns| ((*stage).to_owned(), ns)));
        }
        let known = |name: &str| self.which.stages().contains(&name);
        for (name, _) in self.transfer.stages.iter().filter(|(name, _)| !known(name)) {
            if !parts.iter().any(|(part, _)| part == name) {
                parts.push((name.clone(), self.said(name).unwrap_or_default()));
            }
        }
        parts
    }

    /// What the calls of the host consist of: `STAGE/PART`, where `crossing` is what lies between the host and the connector.
    pub(super) fn within_host_stages(&self) -> Vec<(String, u64)> {
        let parts_of = |(stage, packing, calls): (&'static str, &'static str, Calls)| {
            let crossing = self.host_stage_ns(stage, &calls).saturating_sub(calls.whole_ns);
            let parts = [("blocked", calls.blocked_ns), (packing, calls.packing_ns), ("crossing", crossing)];
            parts.map(|(part, ns)| (format!("{stage}/{part}"), ns))
        };
        self.host_stages().flat_map(parts_of).collect()
    }

    /// The part of the wall time that is in no stage; negative where stages have more than there was.
    pub(super) fn other_ns(&self) -> i64 {
        let parts: u64 = self.parts().iter().map(|(_, ns)| ns).sum();
        self.wall_ns.cast_signed() - parts.cast_signed()
    }
}

/// Whether the stages of `sides`, which are the same side in several repetitions, are all of its time. What a thread waits for a
/// processor may fall between two stages, and is no fault of theirs.
pub(super) fn parts_check(sides: &[Side]) -> Option<Check> {
    let which = sides.first()?.which;
    let wall: u64 = sides.iter().map(|side| side.wall_ns).sum();
    let other: i64 = sides.iter().map(Side::other_ns).sum();
    let waited: u64 = sides.iter().map(|side| side.waited_ns).sum();
    let ms = |ns: f64| ns / 1e6;
    let allowed = OTHER_MAX * wall as f64 + waited as f64;
    let detail = format!(
        "{:.3} ms of {:.3} ms in {} repetitions are in no stage, wanted 0 to {:.0} % and the {:.3} ms for which there was no \
         processor",
        ms(other as f64),
        ms(wall as f64),
        sides.len(),
        100.0 * OTHER_MAX,
        ms(waited as f64),
    );
    // A stage's clock is read between two of the wall's, so that no honest sum exceeds it.
    let holds = (0.0..=allowed).contains(&(other as f64));
    Some(Check::that(format!("parts of the {}", which.name()), holds, detail))
}
