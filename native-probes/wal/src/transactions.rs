//! `transaction`: entries that are committed atomically.

use crate::journal::entry;
use crate::options::{Options, failed, unread, with_log};
use bench_model::{Arguments, Check, MachineLimit, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use wal_load::self_timed::{Bench, Folder, Meter, Stopwatch};
use wal_load::{Payloads, ReadBack, scenario as shared};
use wal_log::Log;

const NAME: &str = "transaction";

pub(crate) fn scenario() -> Scenario {
    let clock = "from the call that begins a transaction, with its appends, until the commit returns";
    let scenario = shared::self_timed(NAME, Unit::Nanoseconds, clock, "one transaction begun, filled and committed");
    with_log(scenario.limit(MachineLimit::Clock).parameter(shared::payload_bytes()))
        .parameter(Parameter::new("entries", 10, "entries of one transaction").between(1, 10_000))
}

struct Transactions {
    log: Log,
    payloads: Payloads,
    entries: usize,
    meter: Meter,
    _folder: Folder,
}

/// Payloads that are read back in a verification.
const READ_BACK_MAX: u64 = 10_000;

/// Transactions after which samples go to the host.
const CHUNK: u64 = 1 << 16;

pub(crate) fn open(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let options = Options::read(arguments)?;
    let entries = shared::count(arguments, "entries")?;
    let payloads = Payloads::new(shared::count(arguments, "payload_bytes")?, entries)?;
    let meter = Meter::open(bench, NAME, &[])?;
    Ok(Box::new(Transactions { log: options.open()?, payloads, entries, meter, _folder: options.folder }))
}

impl Transactions {
    fn one(&mut self) -> Result<(), ModuleError> {
        let payloads = self.payloads.advance_batch(self.entries);
        let watch = Stopwatch::start();
        let mut transaction = self.log.transaction();
        payloads.iter().for_each(|payload| transaction.append(entry(payload)));
        let committed = transaction.commit();
        self.meter.record(watch.ns());
        let committed = committed.map_err(failed)?;
        if committed.end - committed.start == self.entries as u64 {
            Ok(())
        } else {
            Err(ModuleError::Other(format!("committed {committed:?} instead of {} entries", self.entries)))
        }
    }
}

impl Session for Transactions {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            let chunk = left.min(CHUNK);
            self.meter.prepare(chunk as usize);
            for _ in 0..chunk {
                self.one()?;
            }
            self.meter.flush();
            left -= chunk;
        }
        // A transaction that is dropped before its commit must leave nothing.
        let mut dropped = self.log.transaction();
        dropped.append(entry(b"never committed"));
        drop(dropped);
        let bytes = times * (self.entries * self.payloads.bytes()) as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.payloads.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let snapshot = self.log.snapshot();
        let kept = snapshot.next_sequence() - snapshot.first_sequence();
        let wanted = kept.min(READ_BACK_MAX).min((64 << 20) / self.payloads.bytes() as u64);
        let mut read_back = ReadBack::of_newest(self.payloads.count(), wanted);
        for record in snapshot.iter(snapshot.next_sequence() - wanted).map_err(unread)? {
            read_back.take(&self.payloads, record.map_err(unread)?.payload);
        }
        let mut checks = read_back.checks(&self.payloads, wanted);
        checks.push(Check::equal("entries-of-commits-alone", &self.payloads.count(), &snapshot.next_sequence()));
        Ok(checks)
    }
}
