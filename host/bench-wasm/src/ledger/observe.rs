//! Calls a scenario observed and unobserved, interleaved, and the reference interleaved with both.

use super::observer::{Observer, Seen};
use super::placed::anywhere;
use super::reference::{Measurement, ns_per_tick};
use super::sample::{Call, middle_half};
use crate::{Component, ComponentSession};
use bench_drivers::LedgerTask;
use bench_model::{ModuleError, Outcome};
use quanta::Clock;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use std::time::{Duration, Instant};

/// Number of pairs of sessions, one after another, because the addresses of a session's memory influence its speed.
const PAIRS: u32 = 4;
/// The share of a pair's time that is warm-up.
const WARM_UP: f64 = 0.1;
/// How long the scenario and the reference are called in alternation, so that disturbances of the machine affect both.
const STRETCH: Duration = Duration::from_millis(5);
const REFERENCE_STRETCH: Duration = Duration::from_millis(2);
/// Maximum number of calls of one side that are kept, over all pairs.
const CALLS_MAX: usize = 1 << 16;

/// The observations: means of calls, in nanoseconds.
pub(crate) struct Observation {
    pub(crate) plain: Call,
    pub(crate) observed: Call,
    /// The number of operations in the observed calls.
    pub(crate) operations: u64,
    /// The first call into each instance, in nanoseconds.
    pub(crate) first_calls: Vec<f64>,
    /// Whether each operation has an instance of its own.
    pub(crate) has_own_instances: bool,
}

/// Calls the scenario for the time in `task`, and at least once observed and once unobserved, and measures the reference in
/// alternation. `None` if the sessions have no store that can be observed.
pub(crate) fn observe(
    component: &Component,
    task: &LedgerTask<'_>,
    clock: &Clock,
    reference: &mut Measurement,
) -> Result<Option<Observation>, ModuleError> {
    let mut random = ChaCha8Rng::seed_from_u64(task.seed);
    let mut calls = [Vec::new(), Vec::new()];
    let mut first_calls = Vec::new();
    let mut has_own_instances = false;
    let started = Instant::now();
    for pair in 1..=PAIRS {
        let until = started + Duration::from_nanos(task.time_ns) * pair / PAIRS;
        let left = || until.saturating_duration_since(Instant::now());
        if pair > 1 && left().is_zero() {
            break;
        }
        let Some(mut sides) = Sides::open(component, task, clock)? else { return Ok(None) };
        first_calls.extend(sides.first_calls);
        has_own_instances = sides.has_own_instances;
        sides.stretch(&mut random, left().mul_f64(WARM_UP), |_| {})?;
        let calls_max = CALLS_MAX * pair as usize / PAIRS as usize;
        loop {
            let mut keep = |turn: [Call; 2]| {
                if calls[0].len() < calls_max {
                    calls.iter_mut().zip(turn).for_each(|(calls, call)| calls.push(call));
                }
            };
            anywhere(&mut random, |random| {
                sides.stretch(random, left().min(STRETCH), &mut keep)?;
                reference.stretch(random, REFERENCE_STRETCH)
            })?;
            if left().is_zero() {
                break;
            }
        }
        sides.verify()?;
    }
    let operations = calls[1].len() as u64 * task.batch;
    let ns = ns_per_tick(clock);
    let [plain, observed] = calls.map(|mut calls| middle_half(&mut calls).unwrap_or_default().in_unit(ns));
    Ok(Some(Observation { plain, observed, operations, first_calls, has_own_instances }))
}

/// Two sessions of the scenario; the second is observed.
struct Sides<'a> {
    task: &'a LedgerTask<'a>,
    clock: &'a Clock,
    sessions: [Box<dyn ComponentSession>; 2],
    order: [usize; 2],
    first_calls: [f64; 2],
    has_own_instances: bool,
    /// The digest of an operation's result, which must be the same in all calls of both.
    checksum: Option<u64>,
}

impl<'a> Sides<'a> {
    fn open(component: &Component, task: &'a LedgerTask<'a>, clock: &'a Clock) -> Result<Option<Self>, ModuleError> {
        let (plain, first) = component.open_timed(task)?;
        let (mut observed, second) = component.open_timed(task)?;
        let (order, first_calls, checksum) = ([0, 1], [first, second], None);
        let has_own_instances = observed.store().is_none();
        if let Some(store) = observed.store() {
            Observer::attach(store, clock);
        } else {
            let is_slow = first.max(second) > task.time_ns as f64;
            let Some(observer) = observed.observer().filter(|_| !is_slow) else { return Ok(None) };
            observer.begin(clock);
        }
        let sessions = [plain, observed];
        Ok(Some(Self { task, clock, sessions, order, first_calls, has_own_instances, checksum }))
    }

    /// Alternates until `time` has passed, at least once.
    fn stretch(
        &mut self,
        random: &mut ChaCha8Rng,
        time: Duration,
        mut keep: impl FnMut([Call; 2]),
    ) -> Result<(), ModuleError> {
        let started = Instant::now();
        loop {
            self.order.shuffle(random);
            let mut turn = [Call::default(); 2];
            for side in self.order {
                turn[side] = self.call(side)?;
            }
            keep(turn);
            if started.elapsed() >= time {
                return Ok(());
            }
        }
    }

    fn call(&mut self, side: usize) -> Result<Call, ModuleError> {
        let session = self.sessions[side].as_mut();
        // What was seen while nothing was timed.
        take(session);
        let start = self.clock.raw();
        let outcome = session.iterate(self.task.batch)?;
        let end = self.clock.raw();
        let seen = take(session);
        self.look_at(&outcome)?;
        match seen {
            None => Ok(Call::plain(start, end)),
            Some(seen) => Call::observed(start, end, &seen).ok_or_else(|| {
                ModuleError::Other("a call of `iterate` entered the component too often to be observed".to_owned())
            }),
        }
    }

    /// A wrong result is an error.
    fn look_at(&mut self, outcome: &Outcome) -> Result<(), ModuleError> {
        let (asked, done) = (self.task.batch, outcome.operations);
        if done != asked {
            return Err(ModuleError::Other(format!("iterate({asked}) reported {done} operations")));
        }
        let (first, now) = (*self.checksum.get_or_insert(outcome.checksum), outcome.checksum);
        if asked > 0 && first != now {
            let reason = format!("the checksum changed from {first:016x} to {now:016x} between two calls");
            return Err(ModuleError::Other(reason));
        }
        Ok(())
    }

    fn verify(&mut self) -> Result<(), ModuleError> {
        for session in &mut self.sessions {
            if let Some(check) = session.verify()?.into_iter().find(|check| !check.passed) {
                return Err(ModuleError::Other(format!("check `{}` failed: {}", check.name, check.detail)));
            }
        }
        Ok(())
    }
}

/// Takes what was seen of a session since the last call; `None` if it is not observed.
fn take(session: &mut dyn ComponentSession) -> Option<Seen> {
    match session.store() {
        Some(store) => store.data_mut().observer.as_mut().map(Observer::take),
        None => session.observer()?.take(),
    }
}
