//! One side of a transfer: an instance, called once, on the thread that this runs on; and where its wall time went. It must not
//! know of the other side.

use super::channel::{Calls, Meter};
use crate::connectors::{Connector, ConnectorInstance, Transfer};
use bench_engine::{Clock, MonotonicClock};
use bench_model::{Check, ModuleError};

/// What of a side's wall time may be in no stage.
const OTHER_MAX: f64 = 0.02;

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Source,
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
    pub(super) calls: Calls,
}

impl Which {
    /// As it is called in labels.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }

    /// The stages, in the order of a transfer.
    fn stages(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["connect", "query", "fetch", "encode", "emit"],
            Self::Destination => &["connect", "receive", "decode", "flush", "commit"],
        }
    }

    /// The stage that is a call of the host, and what of it the host does to a batch.
    fn host_stage(self) -> (&'static str, &'static str) {
        match self {
            Self::Source => ("emit", "compress"),
            Self::Destination => ("receive", "decompress"),
        }
    }
}

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
    Ok(Side { which, wall_ns, instantiate_ns: instantiated - begin, waited_ns, transfer, calls: meter.read() })
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

    /// The call of the host as the connector sees it; as the host sees it where the connector does not say.
    fn host_stage_ns(&self) -> u64 {
        self.said(self.which.host_stage().0).unwrap_or(self.calls.whole_ns)
    }

    /// Stages that follow each other and together are the side's wall time, but for what is in none: names and nanoseconds.
    pub(super) fn parts(&self) -> Vec<(String, u64)> {
        let (host_stage, _) = self.which.host_stage();
        let mut parts = vec![("instantiate".to_owned(), self.instantiate_ns)];
        for stage in self.which.stages() {
            let ns = if *stage == host_stage { Some(self.host_stage_ns()) } else { self.said(stage) };
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

    /// What the call of the host consists of: `STAGE/PART`, where `crossing` is what lies between the host and the connector.
    pub(super) fn within_host_stage(&self) -> Vec<(String, u64)> {
        let (stage, packing) = self.which.host_stage();
        let crossing = self.host_stage_ns().saturating_sub(self.calls.whole_ns);
        let parts = [("blocked", self.calls.blocked_ns), (packing, self.calls.packing_ns), ("crossing", crossing)];
        parts.into_iter().map(|(part, ns)| (format!("{stage}/{part}"), ns)).collect()
    }

    /// What of the wall time is in no stage; negative where stages have more than there was.
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
