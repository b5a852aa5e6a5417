//! The way to an agent. What is sent to it waits for a thread of its own, so that an agent that does not read keeps no other waiting.

use super::{Fleet, FleetError, FleetObserver, LOOK};
use crate::coordinator::{Coordinator, Order};
use crate::protocol::{self, ToAgent};
use crate::queue::{AgentId, Queue};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What may wait for an agent. For one that reads, it is far less.
const PARCELS_MAX: usize = 32;

/// How much is written at once: an agent that has taken it reads, however slowly.
const PIECE_BYTES: usize = 64 << 10;

/// What is sent to an agent.
#[derive(Debug)]
pub(super) enum Parcel {
    Order(ToAgent),
    /// Files of modules, by digest. They are read when it is their turn.
    Modules(Vec<(String, PathBuf)>),
}

/// The way to an agent. The agent reads the end when this is dropped.
#[derive(Debug)]
pub(super) struct Outbox {
    parcels: SyncSender<Parcel>,
    /// Since when the agent has taken nothing of what is being written; `None` if nothing is.
    waiting: Arc<Mutex<Option<Instant>>>,
}

impl Outbox {
    /// Has a thread write to `out`.
    pub(super) fn open(out: Box<dyn Write + Send>) -> io::Result<Self> {
        let (parcels, received) = mpsc::sync_channel(PARCELS_MAX);
        let waiting: Arc<Mutex<Option<Instant>>> = Arc::default();
        let mut out = Watched { out, waiting: Arc::clone(&waiting) };
        thread::Builder::new().name("orders".to_owned()).spawn(move || deliver_all(&received, &mut out))?;
        Ok(Self { parcels, waiting })
    }

    /// Has the thread write this. Returns whether there was room for it. An agent that cannot be reached has ended, which its output tells too.
    pub(super) fn send(&self, parcel: Parcel) -> bool {
        !matches!(self.parcels.try_send(parcel), Err(TrySendError::Full(_)))
    }

    /// Whether the agent has taken nothing of what is being written for longer than its lease.
    fn is_stuck(&self, lease: Duration, now: Instant) -> bool {
        let waiting = *self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.is_some_and(|since| now.saturating_duration_since(since) > lease)
    }
}

/// Writes everything, until there is nothing more or the agent cannot be reached.
fn deliver_all(parcels: &Receiver<Parcel>, out: &mut Watched) {
    for parcel in parcels {
        if deliver(parcel, out).is_err() {
            return;
        }
    }
}

fn deliver(parcel: Parcel, out: &mut Watched) -> io::Result<()> {
    match parcel {
        Parcel::Order(order) => protocol::send(out, &order),
        Parcel::Modules(files) => files.iter().try_for_each(|(sha256, file)| {
            // An agent whose orders end because of an error here asks again, and is then told why.
            protocol::send_module(out, sha256, &fs::read(file)?)
        }),
    }
}

/// Notes how long the agent takes to read.
struct Watched {
    out: Box<dyn Write + Send>,
    waiting: Arc<Mutex<Option<Instant>>>,
}

impl Watched {
    fn watched<T>(&mut self, call: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        self.note(Some(Instant::now()));
        let done = call(&mut self.out);
        self.note(None);
        done
    }

    fn note(&self, since: Option<Instant>) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(PIECE_BYTES)];
        self.watched(|out| out.write(piece))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.watched(|out| out.flush())
    }
}

impl Fleet {
    /// Ends the processes of agents that take nothing of what is sent to them for longer than their lease. Returns the orders that follow from it.
    /// A connection to a server tells that by its end.
    pub(super) fn end_deaf<Q: Queue>(
        &mut self,
        coordinator: &mut Coordinator<Q>,
        observer: &mut dyn FleetObserver<Q>,
    ) -> Result<Vec<Order>, FleetError> {
        let mut orders = Vec::new();
        if self.looked.elapsed() < LOOK {
            return Ok(orders);
        }
        self.looked = Instant::now();
        for agent in (0..self.agents.len() as u32).map(AgentId) {
            let (known, lease) = (&mut self.agents[agent.0 as usize], coordinator.lease(agent));
            let is_stuck = known.orders.as_ref().is_some_and(|orders| orders.is_stuck(lease, self.looked));
            let Some(process) = known.process.as_mut().filter(|_| is_stuck) else { continue };
            process.end();
            self.hang_up(agent);
            let reason = format!("it has not read what was sent to it for {} s", lease.as_secs());
            observer.failed(&self.name(agent), &reason);
            orders.extend(coordinator.gone(agent, self.now_ns())?);
            self.expect(coordinator, agent);
        }
        Ok(orders)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The way to an agent that says that it is there, and reads nothing until the other end of `end` is gone.
    struct Deaf {
        there: mpsc::Sender<()>,
        end: mpsc::Receiver<()>,
    }

    impl Write for Deaf {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.there.send(());
            let _ = self.end.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn agent_that_reads_nothing_keeps_nobody_waiting_and_is_known_to_be_stuck() {
        let (there, is_there) = mpsc::channel();
        let (tell, end) = mpsc::channel();
        let outbox = Outbox::open(Box::new(Deaf { there, end })).unwrap();
        let lease = Duration::from_secs(60);
        assert!(!outbox.is_stuck(lease, Instant::now() + 2 * lease), "nothing was sent to it");
        assert!(outbox.send(Parcel::Order(ToAgent::Leave)));
        is_there.recv().unwrap();
        assert!(!outbox.is_stuck(lease, Instant::now()));
        assert!(outbox.is_stuck(lease, Instant::now() + 2 * lease));
        assert!((0..PARCELS_MAX).all(|_| outbox.send(Parcel::Order(ToAgent::Leave))));
        assert!(!outbox.send(Parcel::Order(ToAgent::Leave)), "so much does not wait for an agent that reads");
        drop(tell);
        // Now it reads all of them, and then has nothing more to read.
        for _ in 0..PARCELS_MAX {
            is_there.recv().unwrap();
        }
        drop(outbox);
        assert!(is_there.recv().is_err(), "it reads the end");
    }

    #[test]
    fn modules_are_read_when_it_is_their_turn() {
        let folder = tempfile::tempdir().unwrap();
        let (file, absent) = (folder.path().join("m.wasm"), folder.path().join("absent"));
        fs::write(&file, "module").unwrap();
        let (mut read, out) = io::pipe().unwrap();
        let outbox = Outbox::open(Box::new(out)).unwrap();
        let files = [("1", file), ("2", absent)].map(|(sha256, file)| (sha256.to_owned(), file));
        assert!(outbox.send(Parcel::Modules(files.to_vec())));
        // The second one cannot be read, so that the orders end.
        let mut found = String::new();
        io::Read::read_to_string(&mut read, &mut found).unwrap();
        assert_eq!(found, "{\"message\":\"module\",\"sha256\":\"1\",\"bytes\":6}\nmodule");
    }
}
