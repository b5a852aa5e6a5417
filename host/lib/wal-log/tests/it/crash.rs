//! Processes killed while they write: every append that returned is in the log, whole and in order.
//!
//! A child, this test program run again, appends from several threads and reports each append that returned over a socket.
//! The parent kills it with SIGKILL at a random point, opens the log and compares. Each log is killed several times.

use crate::support::directory_on_disk;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::collections::HashMap;
use std::io::{BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use wal_log::{Config, Durability, Entry, Log, RecoveryMode, Retention, StreamId};

const KILLS_PER_LOG: u32 = 5;
const THREADS: u32 = 3;

/// What a child is told by its environment.
const TASK: &str = "WAL_LOG_CRASH_TASK";

/// One of the modes, with small segments so that a child gets through many.
fn config(directory: &Path, mode: usize, is_recycling: bool) -> Config {
    let durability = [
        Durability::None,
        Durability::ProcessCrash,
        Durability::Interval(Duration::from_millis(2)),
        Durability::Group,
        Durability::Each,
    ][mode];
    let mut config = Config::new(directory, durability);
    config.segment_bytes = 16 << 10;
    config.retention = if is_recycling { Retention::Segments(3) } else { Retention::All };
    config
}

/// An operation of a child: of which thread, the how-manieth, and so many entries of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operation {
    thread: u32,
    number: u32,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Single,
    Batch(u32),
    Transaction(u32),
}

impl Operation {
    fn new(thread: u32, number: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(thread) << 32 | u64::from(number));
        let shape = match rng.random_range(0..6) {
            0 => Shape::Batch(rng.random_range(1..12)),
            1 => Shape::Transaction(rng.random_range(1..8)),
            _ => Shape::Single,
        };
        Self { thread, number, shape }
    }

    fn len(self) -> u32 {
        match self.shape {
            Shape::Single => 1,
            Shape::Batch(len) | Shape::Transaction(len) => len,
        }
    }

    /// Tells whose it is, and is followed by bytes that no other entry has.
    fn payload(self, index: u32) -> Vec<u8> {
        let seed = u64::from(self.thread) << 48 | u64::from(self.number) << 16 | u64::from(index);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut payload: Vec<u8> = [self.thread, self.number, index].into_iter().flat_map(u32::to_le_bytes).collect();
        let len = rng.random_range(0..400);
        payload.extend((0..len).map(|_| rng.random::<u8>()));
        payload
    }

    fn append(self, log: &Log) -> std::ops::Range<u64> {
        let payloads: Vec<_> = (0..self.len()).map(|index| self.payload(index)).collect();
        let entry = |payload| Entry { stream: StreamId(self.thread), kind: 0, payload };
        let entries: Vec<_> = payloads.iter().map(|payload| entry(payload)).collect();
        match self.shape {
            Shape::Single => {
                let sequence = log.append(entries[0]).unwrap();
                sequence..sequence + 1
            }
            Shape::Batch(_) => log.append_batch(&entries).unwrap(),
            Shape::Transaction(_) => {
                let mut transaction = log.transaction();
                entries.into_iter().for_each(|entry| transaction.append(entry));
                transaction.commit().unwrap()
            }
        }
    }
}

/// What the parent was told: thread, number, first sequence.
type Acknowledgement = [u64; 3];

/// Runs in the child until it is killed.
#[test]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let task: Vec<_> = task.split(' ').collect();
    let [mode, is_recycling, directory, starts @ ..] = &task[..] else { panic!("a task") };
    let socket = Mutex::new(UnixStream::connect(Path::new(directory).join("acknowledgements")).unwrap());
    let log = Log::open(config(Path::new(directory), mode.parse().unwrap(), *is_recycling == "true")).unwrap();
    std::thread::scope(|scope| {
        for (thread, start) in (0..).zip(starts) {
            let (log, socket) = (&log, &socket);
            scope.spawn(move || {
                for number in start.parse::<u32>().unwrap().. {
                    let sequences = Operation::new(thread, number).append(log);
                    let told = [u64::from(thread), u64::from(number), sequences.start];
                    let bytes: Vec<u8> = told.into_iter().flat_map(u64::to_le_bytes).collect();
                    socket.lock().unwrap().write_all(&bytes).unwrap();
                }
            });
        }
    });
}

fn spawn(task: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::child", "--nocapture"]).env(TASK, task);
    command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

/// Starts a child, kills it, and returns what it acknowledged.
#[expect(clippy::disallowed_methods, reason = "the child is to die at an arbitrary moment")]
fn run_and_kill(listener: &UnixListener, task: &str, rng: &mut ChaCha8Rng, most: u32) -> Vec<Acknowledgement> {
    let mut child = spawn(task);
    let mut socket = BufReader::new(listener.accept().unwrap().0);
    let mut acknowledged = Vec::new();
    let mut read = || {
        let mut bytes = [0; 24];
        socket.read_exact(&mut bytes).ok()?;
        Some([0, 8, 16].map(|at| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())))
    };
    let wanted = rng.random_range(0..most);
    while acknowledged.len() < wanted as usize {
        acknowledged.push(read().expect("the child lives until it is killed"));
    }
    std::thread::sleep(Duration::from_micros(rng.random_range(0..300)));
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(std::iter::from_fn(read));
    acknowledged
}

/// Compares the log with what was acknowledged; for each thread the number of its next operation.
fn check(log: &Log, acknowledged: &HashMap<(u32, u32), u64>, is_recycling: bool) -> Vec<u32> {
    let snapshot = log.snapshot();
    let first = snapshot.first_sequence();
    // For each thread its last operation and how many of its entries were seen.
    let mut last: Vec<Option<(Operation, u32)>> = vec![None; THREADS as usize];
    let mut starts: HashMap<(u32, u32), u64> = HashMap::new();
    for (expected, record) in (first..).zip(snapshot.iter(first).unwrap()) {
        let record = record.unwrap();
        assert_eq!(record.sequence, expected, "sequences have no gap");
        let [thread, number, index] =
            [0, 4, 8].map(|at| u32::from_le_bytes(record.payload[at..at + 4].try_into().unwrap()));
        let operation = Operation::new(thread, number);
        assert_eq!(record.payload, operation.payload(index), "an entry is whole");
        assert_eq!(record.stream, StreamId(thread));
        let before = last[thread as usize].replace((operation, index + 1));
        match before {
            Some((before, seen)) if before == operation => assert_eq!(seen, index, "entries are in order"),
            Some((before, seen)) => {
                // A batch that was interrupted by the kill is gone on with by the next operation.
                let is_complete = seen == before.len() || matches!(before.shape, Shape::Batch(_));
                assert!(is_complete && number == before.number + 1 && index == 0, "{before:?} then {operation:?}");
            }
            // A log that begins later begins anywhere in a batch, and a transaction is in one segment.
            None => assert!(index == 0 || (is_recycling && matches!(operation.shape, Shape::Batch(_)))),
        }
        if index == 0 {
            starts.insert((thread, number), record.sequence);
        }
    }
    for (operation, seen) in last.iter().flatten() {
        let is_whole = *seen == operation.len() || matches!(operation.shape, Shape::Batch(_));
        assert!(is_whole, "a transaction is there or not: {operation:?}, {seen}");
    }
    for ((thread, number), sequence) in acknowledged {
        let operation = Operation::new(*thread, *number);
        // Where other threads appended in the middle of a batch, it ends later than its length says.
        if *sequence >= first {
            assert_eq!(starts.get(&(*thread, *number)), Some(sequence), "{operation:?} was acknowledged");
        }
        let is_there = last[*thread as usize]
            .is_some_and(|(last, seen)| last.number > *number || (last.number == *number && seen == operation.len()));
        assert!(is_there || *sequence < first, "{operation:?} was acknowledged");
    }
    last.iter().map(|last| last.map_or(0, |(operation, _)| operation.number + 1)).collect()
}

/// Kills children that write to one log, one after the other.
fn kill_repeatedly(mode: usize, is_recycling: bool, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let directory = directory_on_disk();
    let listener = UnixListener::bind(directory.path().join("acknowledgements")).unwrap();
    let mut acknowledged = HashMap::new();
    let mut starts: Vec<u32> = vec![0; THREADS as usize];
    // Modes that sync are slower.
    let most = if mode >= 3 { 60 } else { 1500 };
    for _ in 0..KILLS_PER_LOG {
        let starts_text: Vec<_> = starts.iter().map(u32::to_string).collect();
        let task = format!("{mode} {is_recycling} {} {}", directory.path().display(), starts_text.join(" "));
        for [thread, number, sequence] in run_and_kill(&listener, &task, &mut rng, most) {
            acknowledged.insert((thread as u32, number as u32), sequence);
        }
        let recovery = if rng.random() { RecoveryMode::Fast } else { RecoveryMode::Thorough };
        let log = Log::open(Config { recovery, ..config(directory.path(), mode, is_recycling) });
        let log = log.unwrap_or_else(|error| panic!("mode {mode}, seed {seed}: {error}"));
        assert!(log.recovery().findings.is_empty());
        let seen = check(&log, &acknowledged, is_recycling);
        // A thread whose entries are all recycled goes on behind what it acknowledged.
        for (thread, start) in (0..).zip(&mut starts) {
            let told = acknowledged.keys().filter(|(other, _)| *other == thread).map(|(_, number)| number + 1);
            *start = told.max().unwrap_or(0).max(seen[thread as usize]).max(*start);
        }
    }
}

/// 200 kills: five modes, each with and without recycling, four logs of each, killed five times.
#[test]
fn every_acknowledged_append_survives_a_kill() {
    let jobs: Vec<_> = (0..5).flat_map(|mode| (0..8).map(move |log| (mode, log))).collect();
    assert_eq!(jobs.len() as u32 * KILLS_PER_LOG, 200);
    let jobs = Mutex::new(jobs.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let job = jobs.lock().unwrap().next();
                    let Some((mode, log)) = job else { return };
                    kill_repeatedly(mode, log % 2 == 1, mode as u64 * 100 + log);
                }
            });
        }
    });
}
