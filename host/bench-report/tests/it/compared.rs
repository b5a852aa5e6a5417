//! Run files of comparisons, written by hand: interleaved arms, and sides of several runs.

use crate::fixture::{Block, Run, fingerprint};
use bench_report::{ComparisonReport, Options};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{AccountRecord, LedgerRecord, PairingRecord, Record, RunFile, TermRecord};

pub(crate) const OPTIONS: Options = Options { delta: 0.02, seed: 7 };

/// Nanoseconds of samples of `BATCH` operations that wobble by up to half a per cent around `level`, and so do processes
/// by up to a thousandth. What `shift` changes is how.
pub(crate) fn wobbling(level: f64, process: u32, shift: u64) -> Vec<u64> {
    let wobble = |index: u64| ((index * 37 + shift * 11 + u64::from(process) * 5) % 41) as f64 / 41.0 - 0.5;
    let of_process = 1.0 + f64::from((process * 3 + shift as u32 * 7 + process * process * shift as u32) % 11) / 1e4;
    (0..200).map(|index| (level * of_process * (1.0 + wobble(index) / 100.0) * BATCH as f64).round() as u64).collect()
}

/// Operations of a sample.
pub(crate) const BATCH: u64 = 1000;

/// What one process writes when it measured `blocks` interleaved with two sessions each; the first is the baseline.
pub(crate) fn turns(blocks: Vec<Block>) -> Vec<Record> {
    let cells: Vec<u32> = blocks.iter().map(|block| block.cell.cell).collect();
    let process = blocks[0].cell.process;
    let records = blocks.into_iter().flat_map(Block::records);
    records.chain([pairing(process, &cells, 2)]).collect()
}

pub(crate) fn pairing(process: u32, cells: &[u32], sessions: u32) -> Record {
    Record::Pairing(PairingRecord { process, cells: cells.to_vec(), sessions })
}

pub(crate) fn terms(terms: &[(&str, f64)]) -> Vec<TermRecord> {
    terms.iter().map(|(name, ns)| TermRecord { name: (*name).to_owned(), ns: *ns }).collect()
}

/// A ledger of an operation of `total` nanoseconds, of which `total` - 60 belong to no term.
pub(crate) fn ledger(cell: u32, process: u32, total: f64) -> LedgerRecord {
    LedgerRecord {
        cell,
        process,
        total_ns: total,
        terms: terms(&[("lower arguments", 20.0), ("in the module", 40.0), ("residual", total - 60.0)]),
        once: terms(&[("read", 150_000.0), ("map", 400_000.0), ("instantiate", 13_000.0), ("first call", 2_100.0)]),
        observed_ns: total * 1.4,
        event_ns: 12.5,
        events: 4.0,
        batch: BATCH,
        operations: 5_000,
        boundary: terms(&[("empty call", 117.0)]),
    }
}

/// An account of ten operations that were counted and of a thousand that were watched.
pub(crate) fn account(cell: u32, process: u32, instructions: Option<u64>) -> AccountRecord {
    let calls = vec![("wasi:clocks/monotonic-clock#now".to_owned(), 20), ("ring:io/\u{1b}bytes#read".to_owned(), 5)];
    AccountRecord {
        cell,
        process,
        watched: 1_000,
        memory_bytes_max: Some(24 << 20),
        faults_minor: Some(12),
        faults_major: Some(0),
        switches_voluntary: None,
        switches_involuntary: Some(3),
        counted: 10,
        host_calls: instructions.map(|_| calls),
        lifted_bytes: instructions.map(|_| 640),
        lowered_bytes: instructions.map(|_| 0),
        instructions,
        code_bytes: instructions.map(|_| 175 << 10),
        ..AccountRecord::default()
    }
}

/// A run of one scenario in three candidates over `processes` processes: `wasm` and `wasm+fuel` take 1.5 times what
/// `native` does.
pub(crate) fn three_arms(processes: u32) -> Run {
    arms(processes, wobbling)
}

/// The same with samples that do not vary at all, so that no figure depends on what is redrawn.
pub(crate) fn steady_arms(processes: u32) -> Run {
    arms(processes, |level, _, _| vec![(level * BATCH as f64) as u64; 40])
}

fn arms(processes: u32, samples: fn(f64, u32, u64) -> Vec<u64>) -> Run {
    let mut run = Run::begin(3, processes);
    for process in 0..processes {
        let block = |cell, arm: &str| Block::new(cell, process, "ring/stream", arm).argument("payload_bytes", 64);
        run.append(&turns(vec![
            block(0, "native").timed(BATCH, samples(100.0, process, 0)),
            block(1, "wasm").timed(BATCH, samples(150.0, process, 1)),
            block(2, "wasm").variant("fuel").timed(BATCH, samples(150.0, process, 2)),
        ]));
        let total = 150.0 + f64::from(process);
        run.append(&[
            Record::Ledger(ledger(1, process, total)),
            Record::Account(account(0, process, None)),
            Record::Account(account(1, process, Some(12_040))),
        ]);
    }
    run.end(None);
    run
}

pub(crate) fn of_pairs(run: &Run) -> ComparisonReport {
    ComparisonReport::of_pairs(run.file(), &OPTIONS).unwrap()
}

/// One run of a side.
pub(crate) struct SideRun {
    pub(crate) id: String,
    pub(crate) machine: Fingerprint,
    pub(crate) blocks: Vec<Vec<Record>>,
}

impl SideRun {
    /// A run of one process that has one cell, which takes `level` nanoseconds and executes `instructions`.
    pub(crate) fn new(side: &str, process: u32, level: f64, instructions: Option<u64>) -> Self {
        let block = Block::new(0, 0, "ring/stream", "wasm").argument("payload_bytes", 64);
        let timed = block.timed(BATCH, wobbling(level, process, u64::from(side == "b")));
        let mut records = timed.records();
        records.extend(instructions.map(|count| Record::Account(account(0, 0, Some(count)))));
        Self { id: format!("{side}{process}"), machine: fingerprint(), blocks: vec![records] }
    }

    pub(crate) fn file(self) -> RunFile {
        let mut run = Run::begin_on(&self.id, self.machine, self.blocks.len() as u32, 1);
        self.blocks.iter().for_each(|block| run.append(block));
        run.end(None);
        run.file()
    }
}

/// `processes` runs of one process each.
pub(crate) fn side(name: &str, processes: u32, level: f64, instructions: Option<u64>) -> Vec<RunFile> {
    (0..processes).map(|process| SideRun::new(name, process, level, instructions).file()).collect()
}
