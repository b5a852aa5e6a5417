//! `stress`: threads that append, read, iterate over ranges and commit transactions in an open loop. Sweep `rate` to
//! see how the response time grows with the load.

use crate::journal::entry;
use crate::options::{Options, failed, footprint, unread, with_log};
use crate::threads::share_out;
use bench_model::{Arguments, Check, MachineLimit, Metric, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::time::Instant;
use wal_load::self_timed::{ArrivalRate, Bench, Folder, Meter, Schedule};
use wal_load::{pattern, scenario as shared};
use wal_log::{Log, ReadError};

const NAME: &str = "stress";

/// The operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Append,
    Read,
    Range,
    Transaction,
}

const OPERATIONS: [(&str, Operation, u32); 4] = [
    ("append", Operation::Append, 12),
    ("read", Operation::Read, 5),
    ("range", Operation::Range, 1),
    ("transaction", Operation::Transaction, 2),
];
const SHARES: u32 = 20;

/// Entries of one range and of one transaction.
const TOGETHER: u64 = 10;

/// Reads choose among the newest entries, at most so many.
const NEWEST_MAX: u64 = 100_000;

pub(crate) fn scenario() -> Scenario {
    let clock = "from when an operation was due to its return";
    let service = "from the call of an operation to its return";
    let mix = "one of 12 appends, 5 reads, 1 range of 10 and 2 transactions of 10, in random order, in an open loop";
    let scenario = shared::self_timed(NAME, Unit::Nanoseconds, clock, mix)
        .limit(MachineLimit::Clock)
        .metric(Metric::new("service", Unit::Nanoseconds, service).label("operation"))
        .parameter(shared::payload_bytes());
    with_log(scenario)
        .parameter(
            Parameter::new("rate", 100_000, "open-loop arrival rate in operations per second, over all threads")
                .sweep([10_000, 100_000])
                .between(1, 100_000_000),
        )
        .parameter(Parameter::new("threads", 2, "threads that run operations").between(1, 64))
}

struct Stress {
    log: Log,
    payload: Vec<u8>,
    threads: Vec<Worker>,
    /// Bytes of the payloads that this call of `iterate` appended and read.
    bytes: u64,
    appended: u64,
    wrong: u64,
    response: Meter,
    services: [Meter; OPERATIONS.len()],
    _folder: Folder,
}

/// The schedule and the random numbers of one thread.
struct Worker {
    schedule: Schedule,
    random: ChaCha8Rng,
    /// Reads choose among so many of the newest entries.
    newest: u64,
}

/// The results of one thread in one round.
#[derive(Default)]
struct Done {
    /// Response time, service time and kind of each operation.
    samples: Vec<(u64, u64, u8)>,
    appended: u64,
    /// Entries appended and read.
    entries: u64,
    wrong: u64,
}

pub(crate) fn open(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let options = Options::read(arguments)?;
    let threads = shared::count(arguments, "threads")?;
    let ArrivalRate::Open { rate } = ArrivalRate::parse(arguments.integer("rate")?)? else {
        return Err(ModuleError::InvalidArgument("`rate` is 0; give operations per second".to_owned()));
    };
    let payload = pattern(1, shared::count(arguments, "payload_bytes")?);
    let log = options.open()?;
    // Half a segment: the log keeps a whole one behind the one that it writes to, so that what is chosen is not recycled before it is
    // read.
    let newest = options.config.segment_bytes / 2 / footprint(payload.len()) as u64;
    let newest = newest.clamp(TOGETHER, NEWEST_MAX);
    // Gives the first reads something to find.
    for _ in 0..TOGETHER * 2 {
        log.append(entry(&payload)).map_err(failed)?;
    }
    let worker = |index: u64| Worker {
        schedule: Schedule::new(rate / threads as f64),
        random: ChaCha8Rng::seed_from_u64(index),
        newest,
    };
    let mut services = Vec::new();
    for (name, ..) in OPERATIONS {
        services.push(Meter::open(bench, "service", &[("operation", name)])?);
    }
    let services = services.try_into().map_err(|_| ModuleError::Other("one series per operation".to_owned()))?;
    Ok(Box::new(Stress {
        log,
        payload,
        threads: (0..threads as u64).map(worker).collect(),
        bytes: 0,
        appended: TOGETHER * 2,
        wrong: 0,
        response: Meter::open(bench, NAME, &[])?,
        services,
        _folder: options.folder,
    }))
}

impl Worker {
    fn draw(&mut self) -> usize {
        let mut share = self.random.random_range(0..SHARES);
        let is_it = |(_, _, shares): &(&str, Operation, u32)| {
            let it = share < *shares;
            share = share.saturating_sub(*shares);
            it
        };
        OPERATIONS.iter().position(is_it).unwrap_or(0)
    }

    fn run(&mut self, log: &Log, payload: &[u8], times: u64) -> Result<Done, ModuleError> {
        let mut done = Done { samples: vec![(1, 1, 0); times as usize], ..Done::default() };
        self.schedule.begin();
        for index in 0..times as usize {
            let kind = self.draw();
            let intended = self.schedule.wait();
            let start = Instant::now();
            self.operate(OPERATIONS[kind].1, log, payload, &mut done)?;
            let end = Instant::now();
            let ns = |from: Instant| (end - from).as_nanos() as u64;
            done.samples[index] = (ns(intended), ns(start), kind as u8);
        }
        self.schedule.end();
        Ok(done)
    }

    fn operate(&mut self, operation: Operation, log: &Log, payload: &[u8], done: &mut Done) -> Result<(), ModuleError> {
        match operation {
            Operation::Append => {
                log.append(entry(payload)).map_err(failed)?;
                done.appended += 1;
                done.entries += 1;
            }
            Operation::Transaction => {
                let mut transaction = log.transaction();
                (0..TOGETHER).for_each(|_| transaction.append(entry(payload)));
                transaction.commit().map_err(failed)?;
                done.appended += TOGETHER;
                done.entries += TOGETHER;
            }
            Operation::Read => {
                let held = self.read_recent(log, 1, |sequence| log.read(sequence))?;
                done.wrong += u64::from(held.record().payload != payload);
                done.entries += 1;
            }
            Operation::Range => {
                let right = self.read_recent(log, TOGETHER, |from| {
                    let snapshot = log.snapshot();
                    let records = snapshot.range(from..from + TOGETHER)?;
                    Ok(records.flatten().filter(|record| record.payload == payload).count() as u64)
                })?;
                done.wrong += TOGETHER - right;
                done.entries += TOGETHER;
            }
        }
        Ok(())
    }

    /// Reads at a recent sequence; again at another one where the entry was recycled between the choice and the read, which takes a
    /// thread that was stopped meanwhile. An operation that read nothing would be a fast one.
    fn read_recent<R>(
        &mut self,
        log: &Log,
        count: u64,
        mut read: impl FnMut(u64) -> Result<R, ReadError>,
    ) -> Result<R, ModuleError> {
        loop {
            match read(self.recent(log, count)) {
                Err(ReadError::Recycled { .. }) => {}
                read => return read.map_err(unread),
            }
        }
    }

    /// A random sequence number among the newest, followed by at least `count` entries.
    fn recent(&mut self, log: &Log, count: u64) -> u64 {
        let next = log.next_sequence() - count;
        self.random.random_range(next.saturating_sub(self.newest)..=next)
    }
}

/// Operations of all threads after which samples go to the host.
const CHUNK: u64 = 1 << 20;

impl Stress {
    fn round(&mut self, times: u64) -> Result<(), ModuleError> {
        let (log, payload) = (&self.log, self.payload.as_slice());
        let done = share_out(&mut self.threads, times, |_, worker, share| worker.run(log, payload, share))?;
        for done in done {
            self.appended += done.appended;
            self.bytes += done.entries * payload.len() as u64;
            self.wrong += done.wrong;
            for (response, service, kind) in done.samples {
                self.response.record(response);
                self.services[usize::from(kind)].record(service);
            }
        }
        self.response.flush();
        self.services.iter_mut().for_each(Meter::flush);
        Ok(())
    }
}

impl Session for Stress {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        self.bytes = 0;
        let mut left = times;
        while left > 0 {
            let chunk = left.min(CHUNK);
            self.round(chunk)?;
            left -= chunk;
        }
        let checksum = u64::from(crc32c::crc32c(&self.payload));
        Ok(Outcome { operations: times, bytes: self.bytes, checksum })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let mut checks = vec![
            Check::equal("appended-once-each", &self.appended, &self.log.next_sequence()),
            Check::equal("read-what-was-written", &0, &self.wrong),
        ];
        let rates: Vec<_> = self.threads.iter_mut().map(|worker| worker.schedule.check()).collect();
        let worst = rates.iter().find(|check| !check.passed).or(rates.first());
        checks.extend(worst.cloned());
        Ok(checks)
    }
}
