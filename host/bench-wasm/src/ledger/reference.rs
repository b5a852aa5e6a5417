//! Measures the cost of the boundary itself, in this process, on a component whose functions only cross it. Observed and unobserved
//! calls of it give the cost of observing.

use super::observer::{Observer, Seen};
use super::sample::{Call, Part, middle_half};
use crate::error::one_line;
use crate::state::{self, State};
use crate::{Runtime, encoded};
use bench_drivers::Grants;
use bench_model::ModuleError;
use quanta::Clock;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use wasmtime::component::{Component, Linker, TypedFunc};
use wasmtime::{Result, Store, StoreContextMut};

/// Sizes of the lists that the identity function is measured with, in bytes.
const LISTS: [usize; 4] = [0, 1 << 10, 8 << 10, 64 << 10];
/// Their contents.
static LIST: [u8; 64 << 10] = [0x5a; 64 << 10];

/// Crossings per call, so that the rest of the call is negligible.
const CROSSINGS: u32 = 100;

/// Untimed calls before a very short sample, so that it finds the caches as an earlier call of its kind leaves them.
const WARM_UPS: usize = 3;

/// Turns that are kept.
const TURNS_MAX: usize = 1 << 14;

/// The costs of one call, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    /// A reading of the clock.
    pub(crate) clock: f64,
    /// The call of an empty export.
    pub(crate) empty: f64,
    /// The same while it is observed, with what that costs.
    pub(crate) empty_observed: Call,
    /// The call of an empty import.
    pub(crate) crossing: f64,
    /// The same while it is observed, with what that costs, as of a capability's function.
    pub(crate) stamped: Call,
    /// The same, as of any other function.
    pub(crate) unstamped: Call,
    pub(crate) event: EventCost,
    /// Bytes of a list, and what it costs to hand it into the component and out again, beyond an empty call.
    pub(crate) lists: Vec<(usize, f64, f64)>,
}

/// The cost of observing one event, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct EventCost {
    /// The component is entered or left.
    pub(crate) entry: f64,
    /// The host is entered or left.
    pub(crate) host: f64,
    /// The function of a capability begins or ends.
    pub(crate) body: f64,
    /// The component is entered or left within a call of the host that hands over a list, of which no time is taken.
    pub(crate) nested: f64,
}

/// The calls that are measured interleaved.
#[derive(Clone, Copy)]
struct Arm {
    what: What,
    observed: bool,
}

#[derive(Clone, Copy)]
enum What {
    Clock,
    Empty,
    Stamped,
    Unstamped,
    Echo,
    Identity(usize),
}

const fn plain(what: What) -> Arm {
    Arm { what, observed: false }
}

const fn observed(what: What) -> Arm {
    Arm { what, observed: true }
}

const ARMS: [Arm; 8 + LISTS.len()] = [
    plain(What::Clock),
    plain(What::Empty),
    observed(What::Empty),
    plain(What::Stamped),
    observed(What::Stamped),
    observed(What::Unstamped),
    plain(What::Echo),
    observed(What::Echo),
    observed(What::Identity(LISTS[0])),
    observed(What::Identity(LISTS[1])),
    observed(What::Identity(LISTS[2])),
    observed(What::Identity(LISTS[3])),
];

impl Reference {
    /// Computes the costs from the means of the arms.
    fn of(means: [Call; ARMS.len()]) -> Self {
        let [clock, empty, empty_observed, crossing, stamped, unstamped, echo, echo_observed, lists @ ..] = means;
        let total = |call: Call| call[Part::Total];
        let times = f64::from(CROSSINGS);
        let entry = (total(empty_observed) - total(empty)) / 2.0;
        let observing = |observed: Call, plain: Call| (total(observed) - total(plain) - 2.0 * entry) / times;
        let host = observing(unstamped, crossing) / 2.0;
        let body = observing(stamped, crossing) / 2.0 - host;
        let nested = observing(echo_observed, echo) / 2.0 - host - body;
        let one = |calls: Call| {
            let parts = [Part::Guest, Part::Lift, Part::Body, Part::Lower, Part::Whole].into_iter();
            parts.fold(Call::default(), |one, part| one.set(part, (calls[part] - empty_observed[part]) / times))
        };
        let handed = |(bytes, call): (usize, Call)| {
            // The reallocation before and the post-return behind are entries that the empty export does not have.
            let lower = call[Part::Lower] - empty_observed[Part::Enter] - 2.0 * entry;
            let lift = call[Part::Lift] - empty_observed[Part::Leave] - 2.0 * entry;
            (bytes, lower, lift)
        };
        Self {
            clock: total(clock),
            empty: total(empty) - total(clock),
            empty_observed,
            crossing: (total(crossing) - total(empty)) / times,
            stamped: one(stamped),
            unstamped: one(unstamped),
            event: EventCost { entry, host, body, nested },
            lists: LISTS.into_iter().zip(lists).map(handed).collect(),
        }
    }
}

/// The reference while it is being measured.
pub(crate) struct Measurement {
    clock: Clock,
    plain: Functions,
    observed: Functions,
    order: [usize; ARMS.len()],
    calls: [Vec<Call>; ARMS.len()],
}

impl Measurement {
    /// Ready for the first turn.
    pub(crate) fn new(runtime: &Runtime, clock: &Clock) -> std::result::Result<Self, ModuleError> {
        let attempt = || {
            let code = Component::from_binary(&runtime.engine, &encoded::reference())?;
            let (plain, mut observed) = (Functions::new(runtime, &code)?, Functions::new(runtime, &code)?);
            Observer::attach(&mut observed.store, clock);
            let order = std::array::from_fn(|arm| arm);
            Ok(Self { clock: clock.clone(), plain, observed, order, calls: ARMS.map(|_| Vec::new()) })
        };
        attempt().map_err(reference_error)
    }

    /// Turns until `time` has passed, and at least one. In each there is one sample of each arm, in an order drawn from
    /// `random`.
    pub(crate) fn stretch(&mut self, random: &mut ChaCha8Rng, time: Duration) -> std::result::Result<(), ModuleError> {
        let started = Instant::now();
        loop {
            self.order.shuffle(random);
            for arm in self.order {
                let Arm { what, observed } = ARMS[arm];
                let functions = if observed { &mut self.observed } else { &mut self.plain };
                let call = functions.call(what, &self.clock).map_err(reference_error)?;
                if self.calls[arm].len() < TURNS_MAX {
                    self.calls[arm].push(call);
                }
            }
            if started.elapsed() >= time {
                return Ok(());
            }
        }
    }

    /// The costs from all rounds so far.
    pub(crate) fn reference(mut self) -> Reference {
        let ns = ns_per_tick(&self.clock);
        let mean = |calls: &mut Vec<Call>| middle_half(calls).unwrap_or_default().in_unit(ns);
        Reference::of(self.calls.each_mut().map(mean))
    }
}

fn reference_error(error: wasmtime::Error) -> ModuleError {
    ModuleError::Other(format!("cannot run the reference component of the boundary: {}", one_line(&error)))
}

/// Nanoseconds of one tick of the clock.
pub(crate) fn ns_per_tick(clock: &Clock) -> f64 {
    const TICKS: u64 = 1 << 40;
    clock.delta_as_nanos(0, TICKS) as f64 / TICKS as f64
}

/// The reference component's functions in one instance.
struct Functions {
    store: Store<State>,
    empty: TypedFunc<(), ()>,
    stamped: TypedFunc<(u32,), ()>,
    unstamped: TypedFunc<(u32,), ()>,
    echo: TypedFunc<(u32,), ()>,
    identity: TypedFunc<(&'static [u8],), (Vec<u8>,)>,
}

impl Functions {
    fn new(runtime: &Runtime, code: &Component) -> Result<Self> {
        let mut store = state::store(runtime, Path::new("reference"), &[], &Grants::default())
            .map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        let mut linker = Linker::new(&runtime.engine);
        let mut host = linker.root();
        host.func_wrap("stamped", |mut caller: StoreContextMut<'_, State>, ()| caller.data_mut().body(|_| Ok(())))?;
        host.func_wrap("unstamped", |_: StoreContextMut<'_, State>, ()| Ok(()))?;
        // It copies, as capabilities do, so that what is observed there lies between ordinary work.
        host.func_wrap("echo", |mut caller: StoreContextMut<'_, State>, list: (Vec<u8>,)| {
            caller.data_mut().body(move |_| Ok((list.0.clone(),)))
        })?;
        let instance = linker.instantiate(&mut store, code)?;
        Ok(Self {
            empty: instance.get_typed_func(&mut store, "empty")?,
            stamped: instance.get_typed_func(&mut store, "call-stamped")?,
            unstamped: instance.get_typed_func(&mut store, "call-unstamped")?,
            echo: instance.get_typed_func(&mut store, "call-echo")?,
            identity: instance.get_typed_func(&mut store, "identity")?,
            store,
        })
    }

    /// One sample.
    fn call(&mut self, what: What, clock: &Clock) -> Result<Call> {
        self.warm_up(what, clock)?;
        let Self { store, empty, stamped, unstamped, echo, identity } = self;
        // Dropped after the clock has stopped.
        let mut result = (Vec::new(),);
        let start = clock.raw();
        match what {
            What::Clock => {}
            What::Empty => empty.call(&mut *store, ())?,
            What::Stamped => stamped.call(&mut *store, (CROSSINGS,))?,
            What::Unstamped => unstamped.call(&mut *store, (CROSSINGS,))?,
            What::Echo => echo.call(&mut *store, (CROSSINGS,))?,
            What::Identity(bytes) => result = identity.call(&mut *store, (&LIST[..bytes],))?,
        }
        let end = clock.raw();
        drop(result);
        let Some(observer) = &mut store.data_mut().observer else { return Ok(Call::plain(start, end)) };
        let seen = observer.take();
        let call = match what {
            What::Identity(_) => handed(start, end, &seen),
            _ => Call::observed(start, end, &seen),
        };
        call.ok_or_else(|| wasmtime::Error::msg("the component was not entered as often as expected"))
    }

    fn warm_up(&mut self, what: What, clock: &Clock) -> Result<()> {
        for _ in 0..WARM_UPS {
            match what {
                What::Clock => _ = black_box(clock.raw()),
                What::Empty => self.empty.call(&mut self.store, ())?,
                _ => {}
            }
        }
        let _ = self.store.data_mut().observer.as_mut().map(Observer::take);
        Ok(())
    }
}

/// A call whose argument needs a reallocation and whose result a post-return: three entries, of which the function
/// itself is the second.
fn handed(start: u64, end: u64, seen: &Seen) -> Option<Call> {
    let &[_, _, entered, left, _, _] = seen.marks()? else { return None };
    let ticks = |from: u64, to: u64| to.saturating_sub(from) as f64;
    Some(Call::plain(start, end).set(Part::Lower, ticks(start, entered)).set(Part::Lift, ticks(left, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_of_observing_are_separated() {
        let times = f64::from(CROSSINGS);
        let total = |total: f64| Call::default().set(Part::Total, total);
        let empty = total(109.0).set(Part::Enter, 60.0).set(Part::Guest, 14.0).set(Part::Leave, 35.0);
        // An entry costs 2 ns to observe, a call of the host 3, the body of one 4, and what is nested 5.
        let crossing = 105.0 + times * 30.0;
        let unstamped = crossing + 4.0 + times * 6.0;
        let stamped = unstamped + times * 8.0;
        let handed = |lower: f64, lift: f64| Call::default().set(Part::Lower, lower).set(Part::Lift, lift);
        let reference = Reference::of([
            total(10.0),
            total(105.0),
            empty,
            total(crossing),
            total(stamped).set(Part::Guest, 14.0 + times * 9.0).set(Part::Lift, times * 7.0),
            total(unstamped).set(Part::Whole, times * 21.0),
            total(0.0),
            total(4.0 + times * (6.0 + 8.0 + 10.0)),
            handed(60.0 + 4.0, 35.0 + 4.0),
            handed(60.0 + 4.0 + 1.0, 35.0 + 4.0 + 2.0),
            handed(0.0, 0.0),
            handed(0.0, 0.0),
        ]);
        assert_eq!((reference.clock, reference.empty, reference.crossing), (10.0, 95.0, 30.0));
        assert_eq!(reference.event, EventCost { entry: 2.0, host: 3.0, body: 4.0, nested: 5.0 });
        assert_eq!((reference.stamped[Part::Guest], reference.stamped[Part::Lift]), (9.0, 7.0));
        assert_eq!((reference.unstamped[Part::Guest], reference.unstamped[Part::Whole]), (-0.14, 21.0));
        assert_eq!(reference.lists[..2], [(0, 0.0, 0.0), (1024, 1.0, 2.0)]);
    }
}
