//! An agent and a coordinator in one process, connected as processes are: for measuring what it costs that a repetition is sent.

use crate::agent::{AgentTask, Orders, Uplink, listen, serve};
use crate::clock::wall_ns;
use crate::collect::Collector;
use crate::coordinator::Coordinator;
use crate::fleet::Visitor;
use crate::protocol::{self, FromAgent, HostCard, PROTOCOL, Spec, ToAgent};
use crate::queue::{AgentId, ClassId, Embedded, Part, Queue};
use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[cfg(feature = "nats")]
mod at_server;

const AGENT: AgentId = AgentId(0);
const NAME: &str = "loopback";

/// A fleet of one agent, whose repetitions take no time. Each group has one cell with one repetition. The agent has ended when this is dropped.
pub struct Loopback {
    coordinator: Coordinator<Box<dyn Queue>>,
    messages: BufReader<Box<dyn Read + Send>>,
    /// Closed to have the agent end.
    orders: Option<Box<dyn Write + Send>>,
    agent: Option<JoinHandle<()>>,
    next: ToAgent,
    begun: Instant,
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loopback").field("next", &self.next).finish_non_exhaustive()
    }
}

/// Sends the same block for every group.
struct Sender(Vec<u8>);

impl AgentTask for Sender {
    fn prepare(&mut self, _: &Spec, _: &mut Uplink) -> Result<Duration, String> {
        Ok(Duration::from_secs(600))
    }

    fn measure(&mut self, groups: &[u32], uplink: &mut Uplink) -> Result<bool, String> {
        for cell in groups {
            let part = Part::Repetition { cell: *cell, process: 0 };
            uplink.block(part, &self.0).map_err(|error| error.to_string())?;
        }
        Ok(true)
    }

    fn finish(&mut self, _: &mut Uplink) -> Result<(), String> {
        Ok(())
    }
}

/// The writing half of a socket, whose end the other side reads although the reading half is still there.
struct Half(UnixStream);

impl Write for Half {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

impl Loopback {
    /// Starts an agent for so many `groups`, which sends `block` for each over a pair of sockets. What it sends is kept in a new folder in
    /// `folder`.
    pub fn begin(folder: &Path, block: Vec<u8>, groups: u32) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let out = theirs.try_clone()?;
        let connect = move || Ok((listen(BufReader::new(theirs), wall_ns, || {}), Uplink::new(out)));
        let agent = start(NAME, block, connect)?;
        let messages = Box::new(ours.try_clone()?);
        let visitor = Visitor { name: NAME.to_owned(), orders: Box::new(Half(ours)), messages };
        let queue = Embedded::new(Collector::create(folder, &[NAME.to_owned()])?);
        Self::with((visitor, agent), Box::new(queue), (NAME, groups))
    }

    /// The coordinator of an agent that has come, for the run of this name with so many groups.
    fn with(
        (visitor, agent): (Visitor, JoinHandle<()>),
        queue: Box<dyn Queue>,
        (run, groups): (&str, u32),
    ) -> io::Result<Self> {
        let Visitor { orders, messages, .. } = visitor;
        let spec = Spec {
            protocol: PROTOCOL,
            host_version: card().host_version,
            id: run.to_owned(),
            words: Vec::new(),
            command: Vec::new(),
            seed: 0,
            order_sha256: String::new(),
            modules: Vec::new(),
            signature: None,
        };
        let coordinator = Coordinator::new(queue, &[ClassId(0)], groups, true).map_err(io::Error::other)?;
        let mut loopback = Self {
            coordinator,
            messages: BufReader::new(messages),
            orders: Some(orders),
            agent: Some(agent),
            next: ToAgent::Spec(Box::new(spec)),
            begun: Instant::now(),
        };
        protocol::receive_hello(&mut loopback.messages).map_err(io::Error::other)?;
        loopback.hand()?;
        Ok(loopback)
    }

    /// Sends the next order, and takes what the agent says until it claims again. Returns the number of groups that it has measured; 0 if
    /// nothing is left.
    pub fn hand(&mut self) -> io::Result<usize> {
        let groups = match &self.next {
            ToAgent::Leave => return Ok(0),
            ToAgent::Measure { groups } => groups.len(),
            ToAgent::Spec(_) | ToAgent::Module { .. } | ToAgent::Clock { .. } => 0,
        };
        protocol::send(self.orders.as_mut().ok_or(io::ErrorKind::BrokenPipe)?, &self.next)?;
        loop {
            let received = protocol::receive(&mut self.messages).map_err(io::Error::other)?;
            let (message, block) = received.ok_or(io::ErrorKind::UnexpectedEof)?;
            if let FromAgent::Failed { reason } = message {
                return Err(io::Error::other(reason));
            }
            let now_ns = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
            let orders = self.coordinator.handle(AGENT, &message, &block, now_ns).map_err(io::Error::other)?;
            if let Some((_, order)) = orders.into_iter().next() {
                self.next = order;
                return Ok(groups);
            }
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        drop(self.orders.take());
        // It may still send something, and must not wait for somebody to read it.
        let _ = io::copy(&mut self.messages, &mut io::sink());
        if let Some(agent) = self.agent.take() {
            let _ = agent.join();
        }
    }
}

fn card() -> HostCard {
    HostCard::of_version(env!("CARGO_PKG_VERSION"))
}

/// Starts an agent that sends `block` for every group of the run of this name, over what `connect` returns.
fn start(
    run: &str,
    block: Vec<u8>,
    connect: impl FnOnce() -> io::Result<(Orders, Uplink)> + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let run = run.to_owned();
    thread::Builder::new().name("agent".to_owned()).spawn(move || {
        // If something goes wrong, the coordinator's side reports it.
        let Ok((orders, mut uplink)) = connect() else { return };
        let _ = serve(&orders, &mut uplink, (&card(), Some(run.as_str())), &mut Sender(block));
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_sink::runfile::FILE_NAME;
    use std::fs;

    #[test]
    fn every_group_is_sent_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut loopback = Loopback::begin(folder.path(), b"block\n".to_vec(), 100).unwrap();
        let mut measured = 0;
        loop {
            match loopback.hand().unwrap() {
                0 => break,
                groups => measured += groups,
            }
        }
        assert_eq!(measured, 100);
        let kept = fs::read(folder.path().join(NAME).join(FILE_NAME)).unwrap();
        assert_eq!(kept, b"block\n".repeat(100));
    }

    #[test]
    fn agent_that_has_more_to_measure_ends_with_the_fleet() {
        let folder = tempfile::tempdir().unwrap();
        let mut loopback = Loopback::begin(folder.path(), vec![b'x'; 1 << 20], 100).unwrap();
        assert!(loopback.hand().unwrap() > 0);
        // It sends more than the sockets hold, and nobody takes it.
        let order = ToAgent::Measure { groups: vec![98, 99] };
        protocol::send(loopback.orders.as_mut().unwrap(), &order).unwrap();
        drop(loopback);
    }
}
