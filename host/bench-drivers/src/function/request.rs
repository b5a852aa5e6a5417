//! The scenario `request`: a client and a server, each with a processor of its own where there are two, and what a request
//! takes between them. It must not know who serves.

use super::client::{Client, Tally};
use super::pace::Pace;
use super::server::{Handler, Instance, serve};
use super::{Findings, Functions, Initialisation, Start};
use crate::Task;
use crate::workload::Stop;
use bench_engine::{Amount, Budget, MonotonicClock, placement};
use bench_model::{Check, ModuleError};
use bench_sink::Sink;
use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tokio::sync::oneshot;

/// What the client is asked for.
#[derive(Clone, Copy)]
struct Load {
    connections: usize,
    pace: Pace,
    budget: Budget,
    clock: MonotonicClock,
    /// The client's processor, where it has one of its own.
    cpu: Option<u32>,
}

/// What the client found.
struct Found {
    tally: Tally,
    connect_ns: Vec<u64>,
}

/// Loads a server for as long as `task` says.
pub(super) fn measure(
    functions: &mut dyn Functions,
    task: &Task<'_>,
    initialisation: Initialisation,
    checks: &mut Vec<Check>,
) -> Result<Findings, Stop> {
    let is_reused = task.arguments.text("instance")? == "reused";
    let (server_cpu, client_cpu) = cpus();
    if let Some(cpu) = server_cpu {
        placement::bind(cpu);
    }
    let load = Load {
        connections: task.arguments.size("concurrency")?,
        pace: Pace::of_rate(task.arguments.integer("rate")?)?,
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
            let (address, is_measuring) = (server.address(), &is_measuring);
            thread::scope(|scope| {
                let client = scope.spawn(move || load.drive(address, is_measuring));
                client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        }
        None => {
            let mut starter = functions.prepare(Start::Quickest, initialisation)?;
            let instance =
                if is_reused { Instance::Reused(starter.start()?.function) } else { Instance::PerRequest(starter) };
            let (found, handler) = here(load, instance, &is_measuring);
            record(&mut sink, "service", &handler.service_ns)?;
            record(&mut sink, "queue", &handler.queue_ns)?;
            found
        }
    };
    let found = found.map_err(|error| Stop::failed(format!("the exchange broke off: {error}")))?;
    findings(sink, task, load, found, checks)
}

/// The processors of the server and of the client.
fn cpus() -> (Option<u32>, Option<u32>) {
    match placement::allowed_cpus()[..] {
        [client, .., server] => (Some(server), Some(client)),
        _ => (None, None),
    }
}

/// Has the host's own server answer in this thread while the client drives it from another.
fn here(load: Load, instance: Instance, is_measuring: &Arc<AtomicBool>) -> (io::Result<Found>, Handler) {
    let handler = Handler {
        instance,
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
                // Where the server has gone it need not be told.
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
        let (mut client, connect_ns) = Client::connect(address, self.connections, self.clock, self.cpu.is_some())?;
        // Every connection has its first request answered, however long the function takes to begin.
        let first = client.run(Pace::Closed, Amount::Operations(self.connections as u64))?;
        let warm_up = Amount::Time { ns: self.budget.warm_up_ns };
        let tally = match first {
            first if first.failed > 0 => first,
            _ => match client.run(self.pace, warm_up)? {
                warm if warm.failed > 0 => warm,
                _ => {
                    is_measuring.store(true, Ordering::Relaxed);
                    client.run(self.pace, self.budget.amount)?
                }
            },
        };
        Ok(Found { tally, connect_ns })
    }
}

fn findings(
    mut sink: Sink,
    task: &Task<'_>,
    load: Load,
    Found { tally, connect_ns }: Found,
    checks: &mut Vec<Check>,
) -> Result<Findings, Stop> {
    let answered = tally.response_ns.len() as u64;
    let right = Check::that("answers", answered > 0, format!("{answered} answers, each as it should be"));
    checks.push(tally.wrong.unwrap_or(right));
    checks.extend(load.pace.check(answered, tally.shed, tally.sending_ns));
    record(&mut sink, &task.scenario.name, &tally.response_ns)?;
    record(&mut sink, "connect", &connect_ns)?;
    for (name, count) in [("late", tally.late), ("failed", tally.failed), ("shed", tally.shed)] {
        record(&mut sink, name, &[count])?;
    }
    Ok(Findings { sink, iterations: answered, lost: Some(tally.late + tally.failed + tally.shed) })
}

fn record(sink: &mut Sink, metric: &str, samples: &[u64]) -> Result<(), Stop> {
    let opened = sink.open(metric, &[]);
    opened.and_then(|id| sink.append(id, samples)).map_err(|error| Stop::failed(error.to_string()))
}
