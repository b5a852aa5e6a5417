//! The cost breakdown of one operation of a component, as observed at the boundary of the component.
//!
//! A call of `iterate(batch)` has `batch` operations; all times are per operation, in nanoseconds, and means over the middle half of the
//! calls (the interquartile mean by duration). Two sessions are interleaved. The first is called as usual: its clock starts before
//! [`Session::iterate`](bench_model::Session::iterate) and stops after it, and that is the **total**. The store of the second has a call
//! hook that reads the time-stamp counter at each crossing of the boundary, and each function of a capability reads it when it begins
//! and when it ends. So a call consists of these spans:
//!
//! | span | from | to |
//! |---|---|---|
//! | enter | before the call | the component is entered |
//! | guest | the component is entered, or the host has returned to it | it calls the host, or returns |
//! | lift | the component calls the host | the capability's function begins |
//! | body | the capability's function begins | it ends |
//! | lower | it ends | the host returns to the component |
//! | whole | the component calls the host for anything else, WASI or the engine itself | the host returns to it |
//! | leave | the component has returned | it is entered for the post-return; and after that, the end of the call |
//!
//! If the host enters the component within a call of the host, for reallocation, that belongs to the span of the call. The same spans
//! are measured on a reference, a component whose functions do nothing but cross the boundary, interleaved with the scenario. The cost
//! of the same number of crossings of the reference is subtracted:
//!
//! - **entry**: the call of an empty export.
//! - **lower**: passing arguments and results into the component: *enter* minus that of an empty export, and *lower* minus that of an
//!   empty import.
//! - **guest**: *guest* minus that of an empty export and of as many empty imports.
//! - **host-calls**: *body* and *whole* minus those of empty imports.
//! - **host-transition**: as many calls of an empty import as there were calls of the host.
//! - **lift**: passing arguments and results out of it: *lift* minus that of an empty import, and *leave* minus that of an empty export,
//!   including the entry of the post-return.
//! - **residual**: the total minus the sum of these.
//!
//! Where each operation has an instance of its own, *enter* begins before its store is made, and *leave* ends after that is dropped. Then
//! these two are a term of their own:
//!
//! - **instance**: making and dropping the instance, with passing the arguments of the calls and their results: *enter* and *leave* minus
//!   those of an empty export. The functions that start its core modules are in *guest*.
//!
//! The reference is also called both observed and unobserved, which gives the cost of observing an event. The spans of the reference
//! include the cost of observing them, so subtracting them removes it. Since neither comes from the scenario, the residual tests the
//! breakdown: it is the difference between the estimated unobserved time of the observed session and the time of the unobserved one.
//! Terms are signed: a term without real cost scatters around zero. One reading of the clock is subtracted from every total, which
//! includes it.
//!
//! The costs of the **boundary** are reported separately: the empty export and import, and in addition to an empty call, passing a list
//! of so many bytes into a component (`lower-…`, with the reallocation) and out of it (`lift-…`, with the post-return).

mod observe;
mod observer;
mod placed;
mod reference;
mod sample;
mod stores;
mod terms;

pub(crate) use observer::Observer;
pub use stores::StoreObserver;

use crate::error::one_line;
use crate::{Component, wait};
use bench_drivers::{Ledger, LedgerTask};
use bench_model::ModuleError;
use bench_sink::runfile::TermRecord;
use quanta::Clock;
use reference::Measurement;
use std::hint::black_box;
use std::time::Instant;
use terms::term;

/// Number of instances over which the median of the instantiation is taken.
const INSTANCES: usize = 11;

/// Measures the cost breakdown of `task` on `component`; `None` if its session cannot be observed: it has no store, or each operation has
/// an instance of its own and takes longer than there is time.
pub(crate) fn ledger(component: &Component, task: &LedgerTask<'_>) -> Result<Option<Ledger>, ModuleError> {
    let clock = Clock::new();
    let task = &LedgerTask { batch: component.batch(task.batch), ..task.clone() };
    let mut reference = Measurement::new(component.runtime(), &clock)?;
    let observation = observe::observe(component, task, &clock, &mut reference)?;
    let Some(mut observation) = observation else { return Ok(None) };
    let reference = reference.reference();
    let calls = [&observation.plain, &observation.observed];
    let operation = terms::operation(calls, task.batch, observation.has_own_instances, &reference);
    Ok(Some(Ledger {
        total_ns: operation.total_ns,
        terms: operation.terms,
        once: once(component, &mut observation.first_calls)?,
        observed_ns: operation.observed_ns,
        event_ns: operation.event_ns,
        events: operation.events,
        operations: observation.operations,
        batch: task.batch,
        boundary: terms::boundary(&reference),
    }))
}

/// The one-time costs of an instance: to **read** the file; to **map** its code from the cache, or to **compile** and store it; to
/// **instantiate** it, from a new store to an instance; and the **first call** into it, which opens a session.
fn once(component: &Component, first_calls: &mut [f64]) -> Result<Vec<TermRecord>, ModuleError> {
    let mut instantiate = Vec::with_capacity(INSTANCES);
    for _ in 0..INSTANCES {
        let mut store = component.store(&[])?;
        let start = Instant::now();
        let instance = black_box(match component.runtime().awaits_calls() {
            true => wait(component.instance_pre().instantiate_async(&mut store)),
            false => component.instance_pre().instantiate(&mut store),
        });
        instantiate.push(start.elapsed().as_nanos() as f64);
        instance.map_err(|error| ModuleError::Other(one_line(&error)))?;
    }
    let loaded = component.load_times();
    Ok(vec![
        term("read", loaded.read.as_nanos() as f64),
        term(if loaded.mapped { "map" } else { "compile" }, loaded.code.as_nanos() as f64),
        term("instantiate", median(&mut instantiate)),
        term("first-call", median(first_calls)),
    ])
}

/// The median, or the upper of the two middle values.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
