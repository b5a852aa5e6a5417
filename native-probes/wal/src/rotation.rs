//! `segment-rotation`: the switch to the next segment, which is ready, and the time until the segment after it is
//! ready.

use crate::journal::entry;
use crate::options::{Options, failed, unread, with_log};
use bench_model::{Arguments, Check, MachineLimit, Metric, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use wal_load::self_timed::{Bench, Folder, Meter, Stopwatch};
use wal_load::{Payloads, ReadBack, scenario as shared};
use wal_log::{Config, Log};

const NAME: &str = "segment-rotation";

pub(crate) fn scenario() -> Scenario {
    let clock = "from the call that ends a segment until the first append to the next segment, which is ready, returns";
    let provision = "from then until another segment is ready, recycled or new; no append waits for it";
    with_log(
        shared::self_timed(NAME, Unit::Nanoseconds, clock, "one segment is ended and the next begun")
            .limit(MachineLimit::Syscall)
            .metric(Metric::new("provision", Unit::Nanoseconds, provision))
            .parameter(
                Parameter::new("segment_bytes", 16 << 20, "bytes of a segment")
                    .unit(Unit::Bytes)
                    .between(Config::SEGMENT_BYTES_MIN as i64, 1 << 30),
            ),
    )
}

struct Rotation {
    log: Log,
    payloads: Payloads,
    rotation: Meter,
    provision: Meter,
    _folder: Folder,
}

pub(crate) fn open(arguments: &Arguments, bench: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let mut options = Options::read(arguments)?;
    options.config.segment_bytes = arguments.size("segment_bytes")? as u64;
    Ok(Box::new(Rotation {
        log: options.open()?,
        payloads: Payloads::new(64, 1)?,
        rotation: Meter::open(bench, NAME, &[])?,
        provision: Meter::open(bench, "provision", &[])?,
        _folder: options.folder,
    }))
}

impl Session for Rotation {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            let payload = self.payloads.advance();
            let watch = Stopwatch::start();
            self.log.rotate().map_err(failed)?;
            self.log.append(entry(payload)).map_err(failed)?;
            self.rotation.record(watch.ns());
            let watch = Stopwatch::start();
            self.log.wait_until_idle().map_err(failed)?;
            self.provision.record(watch.ns());
        }
        self.rotation.flush();
        self.provision.flush();
        let bytes = times * self.payloads.bytes() as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.payloads.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let snapshot = self.log.snapshot();
        let kept = snapshot.next_sequence() - snapshot.first_sequence();
        let mut read_back = ReadBack::of_newest(self.payloads.count(), kept);
        for record in snapshot.iter(snapshot.first_sequence()).map_err(unread)? {
            read_back.take(&self.payloads, record.map_err(unread)?.payload);
        }
        let mut checks = read_back.checks(&self.payloads, kept);
        // Each append went to a segment of its own.
        let segments = snapshot.segment_count() as u64;
        checks.push(Check::that(
            "a-segment-each",
            segments == kept.max(1),
            format!("expected {kept} entries in as many segments, found {segments}"),
        ));
        Ok(checks)
    }
}
