//! Where the time of a request goes within the host: calls that are observed when the load is over, one after the other and without a
//! client.

use super::server::Instance;
use crate::exchange::Exchange;
use crate::functions::{Crossings, Function};
use crate::spec::{HOST_CALLS, STAGE};
use bench_drivers::{CellFailure, record};
use bench_engine::{Clock, MonotonicClock};
use bench_sink::Sink;

/// Calls before those that are kept.
const WARM_UP: usize = 20;

/// Calls that are kept.
const CALLS: usize = 200;

/// No call begins after this time, but for the first two; a tenth of it is enough for warming up.
const TIME_NS_MAX: u64 = 200_000_000;

/// One observed call: its parts in order, by name, and how often it called the host.
struct ObservedCall {
    parts: Vec<(&'static str, u64)>,
    host_calls: u64,
}

/// Observes calls of `instance` and records their parts. Does nothing if it has no boundary that can be observed.
pub(super) fn observe(
    instance: &mut Instance,
    exchange: &Exchange,
    clock: &MonotonicClock,
    sink: &mut Sink,
) -> Result<(), CellFailure> {
    let begin_ns = clock.now_ns();
    for number in 0..WARM_UP + CALLS {
        let spent_ns = clock.now_ns() - begin_ns;
        if number > 1 && spent_ns > TIME_NS_MAX {
            break;
        }
        let Some(call) = ObservedCall::take(instance, exchange, clock)? else { return Ok(()) };
        if number == 0 || number < WARM_UP && spent_ns < TIME_NS_MAX / 10 {
            continue;
        }
        for (name, ns) in call.parts {
            record(sink, STAGE, &[("name", name)], &[ns])?;
        }
        record(sink, HOST_CALLS, &[], &[call.host_calls])?;
    }
    Ok(())
}

impl ObservedCall {
    /// Observes one call, of an instance of its own where each request has one.
    fn take(instance: &mut Instance, exchange: &Exchange, clock: &MonotonicClock) -> Result<Option<Self>, CellFailure> {
        let starter = match instance {
            Instance::Reused(function) => return Self::of(function.as_mut(), exchange, clock),
            Instance::PerRequest(starter) => starter,
        };
        let asked = clock.now_ns();
        let mut started = starter.start()?;
        let start_ns = clock.now_ns() - asked;
        let Some(mut call) = Self::of(started.function.as_mut(), exchange, clock)? else { return Ok(None) };
        let answered = clock.now_ns();
        drop(started);
        let clear_ns = clock.now_ns() - answered;
        call.parts.insert(0, ("start", start_ns));
        call.parts.push(("clear", clear_ns));
        Ok(Some(call))
    }

    fn of(
        function: &mut dyn Function,
        exchange: &Exchange,
        clock: &MonotonicClock,
    ) -> Result<Option<Self>, CellFailure> {
        let called = clock.now_ns();
        let Some((answer, crossings)) = function.observe(&exchange.request)? else { return Ok(None) };
        let total_ns = clock.now_ns() - called;
        let check = exchange.check("observed-answers", &answer);
        if !check.passed {
            return Err(CellFailure::failed(format!("check `{}` failed: {}", check.name, check.detail)));
        }
        let Crossings { component_ns, host_ns, host_calls } = crossings;
        let around_ns = total_ns.saturating_sub(component_ns + host_ns);
        let parts = vec![("component", component_ns), ("host", host_ns), ("around", around_ns)];
        Ok(Some(Self { parts, host_calls }))
    }
}
