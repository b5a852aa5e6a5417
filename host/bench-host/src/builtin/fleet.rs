//! What a fleet costs: a repetition that is sent, submitting a plan, and making one run of what agents sent.

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
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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

/// Begins a fleet of one agent with so many groups, and the folder of what it sends.
fn begin(groups: u32) -> Result<(Loopback, Folder), ModuleError> {
    let folder = Folder::new()?;
    let loopback = Loopback::begin(&folder.0, vec![b'x'; SENT_BYTES], groups).map_err(other)?;
    Ok((loopback, folder))
}

/// Sends repetitions from an agent to a coordinator.
pub(super) fn repetition(mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let series = sink.open("repetition", &[]).map_err(other)?;
    let mut fleet = begin(GROUPS)?;
    Ok(closure(sink, move |sink| {
        let begun = Instant::now();
        match fleet.0.hand().map_err(other)? {
            0 => fleet = begin(GROUPS)?,
            repetitions => append(sink, series, begun, repetitions)?,
        }
        Ok(())
    }))
}

/// What is measured with and without a queue: bytes of which the digest is computed.
const WORK_BYTES: usize = 4 << 20;

/// Measures the same work after a repetition was sent, while the agent waits for orders, and without a fleet, each time both.
pub(super) fn figures(mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let series =
        ["queue", "alone"].map(|path| sink.open("work", &[("path".to_owned(), path.to_owned())]).map_err(other));
    let [queue, alone] = series;
    let (queue, alone) = (queue?, alone?);
    let work = vec![b'x'; WORK_BYTES];
    let mut is_queue_first = false;
    Ok(closure(sink, move |sink| {
        is_queue_first = !is_queue_first;
        for with_queue in [is_queue_first, !is_queue_first] {
            // The threads of the agent end with the fleet.
            let mut fleet = with_queue.then(|| begin(2 * HAND_MAX)).transpose()?;
            if let Some((loopback, _)) = &mut fleet {
                loopback.hand().map_err(other)?;
            }
            let begun = Instant::now();
            std::hint::black_box(digest::of_bytes(std::hint::black_box(&work)));
            append(sink, if with_queue { queue } else { alone }, begun, 1)?;
        }
        Ok(())
    }))
}

/// Starts an agent, and waits until it introduces itself.
pub(super) fn join(mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let series = sink.open("joined", &[]).map_err(other)?;
    let program = std::env::current_exe().map_err(|error| ModuleError::Unavailable(error.to_string()))?;
    let out = Folder::new()?;
    Ok(closure(sink, move |sink| {
        let begun = Instant::now();
        let mut command = Command::new(&program);
        command.args(["agent", "--stdio", "--run", "join", "--out"]).arg(&out.0);
        let mut agent =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(other)?;
        let mut hello = String::new();
        if let Some(output) = agent.stdout.take() {
            BufReader::new(output).read_line(&mut hello).map_err(other)?;
        }
        append(sink, series, begun, 1)?;
        // The end of its orders asks it to end.
        drop(agent.stdin.take());
        agent.wait().map_err(other)?;
        let has_joined = hello.starts_with("{\"message\":\"hello\"");
        has_joined.then_some(()).ok_or_else(|| other(format!("the agent said `{}`", hello.trim_end())))
    }))
}

/// Keeps nothing.
struct Nothing;

impl Blocks for Nothing {
    fn append(&mut self, _: AgentId, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Submits the groups of a plan.
pub(super) fn submit(sink: Sink) -> Box<dyn Recording> {
    closure(sink, |_| {
        let coordinator = Coordinator::new(Embedded::new(Nothing), &[ClassId(0); 2], SUBMITTED_GROUPS, true);
        std::hint::black_box(coordinator).map(drop).map_err(other)
    })
}

/// Simulates a fleet, as the argument `agents` says how large.
pub(super) fn simulation(mut sink: Sink, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
    let agents = u32::try_from(arguments.integer("agents")?).map_err(other)?;
    let [time, entries] = ["simulated", "entries_1000"].map(|metric| sink.open(metric, &[]).map_err(other));
    let (time, entries) = (time?, entries?);
    Ok(closure(sink, move |sink| {
        let begun = Instant::now();
        let done = simulate(agents).map_err(other)?;
        let repetitions = usize::try_from(done.repetitions).map_err(other)?;
        append(sink, time, begun, repetitions)?;
        sink.append(entries, &[done.entries * 1_000 / done.repetitions.max(1)]).map_err(other)
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

    #[cfg(target_os = "linux")]
    #[test]
    fn peak_of_the_memory_is_read() {
        assert!(peak_bytes().unwrap() > 0);
    }
}
