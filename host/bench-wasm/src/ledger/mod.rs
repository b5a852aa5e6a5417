//! Where the time of one operation of a component goes, as far as the boundary around it shows it. It must not know
//! what a capability or a scenario does.
//!
//! An operation is a share of a call of `iterate(batch)`; all times are of one operation, in nanoseconds, and means
//! over the half of the calls that lasted neither shortest nor longest. Two sessions take turns. The one is called as
//! it always is: its clock starts before [`Session::iterate`](bench_model::Session::iterate) and stops after it, and
//! that is the **total**. The store of the other has a call hook that reads the time-stamp counter at each crossing of
//! the boundary, and each function of a capability reads it when it begins and when it ends. So a call falls into
//! spans:
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
//! What the host enters the component for within a call of the host, reallocation, belongs to that call's span. The
//! same spans are taken of a reference, a component whose functions do nothing but cross the boundary, in turns with
//! the scenario. What an operation has beyond as many crossings of the reference is its own:
//!
//! - **entry**: the call of an empty export.
//! - **lower**: arguments and results on their way into the component: what *enter* has beyond an empty export's, and
//!   *lower* beyond an empty import's.
//! - **guest**: *guest* beyond that of an empty export and of as many empty imports.
//! - **host-calls**: *body* and *whole* beyond those of empty imports.
//! - **host-transition**: as many calls of an empty import as there were calls of the host.
//! - **lift**: arguments and results on their way out of it: *lift* beyond an empty import's, and *leave* beyond an
//!   empty export's, with the way into the post-return.
//! - **residual**: what these lack of the total.
//!
//! The reference is called observed and unobserved too, which gives the cost of an event, and the spans of the
//! reference hold what observing it cost; so that goes out with it. As neither comes from the scenario, the residual is
//! a test of the ledger: it is what the observed session would have taken unobserved, short of what the unobserved one
//! took. Terms are signed: one that is nothing comes out on either side of zero. From every total goes one reading of
//! the clock, which lies within it.
//!
//! What the **boundary** costs is stated apart: the empty export and import, and a list of so many bytes handed into a
//! component (`lower-…`, with the reallocation) and out of it again (`lift-…`, with the post-return), beyond an empty
//! call.

mod observe;
mod observer;
mod placed;
mod reference;
mod sample;
mod terms;

pub(crate) use observer::Observer;

use crate::Component;
use crate::error::one_line;
use bench_drivers::{Ledger, LedgerTask};
use bench_model::ModuleError;
use bench_sink::runfile::TermRecord;
use quanta::Clock;
use reference::Measurement;
use std::hint::black_box;
use std::time::Instant;
use terms::term;

/// Instances of which the instantiation is the median.
const INSTANCES: usize = 11;

/// The ledger of `task` on `component`.
pub(crate) fn ledger(component: &Component, task: &LedgerTask<'_>) -> Result<Ledger, ModuleError> {
    let clock = Clock::new();
    let mut reference = Measurement::new(component.runtime(), &clock)?;
    let mut observation = observe::observe(component, task, &clock, &mut reference)?;
    let reference = reference.reference();
    let operation = terms::operation(&observation.plain, &observation.observed, task.batch, &reference);
    Ok(Ledger {
        total_ns: operation.total_ns,
        terms: operation.terms,
        once: once(component, &mut observation.first_calls)?,
        observed_ns: operation.observed_ns,
        event_ns: operation.event_ns,
        events: operation.events,
        operations: observation.operations,
        boundary: terms::boundary(&reference),
    })
}

/// What an instance costs once: to **read** the file; to **map** its code out of the cache, or else to **compile** it
/// and put it there; to **instantiate** it, from a ready store to an instance; and the **first call** into it, which
/// opens a session.
fn once(component: &Component, first_calls: &mut [f64]) -> Result<Vec<TermRecord>, ModuleError> {
    let mut instantiate = Vec::with_capacity(INSTANCES);
    for _ in 0..INSTANCES {
        let mut store = component.store(&[])?;
        let start = Instant::now();
        let instance = black_box(component.instance_pre().instantiate(&mut store));
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

/// The middle one, or the upper one of two.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
