//! The same over a NATS server, which also keeps the queue.

use super::{Loopback, NAME, start};
use crate::address::NatsAddress;
use crate::agent::{Uplink, listen};
use crate::clock::wall_ns;
use crate::collect::Collector;
use crate::fleet::JOIN;
use crate::nats::{AgentLink, Guests, Login, Pings, Reception, RunStream, Server, join_link, wait_for_invitation};
use crate::queue::Jetstream;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

impl Loopback {
    /// Starts an agent that connects to the server at `address`, as the coordinator has, for the run of this name, which must be new there. The
    /// rest is as with [`begin`](Self::begin).
    pub fn begin_at(
        (server, address): (&Server, &NatsAddress),
        run: &str,
        folder: &Path,
        block: Vec<u8>,
        groups: u32,
    ) -> io::Result<Self> {
        let stream = RunStream::open(server, run).map_err(io::Error::other)?;
        let (came, visitors) = mpsc::channel();
        let reception = Reception::open(server, run, Guests::Any(1), move |visitor| _ = came.send(visitor));
        let reception = reception.map_err(io::Error::other)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (address, stopped) = (address.clone(), Arc::clone(&is_over));
        let agent = start(run, block, move || {
            let server = Server::connect(&address, &Login::default(), Pings::Never).map_err(io::Error::other)?;
            let invitation = wait_for_invitation(&server, NAME, &[], &|| stopped.load(Ordering::Relaxed));
            let invitation = invitation.map_err(io::Error::other)?.ok_or(io::ErrorKind::Interrupted)?;
            let AgentLink { orders, messages, check } =
                join_link(&server, NAME, &invitation.link).map_err(io::Error::other)?;
            Ok((listen(BufReader::new(orders), wall_ns, || {}), Uplink::with_check(messages, check)))
        })?;
        let came = visitors.recv_timeout(JOIN);
        is_over.store(true, Ordering::Relaxed);
        drop(reception);
        let visitor = came.map_err(|_| io::Error::other("the agent did not come to the server"))?;
        let collector = Collector::create(folder, &[NAME.to_owned()])?;
        let queue = Jetstream::open(stream, collector).map_err(io::Error::other)?;
        Self::with((visitor, agent), Box::new(queue), (run, groups))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nats_server::NatsServer;
    use bench_sink::runfile::FILE_NAME;
    use std::fs;

    #[test]
    fn every_group_is_sent_once_over_a_server() {
        let Some(nats) = NatsServer::start() else { return };
        let (server, address) = (nats.connect(), nats.address());
        for run in ["r1", "r2"] {
            let folder = tempfile::tempdir().unwrap();
            let mut loopback =
                Loopback::begin_at((&server, &address), run, folder.path(), b"block\n".to_vec(), 20).unwrap();
            while loopback.hand().unwrap() > 0 {}
            drop(loopback);
            let kept = fs::read(folder.path().join(NAME).join(FILE_NAME)).unwrap();
            assert_eq!(kept, b"block\n".repeat(20));
        }
    }
}
