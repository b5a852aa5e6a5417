//! A session: two threads on two processors, and the batches of a queue interleaved with those of a ring.

use crate::message::Tally;
use crate::side::Side;
use crate::worker::Worker;
use crate::{Config, QueueKind, Task};
use bench_model::{Check, ModuleError, Outcome};
use probe_abi::{Host, Series};
use ring_peer::{Cpus, Pinned, Placement};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Two threads and two kinds of queues. The thread is pinned until this is dropped, which must happen on the same thread.
pub struct Session {
    config: Config,
    cpus: Cpus,
    /// The queue, and the ring.
    lanes: [Lane; 2],
    worker: Worker,
    pairs: u64,
    _pinned: Pinned,
}

/// One kind of queue: this thread's side, what the other side has counted, and the samples.
struct Lane {
    near: Box<dyn Side>,
    far: Tally,
    series: Option<Series>,
    /// Samples that are passed to the host when nothing is timed.
    samples: Vec<u64>,
}

/// Pairs after which samples are passed to the host.
const CHUNK: u64 = 1024;

impl Session {
    /// The series of the ring, with a sample for each sample of the queue.
    pub const RING: &'static str = "shm_ring";

    /// Pins this thread, and starts and pins the other. Without a host, samples are discarded.
    pub fn open(config: Config, host: Option<Host>) -> Result<Self, ModuleError> {
        let cpus = Cpus::choose(Placement::Cross)?;
        let gone = Arc::new(AtomicBool::new(false));
        let lane = |kind: QueueKind, metric: &str| -> Result<_, ModuleError> {
            let (near, far) = kind.open(config.payload_bytes, &gone)?;
            let series = host.map(|host| host.series(metric, &[])).transpose()?;
            Ok((Lane { near, far: Tally::default(), series, samples: Vec::with_capacity(CHUNK as usize) }, far))
        };
        let (queue, far_queue) = lane(config.queue, config.task.as_str())?;
        let (ring, far_ring) = lane(config.ring, Self::RING)?;
        let pinned = Pinned::to(cpus.own)?;
        let worker = Worker::start(config.task, cpus.peer, [far_queue, far_ring], gone)
            .map_err(|error| ModuleError::Other(format!("cannot start a thread: {error}")))?;
        Ok(Self { config, cpus, lanes: [queue, ring], worker, pairs: 0, _pinned: pinned })
    }

    /// Measures one batch of `lane`.
    fn sample(&mut self, lane: usize) -> Result<(), ModuleError> {
        let (batch, task) = (self.config.batch, self.config.task);
        let lost = || ModuleError::Other("the other thread has ended".to_owned());
        if !self.worker.begin(lane, batch) {
            return Err(lost());
        }
        let own = &mut self.lanes[lane];
        let start = Instant::now();
        let done = match task {
            Task::ThereAndBack => own.near.ask(batch),
            Task::OneWay => own.near.send(batch) && self.worker.finish(),
        };
        let elapsed = start.elapsed();
        own.far = self.worker.tally().filter(|_| done).ok_or_else(lost)?;
        own.samples.push(elapsed.as_nanos() as u64);
        Ok(())
    }

    fn flush(&mut self) {
        for lane in &mut self.lanes {
            if let Some(series) = &lane.series {
                series.append(&lane.samples);
            }
            lane.samples.clear();
        }
    }
}

impl bench_model::Session for Session {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for done in 0..times {
            // Alternates the order, so that neither kind always comes second.
            self.pairs += 1;
            let first = (self.pairs % 2) as usize;
            self.sample(first)?;
            self.sample(1 - first)?;
            if done % CHUNK == CHUNK - 1 || done == times - 1 {
                self.flush();
            }
        }
        let ways = if self.config.task == Task::ThereAndBack { 2 } else { 1 };
        let bytes = times * self.config.batch * ways * self.config.payload_bytes as u64;
        // Equal for equal arguments: no message was wrong.
        let wrong: u64 = self.lanes.iter().map(|lane| lane.near.tally().wrong + lane.far.wrong).sum();
        Ok(Outcome { operations: times, bytes, checksum: self.config.payload_bytes as u64 + wrong })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let mut checks = vec![Check::equal("placement", &self.cpus.own, &rustix::thread::sched_getcpu())];
        for (name, lane) in ["queue", "ring"].into_iter().zip(&self.lanes) {
            let (near, far) = (lane.near.tally(), lane.far);
            checks.push(Check::equal(format!("{name}-nothing-lost"), &near.sent, &far.received));
            let answers = if self.config.task == Task::ThereAndBack { near.sent } else { 0 };
            checks.push(Check::equal(format!("{name}-every-message-answered"), &answers, &near.received));
            checks.push(Check::equal(format!("{name}-content-and-order"), &0, &(near.wrong + far.wrong)));
        }
        Ok(checks)
    }
}
