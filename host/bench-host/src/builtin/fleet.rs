//! What a fleet costs: a repetition that is sent, submitting a plan, and making one run of what agents sent.

use super::sessions::closure;
use bench_drivers::Recording;
use bench_fleet::{
    AgentId, Blocks, Checks, ClassId, Collector, Coordinator, Embedded, FleetFolder, HostCard, Loopback, ShardOf,
    merge, verify, write_shard,
};
use bench_model::ModuleError;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{CheckRecord, OutcomeRecord, Planned, Record, RunRecord, encode};
use bench_sink::{SeriesId, Sink};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use std::{fs, io};

/// The size of a repetition's block that is sent, and of one that is merged.
const SENT_BYTES: usize = 4 << 10;
const MERGED_BYTES: usize = 20_000;

/// The groups of the fleet whose repetitions are sent; when all are measured, it is begun anew.
const GROUPS: u32 = 100_000;
const SUBMITTED_GROUPS: u32 = 10_000;

/// The agents whose blocks are merged, and how many each has sent.
const AGENTS: [&str; 2] = ["a", "b"];
const BLOCKS: u32 = 500;

fn other(error: impl std::fmt::Display) -> ModuleError {
    ModuleError::Other(error.to_string())
}

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, ModuleError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("bench-host-fleet-{}-{number}", std::process::id()));
        let unavailable = |error: io::Error| ModuleError::Unavailable(format!("{}: {error}", path.display()));
        fs::create_dir(&path).map_err(unavailable)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn append(sink: &mut Sink, series: SeriesId, begun: Instant, operations: usize) -> Result<(), ModuleError> {
    let ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    sink.append(series, &[ns / operations.max(1) as u64]).map_err(other)
}

/// Sends repetitions from an agent to a coordinator.
pub(super) fn repetition(mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let series = sink.open("repetition", &[]).map_err(other)?;
    let begin = || {
        let folder = Folder::new()?;
        let loopback = Loopback::begin(&folder.0, vec![b'x'; SENT_BYTES], GROUPS).map_err(other)?;
        Ok::<_, ModuleError>((loopback, folder))
    };
    let mut fleet = begin()?;
    Ok(closure(sink, move |sink| {
        let begun = Instant::now();
        match fleet.0.hand().map_err(other)? {
            0 => fleet = begin()?,
            repetitions => append(sink, series, begun, repetitions)?,
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

/// Makes one run of what two agents have sent, and verifies it.
pub(super) fn merged(mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let series = sink.open("merged", &[]).map_err(other)?;
    let out = Folder::new()?;
    let folder = FleetFolder::new(&out.0, "fleet");
    collect(&folder).map_err(other)?;
    Ok(closure(sink, move |sink| {
        let begun = Instant::now();
        let directory = merge_and_verify(&folder, &out.0)?;
        append(sink, series, begun, 1)?;
        let removed = fs::remove_dir_all(&directory).and_then(|()| fs::remove_dir_all(folder.shards()));
        removed.map_err(other)
    }))
}

/// Writes what two agents have sent.
fn collect(folder: &FleetFolder) -> io::Result<()> {
    let mut collector = Collector::create(&folder.collected(), &AGENTS.map(str::to_owned))?;
    let planned = Planned {
        cells: BLOCKS * AGENTS.len() as u32,
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
        for number in 0..BLOCKS {
            collector.append(AgentId(agent), &block(agent * BLOCKS + number))?;
        }
    }
    Ok(())
}

/// The block of a repetition of `cell`.
fn block(cell: u32) -> Vec<u8> {
    let check = |number: usize| {
        let (name, detail) = (format!("check {number}"), "expected as found, and more than that".to_owned());
        Record::Check(CheckRecord { cell, process: 0, name, passed: true, detail })
    };
    let line = encode(&[check(100)]).len();
    let mut records: Vec<Record> = (0..MERGED_BYTES / line).map(check).collect();
    records.push(Record::Outcome(OutcomeRecord::ok(cell, 0)));
    encode(&records)
}

fn merge_and_verify(folder: &FleetFolder, out: &Path) -> Result<PathBuf, ModuleError> {
    let card = HostCard::of_version(env!("CARGO_PKG_VERSION"));
    let mut shards = Vec::new();
    for (number, agent) in (1..).zip(AGENTS) {
        let of = AGENTS.len() as u32;
        let shard = ShardOf { agent, card: &card, clock: &[], number, of, finished: "2" };
        let directory = folder.shards().join(agent);
        write_shard(&folder.collected().join(agent), &directory, &shard, |cell| cell / BLOCKS + 1 == number)
            .map_err(other)?;
        shards.push(directory);
    }
    let merged = merge(&shards, out, Checks::default()).map_err(other)?;
    let verified = verify(folder, std::slice::from_ref(&merged.directory)).map_err(other)?;
    match verified.findings.first() {
        None if verified.repetitions == (BLOCKS as usize) * AGENTS.len() => Ok(merged.directory),
        None => Err(other(format!("{} repetitions were merged", verified.repetitions))),
        Some(finding) => Err(other(finding)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_run_has_every_block_each_time() {
        let out = Folder::new().unwrap();
        let folder = FleetFolder::new(&out.0, "fleet");
        collect(&folder).unwrap();
        let size = block(7).len();
        assert!(size.abs_diff(MERGED_BYTES) < 300, "{size}");
        for _ in 0..2 {
            let merged = merge_and_verify(&folder, &out.0).unwrap();
            fs::remove_dir_all(merged).unwrap();
            fs::remove_dir_all(folder.shards()).unwrap();
        }
    }
}
