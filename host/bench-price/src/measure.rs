//! Makes the components of an interface, checks them, and measures every call, in an order drawn from a seed.

use crate::call_path::{CallForm, CallPath, Direction};
use crate::callee::{Callee, Composed};
use crate::caller::Caller;
use crate::reason;
use crate::reference::{CoreCall, REFERENCES};
use crate::relay::Relay;
use crate::timing::{Calls, Effort, samples};
use bench_engine::placement;
use bench_wasm::Runtime;
use bench_wasm::wasmtime::{Error, Result};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use synthetic_component::Components;

/// What one process measured of one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The number of the function; `None` for the empty function of a core module.
    pub function: Option<usize>,
    /// How it is called.
    pub path: CallPath,
    /// The samples of each payload.
    pub payloads: Vec<PayloadTimes>,
    /// Why there are none.
    pub fault: Option<String>,
}

/// The samples of one payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PayloadTimes {
    /// The bytes of all strings and lists.
    pub bytes: u64,
    /// The calls of a sample.
    pub batch: u32,
    /// Nanoseconds a call, one number a sample.
    pub ns: Vec<f64>,
}

/// A call that is measured.
#[derive(Clone, Copy, Debug)]
struct Job {
    function: Option<usize>,
    path: CallPath,
}

/// Samples of each function with values that are drawn, to check what passes through a component.
const DRAWN: u64 = 8;

/// Measures every call of the components of the interface that is written in `wit`, on the fastest processor. What is wrong with one call
/// is its fault; an error is that nothing can be measured.
pub fn measure(runtime: &Runtime, wit: &str, effort: Effort, seed: u64) -> Result<Vec<Measured>, String> {
    // Where the process cannot be bound, figures only vary more.
    if let Some(cpu) = placement::fastest_cpus().last() {
        placement::bind(*cpu);
    }
    let components = Components::new(wit).map_err(|error| error.to_string())?;
    let mut relay = Relay::new(runtime, &components)?;
    let mut bench = Bench::new(runtime, &components).map_err(|error| reason(&error))?;
    let mut jobs = jobs(components.functions.len());
    jobs.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut passed: Vec<Result<(), String>> = Vec::with_capacity(components.functions.len());
    for number in 0..components.functions.len() {
        passed.push(relayed(&mut relay, &components, number));
    }
    let measured = |job: Job| {
        let passed = job.function.map_or(Ok(()), |number| passed[number].clone());
        let measured = passed.and_then(|()| bench.measure(job, &components, effort).map_err(|error| reason(&error)));
        let (function, path) = (job.function, job.path);
        match measured {
            Ok(payloads) => Measured { function, path, payloads, fault: None },
            Err(fault) => Measured { function, path, payloads: Vec::new(), fault: Some(fault) },
        }
    };
    Ok(jobs.into_iter().map(measured).collect())
}

/// Passes the constants of the function, and drawn values, through a component.
fn relayed(relay: &mut Relay, components: &Components, number: usize) -> Result<(), String> {
    components.functions[number].samples.iter().try_for_each(|sample| relay.check(number, sample))?;
    (0..DRAWN).try_for_each(|seed| relay.check(number, &components.drawn(number, seed)))
}

/// Every call: each function in each direction, and the references in further forms.
fn jobs(functions: usize) -> Vec<Job> {
    let core = CallPath { direction: Direction::HostToGuest, form: CallForm::Core };
    let mut jobs = vec![Job { function: None, path: core }];
    for number in 0..functions {
        let function = Some(number);
        jobs.extend(Direction::ALL.map(|direction| Job { function, path: direction.path() }));
        if number < REFERENCES {
            let typed = [Direction::HostToGuest, Direction::GuestToHost];
            jobs.extend(typed.map(|direction| Job { function, path: CallPath { direction, form: CallForm::Typed } }));
        }
    }
    jobs
}

/// Instances of all components.
struct Bench {
    core: CoreCall,
    callee: Callee,
    caller: Caller,
    typed_caller: Caller,
    composed: Composed,
}

impl Bench {
    fn new(runtime: &Runtime, components: &Components) -> Result<Self> {
        Ok(Self {
            core: CoreCall::new(runtime.engine())?,
            callee: Callee::new(runtime, components)?,
            caller: Caller::new(runtime, components, CallForm::Dynamic)?,
            typed_caller: Caller::new(runtime, components, CallForm::Typed)?,
            composed: Composed::new(runtime, components)?,
        })
    }

    fn measure(&mut self, job: Job, components: &Components, effort: Effort) -> Result<Vec<PayloadTimes>> {
        let bytes: Vec<u64> = match job.function {
            Some(number) => components.functions[number].samples.iter().map(|sample| sample.bytes).collect(),
            None => vec![0],
        };
        let mut calls = JobCalls { bench: self, job, payload: 0 };
        for payload in 0..bytes.len() {
            calls.select(payload)?;
            calls.check()?;
        }
        let found = samples(&mut calls, bytes.len(), effort)?;
        let times = bytes.into_iter().zip(found);
        Ok(times.map(|(bytes, samples)| PayloadTimes { bytes, batch: samples.batch, ns: samples.ns }).collect())
    }
}

/// The calls of one job.
struct JobCalls<'a> {
    bench: &'a mut Bench,
    job: Job,
    payload: usize,
}

impl Calls for JobCalls<'_> {
    fn select(&mut self, payload: usize) -> Result<()> {
        self.payload = payload;
        match self.job.path {
            CallPath { form: CallForm::Core, .. } => Ok(()),
            CallPath { direction: Direction::HostToGuest, .. } => self.bench.callee.select(payload),
            CallPath { direction: Direction::GuestToHost, form: CallForm::Typed } => {
                self.bench.typed_caller.select(payload)
            }
            CallPath { direction: Direction::GuestToHost, .. } => self.bench.caller.select(payload),
            CallPath { direction: Direction::GuestToGuest, .. } => self.bench.composed.select(payload),
        }
    }

    fn repeat(&mut self, times: u32) -> Result<()> {
        let Some(number) = self.job.function else { return self.bench.core.repeat(times) };
        let CallPath { direction, form } = self.job.path;
        match (direction, form) {
            (Direction::HostToGuest, form) => self.bench.callee.repeat(number, form, self.payload, times),
            (Direction::GuestToHost, CallForm::Typed) => self.bench.typed_caller.repeat(number, times),
            (Direction::GuestToHost, _) => self.bench.caller.repeat(number, times),
            (Direction::GuestToGuest, _) => self.bench.composed.repeat(number, times),
        }
    }
}

/// Calls of a composed component that are counted, to see that all arrive.
const COUNTED: u32 = 3;

impl JobCalls<'_> {
    /// Calls once or a few times, and checks what can be seen from outside: the result at the host, the arguments at the host, or that
    /// every call arrives at the other component.
    fn check(&mut self) -> Result<()> {
        let Some(number) = self.job.function else { return Ok(()) };
        let CallPath { direction, form } = self.job.path;
        let fault = match (direction, form) {
            (Direction::HostToGuest, CallForm::Dynamic) => {
                self.repeat(1)?;
                let is_right = self.bench.callee.is_right(number, self.payload);
                (!is_right).then_some("the component returned another result than the constant in it")
            }
            (Direction::HostToGuest, _) => None,
            (Direction::GuestToHost, form) => {
                let typed = form == CallForm::Typed;
                let caller = if typed { &mut self.bench.typed_caller } else { &mut self.bench.caller };
                (!caller.is_right(number)?)
                    .then_some("the host got other arguments than the constants in the component")
            }
            (Direction::GuestToGuest, _) => {
                let before = self.bench.composed.calls()?;
                self.repeat(COUNTED)?;
                let arrived = self.bench.composed.calls()? - before;
                (arrived != u64::from(COUNTED)).then_some("not every call arrived at the other component")
            }
        };
        fault.map_or(Ok(()), |fault| Err(Error::msg(fault)))
    }
}
