//! An agent and a coordinator in one process, connected as processes are: for measuring what it costs that a repetition is sent.

use crate::agent::{AgentTask, Uplink, listen, serve};
use crate::clock::wall_ns;
use crate::collect::Collector;
use crate::coordinator::Coordinator;
use crate::protocol::{self, FromAgent, HostCard, PROTOCOL, Spec, ToAgent};
use crate::queue::{AgentId, ClassId, Embedded, Part};
use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const AGENT: AgentId = AgentId(0);
const NAME: &str = "loopback";

/// A fleet of one agent, whose repetitions take no time. Each group has one cell with one repetition.
#[derive(Debug)]
pub struct Loopback {
    coordinator: Coordinator<Embedded<Collector>>,
    messages: BufReader<UnixStream>,
    orders: UnixStream,
    next: ToAgent,
    begun: Instant,
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

impl Loopback {
    /// Starts an agent for so many `groups`, which sends `block` for each. What it sends is kept in a new folder in `folder`.
    pub fn begin(folder: &Path, block: Vec<u8>, groups: u32) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let card = HostCard::of_version(env!("CARGO_PKG_VERSION"));
        let spec = Spec {
            protocol: PROTOCOL,
            host_version: card.host_version.clone(),
            id: NAME.to_owned(),
            words: Vec::new(),
            command: Vec::new(),
            seed: 0,
            order_sha256: String::new(),
            modules: Vec::new(),
            signature: None,
        };
        let out = theirs.try_clone()?;
        thread::Builder::new().name("agent".to_owned()).spawn(move || {
            let orders = listen(BufReader::new(theirs), wall_ns, || {});
            // If something goes wrong, the coordinator's side reports it.
            let _ = serve(&orders, &mut Uplink::new(out), (&card, Some(NAME)), &mut Sender(block));
        })?;
        let collector = Collector::create(folder, &[NAME.to_owned()])?;
        let coordinator =
            Coordinator::new(Embedded::new(collector), &[ClassId(0)], groups, true).map_err(io::Error::other)?;
        let (messages, orders) = (BufReader::new(ours.try_clone()?), ours);
        let next = ToAgent::Spec(Box::new(spec));
        let mut loopback = Self { coordinator, messages, orders, next, begun: Instant::now() };
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
        protocol::send(&mut self.orders, &self.next)?;
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
}
