//! Makes the components of an interface, checks them, and measures every call, in an order drawn from a seed.

use crate::call_path::{CallForm, CallPath, Direction};
use crate::callee::{Callee, Composed};
use crate::caller::Caller;
use crate::reason;
use crate::reference::{CoreCall, REFERENCES};
use crate::relay::Relay;
use crate::timing::{BATCH_MAX, Calls, Effort, samples};
use bench_engine::placement;
use bench_wasm::Runtime;
use bench_wasm::wasmtime::{Error, Result};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use synthetic_component::{Components, STOCK_HANDLES};

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
    /// Its number in the interface of all functions that are async, or of all that are not.
    function: Option<usize>,
    path: CallPath,
}

/// Samples of each function with values that are drawn, to check what passes through a component.
const DRAWN: u64 = 8;

/// Measures every call of the components of the interfaces that are written in `wit` and in `awaited`, as [`Api`](crate::Api) has them, on
/// the fastest processor. What is wrong with one call is its fault; an error is that nothing can be measured.
pub fn measure(
    runtime: &Runtime,
    wit: &str,
    awaited: Option<&str>,
    effort: Effort,
    seed: u64,
) -> Result<Vec<Measured>, String> {
    // Where the process cannot be bound, figures only vary more.
    if let Some(cpu) = placement::fastest_cpus().last() {
        placement::bind(*cpu);
    }
    let made = |wit: &str| Components::new(wit).map_err(|error| error.to_string());
    let (components, awaited) = (made(wit)?, awaited.map(made).transpose()?);
    let mut relay = Relay::new(runtime, &components)?;
    let mut bench = Bench::new(runtime, &components, awaited.as_ref()).map_err(|error| reason(&error))?;
    let functions = components.functions.len();
    let mut jobs = jobs(functions, awaited.as_ref().map_or(0, |awaited| awaited.functions.len()));
    jobs.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut passed: Vec<Result<(), String>> = Vec::with_capacity(functions);
    for number in 0..functions {
        passed.push(relayed(&mut relay, &components, number));
    }
    let measured = |job: Job| {
        let is_awaited = job.path.form == CallForm::Awaited;
        let of = awaited.as_ref().filter(|_| is_awaited).unwrap_or(&components);
        let passed = job.function.filter(|_| !is_awaited).map_or(Ok(()), |number| passed[number].clone());
        let measured = passed.and_then(|()| bench.measure(job, of, effort).map_err(|error| reason(&error)));
        let path = job.path;
        // Entries of async functions are behind the others.
        let function = job.function.map(|number| if is_awaited { functions + number } else { number });
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

/// The directions in which async functions are called.
const AWAITED: [Direction; 2] = [Direction::HostToGuest, Direction::GuestToHost];

/// Every call: each function in each direction, the references in further forms, and each async function.
fn jobs(functions: usize, awaited: usize) -> Vec<Job> {
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
    for number in 0..awaited {
        let path = |direction| CallPath { direction, form: CallForm::Awaited };
        jobs.extend(AWAITED.map(|direction| Job { function: Some(number), path: path(direction) }));
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
    /// Those of async functions, on an engine of their own; or why there are none.
    awaited: Result<(Callee, Caller), String>,
}

impl Bench {
    fn new(runtime: &Runtime, components: &Components, awaited: Option<&Components>) -> Result<Self> {
        let awaited = awaited.ok_or_else(|| "there is no async function".to_owned());
        Ok(Self {
            core: CoreCall::new(runtime.engine())?,
            callee: Callee::new(runtime, components)?,
            caller: Caller::new(runtime, components, CallForm::Dynamic)?,
            typed_caller: Caller::new(runtime, components, CallForm::Typed)?,
            composed: Composed::new(runtime, components)?,
            awaited: awaited.and_then(|awaited| Self::awaited(runtime, awaited)),
        })
    }

    fn awaited(runtime: &Runtime, components: &Components) -> Result<(Callee, Caller), String> {
        let runtime = runtime.concurrent().map_err(|error| error.to_string())?;
        let made = Callee::new(&runtime, components)
            .and_then(|callee| Ok((callee, Caller::new(&runtime, components, CallForm::Awaited)?)));
        made.map_err(|error| reason(&error))
    }

    fn measure(&mut self, job: Job, components: &Components, effort: Effort) -> Result<Vec<PayloadTimes>> {
        let (bytes, given): (Vec<u64>, Vec<u32>) = match job.function {
            Some(number) => {
                components.functions[number].samples.iter().map(|sample| (sample.bytes, sample.given)).unzip()
            }
            None => (vec![0], vec![0]),
        };
        let mut calls = JobCalls { bench: self, job, payload: 0, given };
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
    /// The handles that a call with each payload gives away.
    given: Vec<u32>,
}

/// Who makes the calls of a job, or takes them.
enum Side<'a> {
    Core(&'a mut CoreCall),
    Callee(&'a mut Callee),
    Caller(&'a mut Caller),
    Composed(&'a mut Composed),
}

impl JobCalls<'_> {
    fn side(&mut self) -> Result<Side<'_>> {
        let bench = &mut *self.bench;
        let CallPath { direction, form } = self.job.path;
        Ok(match (direction, form) {
            (_, CallForm::Core) => Side::Core(&mut bench.core),
            (direction, CallForm::Awaited) => {
                let (callee, caller) = bench.awaited.as_mut().map_err(|reason| Error::msg(reason.clone()))?;
                if direction == Direction::HostToGuest { Side::Callee(callee) } else { Side::Caller(caller) }
            }
            (Direction::HostToGuest, _) => Side::Callee(&mut bench.callee),
            (Direction::GuestToHost, CallForm::Typed) => Side::Caller(&mut bench.typed_caller),
            (Direction::GuestToHost, _) => Side::Caller(&mut bench.caller),
            (Direction::GuestToGuest, _) => Side::Composed(&mut bench.composed),
        })
    }
}

impl Calls for JobCalls<'_> {
    fn select(&mut self, payload: usize) -> Result<()> {
        self.payload = payload;
        match self.side()? {
            Side::Core(_) => Ok(()),
            Side::Callee(callee) => callee.select(payload),
            Side::Caller(caller) => caller.select(payload),
            Side::Composed(composed) => composed.select(payload),
        }
    }

    fn prepare(&mut self, times: u32) -> Result<()> {
        let (payload, number) = (self.payload, self.job.function.unwrap_or_default());
        if self.given[payload] == 0 {
            return Ok(());
        }
        match self.side()? {
            Side::Core(_) => Ok(()),
            Side::Callee(callee) => callee.prepare(number, payload, times),
            Side::Caller(caller) => caller.prepare(number, times),
            Side::Composed(composed) => composed.prepare(number, times),
        }
    }

    fn repeat(&mut self, times: u32) -> Result<()> {
        let (payload, number, form) = (self.payload, self.job.function.unwrap_or_default(), self.job.path.form);
        match self.side()? {
            Side::Core(core) => core.repeat(times),
            Side::Callee(callee) => callee.repeat(number, form, payload, times),
            Side::Caller(caller) => caller.repeat(number, times),
            Side::Composed(composed) => composed.repeat(number, times),
        }
    }

    fn batch_max(&self) -> u32 {
        match self.given[self.payload] {
            0 => BATCH_MAX,
            given => (STOCK_HANDLES / given).max(1),
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
        let payload = self.payload;
        self.prepare(if direction == Direction::GuestToGuest { COUNTED } else { 1 })?;
        let fault = match self.side()? {
            Side::Callee(callee) if form != CallForm::Typed => {
                callee.repeat(number, form, payload, 1)?;
                (!callee.is_right(number, payload))
                    .then_some("the component returned another result than the constant in it")
            }
            Side::Core(_) | Side::Callee(_) => None,
            Side::Caller(caller) => (!caller.is_right(number)?)
                .then_some("the host got other arguments than the constants in the component"),
            Side::Composed(composed) => {
                let before = composed.calls()?;
                composed.repeat(number, COUNTED)?;
                let arrived = composed.calls()? - before;
                (arrived != u64::from(COUNTED)).then_some("not every call arrived at the other component")
            }
        };
        fault.map_or(Ok(()), |fault| Err(Error::msg(fault)))
    }
}
