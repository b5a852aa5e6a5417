//! What a fleet costs: a repetition that is sent, joining, submitting a plan, and making one run of what agents sent.

mod join;
#[cfg(feature = "nats")]
mod server;

pub(super) use join::join;

use super::folder::Folder;
use super::sessions::{closure, resident_bytes};
use bench_drivers::Recording;
use bench_engine::usage::{Usage, restart_memory_max};
use bench_fleet::{
    AgentId, Blocks, Checks, ClassId, Collector, Coordinator, Embedded, FleetFolder, HAND_MAX, HostCard, Loopback,
    ShardOf, merge, simulate, verify, write_shard,
};
use bench_model::{Arguments, ModuleError};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{CheckRecord, OutcomeRecord, Planned, Record, RunRecord, encode};
use bench_sink::{SeriesId, Sink, digest};
use bench_stats::paired_ratios;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};

/// The size of a repetition's block that is sent.
const SENT_BYTES: usize = 4 << 10;

/// The groups of the fleet whose repetitions are sent; when all are measured, it is begun anew.
const GROUPS: u32 = 100_000;
const SUBMITTED_GROUPS: u32 = 10_000;

/// The agents whose blocks are merged.
const AGENTS: [&str; 2] = ["a", "b"];

/// What each of the two agents has sent.
#[derive(Clone, Copy)]
struct Sent {
    blocks: u32,
    block_bytes: usize,
    /// The size of what a line holds.
    line_bytes: usize,
}

/// Blocks of a usual size, with as many lines as there are metrics and checks; and large ones, whose lines hold samples.
const SMALL: Sent = Sent { blocks: 500, block_bytes: 20_000, line_bytes: 40 };
const LARGE: Sent = Sent { blocks: 0, block_bytes: 1_000_000, line_bytes: 99_000 };

fn other(error: impl std::fmt::Display) -> ModuleError {
    ModuleError::Other(error.to_string())
}

fn append(sink: &mut Sink, series: SeriesId, begun: Instant, operations: usize) -> Result<(), ModuleError> {
    let ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    sink.append(series, &[ns / operations.max(1) as u64]).map_err(other)
}

/// The queues of a fleet: in the process of the coordinator, which has a pair of sockets to the agent; and at a NATS server.
pub(super) const QUEUES: &[&str] = if cfg!(feature = "nats") { &["process", "nats"] } else { &["process"] };

/// The queue of a fleet, and the server that it needs.
enum QueueAt {
    Process,
    #[cfg(feature = "nats")]
    Server(Box<server::NatsServer>),
}

impl QueueAt {
    /// The queue that the argument `queue` names.
    fn of(arguments: &Arguments) -> Result<Self, ModuleError> {
        match arguments.text("queue")? {
            #[cfg(feature = "nats")]
            "nats" => Ok(Self::Server(Box::new(server::NatsServer::start()?))),
            "process" => Ok(Self::Process),
            unknown => Err(ModuleError::InvalidArgument(format!("queue: there is no queue `{unknown}` in this build"))),
        }
    }

    /// Begins a fleet of one agent with so many groups, and the folder of what it sends.
    fn begin(&mut self, groups: u32) -> Result<(Loopback, Folder), ModuleError> {
        let folder = Folder::new()?;
        let block = vec![b'x'; SENT_BYTES];
        let begun = match self {
            Self::Process => Loopback::begin(&folder.0, block, groups),
            #[cfg(feature = "nats")]
            Self::Server(server) => server.begin(&folder.0, block, groups),
        };
        Ok((begun.map_err(other)?, folder))
    }

    /// Submits the groups of a plan.
    fn submit(&mut self, groups: u32) -> Result<(), ModuleError> {
        match self {
            Self::Process => {
                let coordinator = Coordinator::new(Embedded::new(Nothing), &[ClassId(0); 2], groups, true);
                std::hint::black_box(coordinator).map(drop).map_err(other)
            }
            #[cfg(feature = "nats")]
            Self::Server(server) => server.submit(groups),
        }
    }
}

/// A fleet that sends. The agent ends before its server.
struct Sending {
    fleet: (Loopback, Folder),
    queue: QueueAt,
}

impl Sending {
    fn new(mut queue: QueueAt) -> Result<Self, ModuleError> {
        Ok(Self { fleet: queue.begin(GROUPS)?, queue })
    }

    /// Has the next groups sent, and returns their number; 0 if there were none, and another fleet was begun.
    fn hand(&mut self) -> Result<usize, ModuleError> {
        let sent = self.fleet.0.hand().map_err(other)?;
        if sent == 0 {
            self.fleet = self.queue.begin(GROUPS)?;
        }
        Ok(sent)
    }
}

/// Sends repetitions from an agent to a coordinator, over the queue that the argument `queue` names.
pub(super) fn repetition(mut sink: Sink, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
    let series = sink.open("repetition", &[]).map_err(other)?;
    let mut sending = Sending::new(QueueAt::of(arguments)?)?;
    Ok(closure(sink, move |sink| {
        let begun = Instant::now();
        match sending.hand()? {
            0 => Ok(()),
            repetitions => append(sink, series, begun, repetitions),
        }
    }))
}

/// What is measured with and without a queue: bytes of which the digest is computed.
const WORK_BYTES: usize = 4 << 20;

/// The pairs of one comparison, and the blocks that are resampled for its interval, as a comparison of arms resamples processes.
const BLOCKS: usize = 10;
const PAIRS_OF_BLOCK: usize = 16;

/// The level of the interval that lies within the margins where two one-sided tests of equivalence both reject at 5 %.
const EQUIVALENCE_LEVEL: f64 = 0.9;

/// Compares the same work after a repetition was sent, while the agent waits for orders, with that without a fleet, in pairs.
pub(super) fn figures(mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let mut open = |metric: &str, labels: &[(String, String)]| sink.open(metric, labels).map_err(other);
    let mut by_path = |path: &str| open("work", &[("path".to_owned(), path.to_owned())]);
    let (alone, queue) = (by_path("alone")?, by_path("queue")?);
    let (low, high) = (open("ratio_low_1e6", &[])?, open("ratio_high_1e6", &[])?);
    let work = vec![b'x'; WORK_BYTES];
    let mut comparisons = 0;
    Ok(closure(sink, move |sink| {
        comparisons += 1;
        let mut blocks = Vec::new();
        for _ in 0..BLOCKS {
            let mut pairs = Vec::new();
            for number in 0..PAIRS_OF_BLOCK {
                let ns = pair(&work, number % 2 == 0)?;
                sink.append(alone, &[ns[0]]).and_then(|()| sink.append(queue, &[ns[1]])).map_err(other)?;
                pairs.push((ns[0] as f64, ns[1] as f64));
            }
            blocks.push(pairs);
        }
        let ratios = paired_ratios(&blocks, comparisons).ok_or_else(|| other("the pairs have no ratio"))?;
        let interval = ratios.medians.interval(EQUIVALENCE_LEVEL);
        let millionths = |ratio: f64| (ratio * 1e6).round() as u64;
        sink.append(low, &[millionths(interval.low)]).map_err(other)?;
        sink.append(high, &[millionths(interval.high)]).map_err(other)
    }))
}

/// The time of the work without a fleet, and with one that waits.
fn pair(work: &[u8], is_queue_first: bool) -> Result<[u64; 2], ModuleError> {
    let mut ns = [0; 2];
    for with_queue in [is_queue_first, !is_queue_first] {
        // The threads of the agent end with the fleet.
        let mut fleet = with_queue.then(|| QueueAt::Process.begin(2 * HAND_MAX)).transpose()?;
        if let Some((loopback, _)) = &mut fleet {
            loopback.hand().map_err(other)?;
        }
        let begun = Instant::now();
        std::hint::black_box(digest::of_bytes(std::hint::black_box(work)));
        ns[usize::from(with_queue)] = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    }
    Ok(ns)
}

/// Keeps nothing.
struct Nothing;

impl Blocks for Nothing {
    fn append(&mut self, _: AgentId, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Submits the groups of a plan to the queue that the argument `queue` names.
pub(super) fn submit(sink: Sink, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
    let mut queue = QueueAt::of(arguments)?;
    Ok(closure(sink, move |_| queue.submit(SUBMITTED_GROUPS)))
}

/// The agents that are simulated at once, in one fleet or in several: the figures are of equally many repetitions, and equally much memory is in
/// use.
const SIMULATED_AGENTS: u32 = 10_000;

/// Simulates fleets, as the argument `agents` says how large.
pub(super) fn simulation(mut sink: Sink, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
    let agents = u32::try_from(arguments.integer("agents")?).map_err(other)?;
    let fleets = (SIMULATED_AGENTS / agents.max(1)).max(1);
    let metrics = ["simulated", "steps_1000", "entries_1000"].map(|metric| sink.open(metric, &[]).map_err(other));
    let [time, steps, entries] = metrics;
    let (time, steps, entries) = (time?, steps?, entries?);
    Ok(closure(sink, move |sink| {
        let begun = Instant::now();
        let done = simulate(fleets, agents).map_err(other)?;
        let repetitions = usize::try_from(done.repetitions).map_err(other)?;
        append(sink, time, begun, repetitions)?;
        for (series, count) in [(steps, done.steps), (entries, done.entries)] {
            sink.append(series, &[count * 1_000 / done.repetitions.max(1)]).map_err(other)?;
        }
        Ok(())
    }))
}

/// Makes one run of what two agents have sent, and verifies it.
pub(super) fn merged(mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let series = sink.open("merged", &[]).map_err(other)?;
    let (out, folder) = collected(SMALL)?;
    Ok(closure(sink, move |sink| {
        let begun = Instant::now();
        let directory = merge_and_verify(&folder, &out.0, SMALL)?;
        append(sink, series, begun, 1)?;
        remove(&directory, &folder)
    }))
}

/// The same of large repetitions, as many as the argument `repetitions` says, with the memory that it takes.
pub(super) fn merged_large(mut sink: Sink, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
    let repetitions = u32::try_from(arguments.integer("repetitions")?).map_err(other)?;
    let [time, growth] = ["merged_each", "growth"].map(|metric| sink.open(metric, &[]).map_err(other));
    let (time, growth) = (time?, growth?);
    let sent = Sent { blocks: repetitions / AGENTS.len() as u32, ..LARGE };
    let before = resident_bytes()?;
    let (out, folder) = collected(sent)?;
    Ok(closure(sink, move |sink| {
        forget_peak()?;
        let begun = Instant::now();
        let directory = merge_and_verify(&folder, &out.0, sent)?;
        append(sink, time, begun, sent.blocks as usize * AGENTS.len())?;
        sink.append(growth, &[peak_bytes()?.saturating_sub(before)]).map_err(other)?;
        remove(&directory, &folder)
    }))
}

/// Has the system note the largest resident memory of this process anew.
fn forget_peak() -> Result<(), ModuleError> {
    let unavailable = || ModuleError::Unavailable("cannot write /proc/self/clear_refs".to_owned());
    restart_memory_max().then_some(()).ok_or_else(unavailable)
}

/// The largest resident memory of this process since then.
fn peak_bytes() -> Result<u64, ModuleError> {
    let unavailable = || ModuleError::Unavailable("/proc/self/status has no VmHWM".to_owned());
    Usage::now().memory_bytes_max.ok_or_else(unavailable)
}

/// What two agents have sent, in a folder that is removed in the end.
fn collected(sent: Sent) -> Result<(Folder, FleetFolder), ModuleError> {
    let out = Folder::new()?;
    let folder = FleetFolder::new(&out.0, "fleet");
    let unavailable = |error: io::Error| ModuleError::Unavailable(format!("{}: {error}", out.0.display()));
    collect(&folder, sent).map_err(unavailable)?;
    Ok((out, folder))
}

/// Removes what was made.
fn remove(directory: &Path, folder: &FleetFolder) -> Result<(), ModuleError> {
    fs::remove_dir_all(directory).and_then(|()| fs::remove_dir_all(folder.shards())).map_err(other)
}

/// Writes what two agents have sent.
fn collect(folder: &FleetFolder, sent: Sent) -> io::Result<()> {
    let mut collector = Collector::create(&folder.collected(), &AGENTS.map(str::to_owned))?;
    let planned = Planned {
        cells: sent.blocks * AGENTS.len() as u32,
        processes: 1,
        time_ns: None,
        iterations: None,
        within_ns: None,
        order_sha256: None,
    };
    let run = RunRecord {
        id: folder.id(),
        started: "1".to_owned(),
        seed: 1,
        command: Vec::new(),
        planned,
        fingerprint: Fingerprint::default(),
        program_sha256: None,
        warnings: Vec::new(),
        inputs: Vec::new(),
    };
    let head = encode(&[Record::Run(run)]);
    for agent in 0..AGENTS.len() as u32 {
        collector.append(AgentId(agent), &head)?;
        for number in 0..sent.blocks {
            collector.append(AgentId(agent), &block(agent * sent.blocks + number, sent))?;
        }
    }
    Ok(())
}

/// The block of a repetition of `cell`.
fn block(cell: u32, sent: Sent) -> Vec<u8> {
    let check = |number: usize| {
        let (name, detail) = (format!("check {number}"), "x".repeat(sent.line_bytes));
        Record::Check(CheckRecord { cell, process: 0, name, passed: true, detail })
    };
    let line = encode(&[check(100)]).len();
    let mut records: Vec<Record> = (0..sent.block_bytes / line).map(check).collect();
    records.push(Record::Outcome(OutcomeRecord::ok(cell, 0)));
    encode(&records)
}

fn merge_and_verify(folder: &FleetFolder, out: &Path, sent: Sent) -> Result<PathBuf, ModuleError> {
    let card = HostCard::of_version(env!("CARGO_PKG_VERSION"));
    let mut shards = Vec::new();
    for (number, agent) in (1..).zip(AGENTS) {
        let of = AGENTS.len() as u32;
        let shard = ShardOf { agent, card: &card, clock: &[], number, of, finished: "2" };
        let directory = folder.shards().join(agent);
        let is_official = |cell| cell / sent.blocks.max(1) + 1 == number;
        write_shard(&folder.collected().join(agent), &directory, &shard, is_official).map_err(other)?;
        shards.push(directory);
    }
    let merged = merge(&shards, out, Checks::default()).map_err(other)?;
    let verified = verify(folder, std::slice::from_ref(&merged.directory)).map_err(other)?;
    match verified.findings.first() {
        None if verified.repetitions == (sent.blocks as usize) * AGENTS.len() => Ok(merged.directory),
        None => Err(other(format!("{} repetitions were merged", verified.repetitions))),
        Some(finding) => Err(other(finding)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Merges what the agents have sent twice, whose blocks have about the wanted size.
    #[track_caller]
    fn check(sent: Sent) {
        let (out, folder) = collected(sent).unwrap();
        let size = block(1, sent).len();
        assert!(size.abs_diff(sent.block_bytes) < sent.block_bytes / 50, "{size}");
        for _ in 0..2 {
            let merged = merge_and_verify(&folder, &out.0, sent).unwrap();
            remove(&merged, &folder).unwrap();
        }
    }

    #[test]
    fn merged_run_has_every_block_each_time() {
        check(SMALL);
        check(Sent { blocks: 20, ..LARGE });
    }

    #[test]
    fn repetitions_are_sent_and_groups_submitted_over_every_queue() {
        for name in QUEUES {
            let arguments: Arguments = [("queue", *name)].into_iter().collect();
            let mut sending = match QueueAt::of(&arguments).and_then(Sending::new) {
                Ok(sending) => sending,
                Err(ModuleError::Unavailable(reason)) => {
                    eprintln!("skipped: {reason}");
                    continue;
                }
                Err(error) => panic!("{name}: {error}"),
            };
            assert!(sending.hand().unwrap() > 0, "{name}");
            sending.queue.submit(SUBMITTED_GROUPS).unwrap();
        }
    }

    #[test]
    fn work_is_measured_in_pairs() {
        for is_queue_first in [true, false] {
            assert!(pair(&[0; 4_096], is_queue_first).unwrap().iter().all(|ns| *ns > 0));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn peak_of_the_memory_is_read() {
        assert!(peak_bytes().unwrap() > 0);
    }
}
