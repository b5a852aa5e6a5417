//! The scenario `request`: a client and a server, each with a processor of its own where there are two, and what a request takes between
//! them.

use super::Findings;
use super::arrival_rate::ArrivalRate;
use super::breakdown;
use super::client::{Client, Tally};
use super::search::{Bound, Search, TRIALS, Verdict, requests_needed};
use super::server::{Handler, Instance, serve};
use crate::exchange::Exchange;
use crate::functions::{Functions, Initialisation, Start};
use bench_drivers::{CellFailure, Task, record};
use bench_engine::{Amount, Budget, MonotonicClock, placement};
use bench_model::{Check, ModuleError};
use bench_sink::Sink;
use bench_sink::runfile::Status;
use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tokio::sync::oneshot;

/// What the client is asked for.
#[derive(Clone)]
struct Load {
    exchange: Arc<Exchange>,
    connections: usize,
    pace: ArrivalRate,
    /// Where the highest rate that keeps it is looked for, instead of keeping the pace.
    bound: Option<Bound>,
    budget: Budget,
    clock: MonotonicClock,
    /// The client's processor, where it has one of its own.
    cpu: Option<u32>,
}

/// What the client found.
struct Found {
    tally: Tally,
    /// The pace of the requests in `tally`: the one asked for, or the one that was found.
    pace: ArrivalRate,
    /// Where the highest rate was looked for: the highest that kept the bound, in requests a second, if any did.
    kept: Option<f64>,
    connect_ns: Vec<u64>,
}

/// Loads a server for as long as `task` says.
pub(super) fn measure(
    functions: &mut dyn Functions,
    task: &Task<'_>,
    initialisation: Initialisation,
    exchange: &Exchange,
    checks: &mut Vec<Check>,
) -> Result<Findings, CellFailure> {
    let is_reused = task.arguments.text("instance")? == "reused";
    let (server_cpu, client_cpu) = cpus();
    if let Some(cpu) = server_cpu {
        placement::bind(cpu);
    }
    let load = Load {
        exchange: Arc::new(exchange.clone()),
        connections: task.arguments.size("concurrency")?,
        pace: ArrivalRate::of_rate(task.arguments.integer("rate")?)?,
        bound: Bound::of_p99_us(task.arguments.integer("p99_us_max")?)?,
        budget: task.budget,
        clock: MonotonicClock::new(),
        cpu: client_cpu,
    };
    let is_measuring = Arc::new(AtomicBool::new(false));
    let mut sink = Sink::new(&task.scenario.metrics);
    let found = match functions.serve(initialisation)? {
        Some(_) if !is_reused => {
            let reason = "a server of its own answers all requests; what a process for each takes, a scenario \
                          `cold-start` with start=spawn measures";
            return Err(ModuleError::Unavailable(reason.to_owned()).into());
        }
        Some(server) => {
            let (address, is_measuring, load) = (server.address(), &is_measuring, &load);
            thread::scope(|scope| {
                let client = scope.spawn(move || load.drive(address, is_measuring));
                client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        }
        None => {
            let mut starter = functions.prepare(Start::Quickest, initialisation)?;
            let instance =
                if is_reused { Instance::Reused(starter.start()?.function) } else { Instance::PerRequest(starter) };
            let (found, mut handler) = here(&load, instance, &is_measuring);
            record(&mut sink, "service", &[], &handler.service_ns)?;
            record(&mut sink, "queue", &[], &handler.queue_ns)?;
            if found.as_ref().is_ok_and(|found| found.tally.failed == 0) {
                handler.spent = None;
                breakdown::observe(&mut handler.instance, exchange, &load.clock, &mut sink)?;
            }
            found
        }
    };
    let found = found.map_err(|error| CellFailure::failed(format!("the exchange broke off: {error}")))?;
    findings(sink, task, &load, found, checks)
}

/// The processors of the server and of the client.
fn cpus() -> (Option<u32>, Option<u32>) {
    match placement::allowed_cpus()[..] {
        [client, .., server] => (Some(server), Some(client)),
        _ => (None, None),
    }
}

/// Has the host's own server answer in this thread while the client drives it from another.
fn here(load: &Load, instance: Instance, is_measuring: &Arc<AtomicBool>) -> (io::Result<Found>, Handler) {
    let handler = Handler {
        instance,
        request: load.exchange.request.clone(),
        clock: load.clock,
        is_measuring: Arc::clone(is_measuring),
        service_ns: Vec::new(),
        queue_ns: Vec::new(),
        spent: None,
    };
    let handler = Rc::new(RefCell::new(handler));
    let exchange = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (done, stop) = oneshot::channel();
        thread::scope(|scope| {
            let client = scope.spawn(move || {
                let found = load.drive(address, is_measuring);
                // If the server has ended, it does not receive this.
                let _ = done.send(());
                found
            });
            serve(listener, &handler, stop)?;
            client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    };
    let found = exchange();
    let handler = Rc::into_inner(handler).expect("the server and its connections are gone");
    (found, handler.into_inner())
}

impl Load {
    /// Connects, warms up, and measures.
    fn drive(&self, address: SocketAddr, is_measuring: &AtomicBool) -> io::Result<Found> {
        if let Some(cpu) = self.cpu {
            placement::bind(cpu);
        }
        let (mut client, connect_ns) =
            Client::connect(address, Arc::clone(&self.exchange), self.connections, self.clock, self.cpu.is_some())?;
        // Every connection has its first request answered, however long the function takes to begin.
        let first = client.run(ArrivalRate::Closed, Amount::Operations(self.connections as u64))?;
        let warm_up = Amount::Time { ns: self.budget.warm_up_ns };
        let warm = if first.failed > 0 { first } else { client.run(self.pace, warm_up)? };
        let (tally, pace, kept) = match self.bound {
            _ if warm.failed > 0 => (warm, self.pace, None),
            None => {
                is_measuring.store(true, Ordering::Relaxed);
                (client.run(self.pace, self.budget.amount)?, self.pace, None)
            }
            Some(bound) => self.search(bound, &mut client, &warm)?,
        };
        Ok(Found { tally, pace, kept, connect_ns })
    }

    /// Looks for the highest rate that keeps `bound`, from what `warm` has reached, or from the rate that was asked for; the
    /// requests of the best trial, or of the last where none was good.
    fn search(&self, bound: Bound, client: &mut Client, warm: &Tally) -> io::Result<(Tally, ArrivalRate, Option<f64>)> {
        let reached = warm.response_ns.len() as f64 * 1e9 / (warm.sending_ns as f64).max(1.0);
        let mut search = Search::from(self.pace.rate().unwrap_or(reached).max(1.0));
        let (mut best, mut last) = (None, None);
        for _ in 0..TRIALS {
            let Some(rate) = search.next() else { break };
            let pace = ArrivalRate::of_requests_a_second(rate);
            let (tally, verdict) = self.try_rate(rate, bound, client)?;
            if tally.failed > 0 {
                return Ok((tally, pace, None));
            }
            search.record(rate, verdict == Verdict::Kept);
            *(if verdict == Verdict::Kept { &mut best } else { &mut last }) = Some((tally, pace));
            if verdict == Verdict::Undecided {
                // A lower rate has fewer requests still.
                break;
            }
        }
        let (tally, pace) = best.or(last).expect("a search makes at least one trial");
        Ok((tally, pace, search.best_rate()))
    }

    /// Sends requests at `rate` for a share of the budget, and anew for longer if they are too few to tell their p99.
    fn try_rate(&self, rate: f64, bound: Bound, client: &mut Client) -> io::Result<(Tally, Verdict)> {
        let pace = ArrivalRate::of_requests_a_second(rate);
        let (share, share_ns) = match self.budget.amount {
            Amount::Time { ns } => (Amount::Time { ns: ns.div_ceil(TRIALS) }, ns.div_ceil(TRIALS)),
            Amount::Operations(operations) => (Amount::Operations(operations.div_ceil(TRIALS)), 0),
        };
        let mut tally = client.run(pace, share)?;
        let mut verdict = bound.judge(pace, &tally);
        if verdict == Verdict::Undecided
            && tally.failed == 0
            && let Some(requests) = requests_needed(rate, share_ns)
        {
            tally = client.run(pace, Amount::Operations(requests))?;
            verdict = bound.judge(pace, &tally);
        }
        Ok((tally, verdict))
    }
}

fn findings(
    mut sink: Sink,
    task: &Task<'_>,
    load: &Load,
    Found { tally, pace, kept, connect_ns }: Found,
    checks: &mut Vec<Check>,
) -> Result<Findings, CellFailure> {
    let answered = tally.response_ns.len() as u64;
    if answered == 0 && tally.failed == 0 {
        // Whatever is sent is answered, so nothing was sent.
        let reason =
            "no request was sent in time, because the machine stood still; give more time (`--time`), or ask for less";
        return Err(CellFailure { status: Status::Void, reason: reason.to_owned() });
    }
    let right = Check::that("answers", answered > 0, format!("{answered} answers, each as it should be"));
    checks.push(tally.wrong.clone().unwrap_or(right));
    // A wrong answer ends the search, which then has found nothing.
    checks.extend(match load.bound.filter(|_| tally.failed == 0) {
        Some(bound) => Some(bound.check(kept, pace, &tally)),
        None => pace.check(&tally.response_ns, tally.shed, tally.sending_ns),
    });
    if let Some(rate) = kept {
        record(&mut sink, "highest_rate", &[], &[rate as u64])?;
    }
    record(&mut sink, &task.scenario.name, &[], &tally.response_ns)?;
    record(&mut sink, "connect", &[], &connect_ns)?;
    for (name, count) in [("late", tally.late), ("failed", tally.failed), ("shed", tally.shed)] {
        record(&mut sink, name, &[], &[count])?;
    }
    Ok(Findings { sink, iterations: answered, lost: Some(tally.late + tally.failed + tally.shed) })
}
