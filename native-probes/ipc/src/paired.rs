//! Checked round trips interleaved with raw ones in the same two processes: what checks, counters and interruptible
//! waits add to the system calls.

use crate::{Config, Session};
use bench_model::{Check, ModuleError, Outcome};
use probe_abi::{Host, Series};
use std::time::Instant;

/// A session whose operation is a pair of `batch` checked round trips and as many raw ones.
pub struct Paired {
    session: Session,
    batch: u64,
    checked: Kept,
    bare: Kept,
    pairs: u64,
}

/// Samples that are passed to the host when nothing is timed.
struct Kept {
    series: Option<Series>,
    samples: Vec<u64>,
}

/// Pairs after which samples are passed to the host.
const CHUNK: u64 = 1024;

impl Paired {
    /// The series of the raw round trips, with a sample for each sample of the checked ones.
    pub const BARE: &'static str = "bare_round_trips";

    /// Opens the session. Without a host, samples are discarded.
    pub fn open(config: Config, host: Option<Host>) -> Result<Self, ModuleError> {
        let kept = |metric| -> Result<Kept, ModuleError> {
            let series = host.map(|host| host.series(metric, &[])).transpose()?;
            Ok(Kept { series, samples: Vec::with_capacity(CHUNK as usize) })
        };
        let (checked, bare) = (kept(config.scenario.as_str())?, kept(Self::BARE)?);
        Ok(Self { session: Session::open(config)?, batch: config.batch, checked, bare, pairs: 0 })
    }

    /// The process id of the peer.
    pub fn peer_pid(&self) -> u32 {
        self.session.peer_pid()
    }

    fn checked(&mut self) -> Result<Outcome, ModuleError> {
        let start = Instant::now();
        let outcome = bench_model::Session::iterate(&mut self.session, self.batch)?;
        self.checked.samples.push(start.elapsed().as_nanos() as u64);
        Ok(outcome)
    }

    fn bare(&mut self) -> Result<(), ModuleError> {
        self.session.prepare_bare(self.batch)?;
        let start = Instant::now();
        self.session.bare(self.batch)?;
        self.bare.samples.push(start.elapsed().as_nanos() as u64);
        Ok(())
    }
}

impl bench_model::Session for Paired {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut total = bench_model::Session::iterate(&mut self.session, 0)?;
        for done in 0..times {
            // Alternates the order, so that neither kind always comes second.
            self.pairs += 1;
            let outcome = if self.pairs.is_multiple_of(2) {
                self.bare()?;
                self.checked()?
            } else {
                let outcome = self.checked()?;
                self.bare()?;
                outcome
            };
            total.bytes += outcome.bytes;
            if done % CHUNK == CHUNK - 1 || done == times - 1 {
                self.checked.flush();
                self.bare.flush();
            }
        }
        Ok(Outcome { operations: times, ..total })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        self.session.verify()
    }
}

impl Kept {
    fn flush(&mut self) {
        if let Some(series) = &self.series {
            series.append(&self.samples);
        }
        self.samples.clear();
    }
}
