//! A session: two processes, pinned, connected and idle.

use crate::exchange::{Exchange, Parent, Prepared, serve};
use crate::message::Report;
use crate::transport::{self, Fault, Link, Setup, Transport};
use crate::{Config, ScenarioKind};
use bench_model::{Check, ModuleError, Outcome};
use ring_peer::{Cpus, Pinned, pin};
use ring_peer::{EXIT_SETUP, Peer, close_others};

/// Two connected processes. The thread is pinned until this is dropped, which must happen on the same thread.
pub struct Session {
    config: Config,
    cpus: Cpus,
    checksum: u64,
    /// Whether the peer is idle and can receive messages.
    healthy: bool,
    /// `None` only while it is dropped.
    exchange: Option<Box<dyn Exchange>>,
    peer: Peer,
    _pinned: Pinned,
}

impl Session {
    /// Pins this thread, starts and pins the peer, and returns when the peer has answered once.
    pub fn open(config: Config) -> Result<Self, ModuleError> {
        if let Some(reason) = config.transport.unfit(&config) {
            return Err(ModuleError::Unavailable(reason.to_owned()));
        }
        transport::dispatch(config.transport, Opening { config })
    }

    /// The process id of the peer.
    pub fn peer_pid(&self) -> u32 {
        self.peer.pid()
    }

    /// Prepares both sides for `rounds` raw round trips; [`Session::bare`] must follow.
    pub(crate) fn prepare_bare(&mut self, rounds: u64) -> Result<(), ModuleError> {
        self.call(|exchange| exchange.prepare_bare(rounds))
    }

    /// Runs the raw round trips that were prepared.
    pub(crate) fn bare(&mut self, rounds: u64) -> Result<(), ModuleError> {
        self.call(|exchange| exchange.bare(rounds))
    }

    fn exchange(&mut self) -> Result<&mut Box<dyn Exchange>, ModuleError> {
        match &mut self.exchange {
            Some(exchange) if self.healthy => Ok(exchange),
            _ => Err(ModuleError::Other(format!("this session failed before; the peer {}", self.peer.end()))),
        }
    }

    /// Calls the peer; an error includes the peer's exit status.
    fn call<R>(&mut self, call: impl FnOnce(&mut Box<dyn Exchange>) -> Result<R, Fault>) -> Result<R, ModuleError> {
        let result = call(self.exchange()?);
        result.map_err(|fault| {
            self.healthy = false;
            let transport = self.config.transport.as_str();
            ModuleError::Other(format!("transport={transport}: {fault}; the peer {}", self.peer.end()))
        })
    }
}

/// Continues [`Session::open`] where the transport is a type.
struct Opening {
    config: Config,
}

impl transport::Visitor for Opening {
    type Output = Result<Session, ModuleError>;

    fn visit<L: Link>(self) -> Self::Output {
        let config = self.config;
        let cpus = Cpus::choose(config.placement)?;
        let Config { scenario, payload_bytes, placement, pauses, look, frame_bytes, .. } = config;
        let message_max = payload_bytes.max(Report::BYTES);
        let link = L::open(&Setup { payload_bytes, message_max, scenario, placement, pauses, look, frame_bytes })?;
        let messages = Prepared::new(config.payload_bytes);
        let checksum = messages.digest();
        let pinned = Pinned::to(cpus.own)?;
        let (peer, link, messages) = start(link, messages, cpus.peer, config.scenario)?;
        let side = link.parent(peer.watch());
        let side = side.map_err(|fault| ModuleError::Other(format!("cannot set up the transport: {fault}")))?;
        let exchange: Box<dyn Exchange> = Box::new(Parent::new(side, messages));
        let exchange = Some(exchange);
        let mut session = Session { config, cpus, checksum, healthy: true, exchange, peer, _pinned: pinned };
        session.call(|exchange| exchange.query())?;
        Ok(session)
    }
}

/// Forks: the peer takes its side of the link and serves; the parent gets the messages back.
fn start<L: Link>(
    link: L,
    mut messages: Prepared,
    cpu: usize,
    scenario: ScenarioKind,
) -> Result<(Peer, L, Prepared), ModuleError> {
    let mut lent = Some(link);
    let peer = Peer::start(|| {
        // Taken in the child, so the parent keeps its copy.
        let Some(Ok(mut side)) = lent.take().map(Link::peer) else { return EXIT_SETUP };
        close_others(&mut side.fds());
        if pin(cpu).is_err() {
            return EXIT_SETUP;
        }
        if let Some(program) = side.program() {
            return program.become_it(&side.fds());
        }
        serve(&mut side, &mut messages, scenario)
    });
    match (peer, lent) {
        (Ok(peer), Some(link)) => Ok((peer, link, messages)),
        (Err(error), _) => Err(ModuleError::Other(format!("cannot start the peer process: {error}"))),
        (Ok(_), None) => Err(ModuleError::Other("the link was taken before the fork".to_owned())),
    }
}

impl bench_model::Session for Session {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let (checksum, payload, batch) = (self.checksum, self.config.payload_bytes as u64, self.config.batch);
        if times == 0 {
            return Ok(Outcome { operations: 0, bytes: 0, checksum });
        }
        let messages = match self.config.scenario {
            ScenarioKind::PingPong | ScenarioKind::RoundTrips => {
                self.call(|exchange| exchange.ping_pong(times)).map(|()| 2 * times)?
            }
            ScenarioKind::Stream => self.call(|exchange| exchange.stream(times * batch)).map(|()| times * batch)?,
        };
        Ok(Outcome { operations: times, bytes: payload * messages, checksum })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let Report { received: at_peer, cpu } = self.call(|exchange| exchange.query())?;
        let (sent, received) = self.call(|exchange| Ok((exchange.sent(), exchange.received())))?;
        let found = Cpus { own: rustix::thread::sched_getcpu(), peer: cpu };
        let mut checks = vec![
            Check::equal(
                "peer-received-every-message",
                &(sent.messages, sent.digest),
                &(at_peer.messages, at_peer.digest),
            ),
            Check::that(
                "content",
                at_peer.mismatches == 0 && received.mismatches == 0,
                format!(
                    "expected 0 mismatches, found {} in {} messages at the peer and {} in {} answers",
                    at_peer.mismatches, at_peer.messages, received.mismatches, received.messages
                ),
            ),
            Check::equal("placement", &self.cpus, &found),
        ];
        if self.config.scenario != ScenarioKind::Stream {
            checks.push(Check::equal("every-message-answered", &sent.messages, &received.messages));
        }
        Ok(checks)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(mut exchange) = self.exchange.take()
            && self.healthy
        {
            // The peer is idle, so the message fits; if it has just died, it needs no message.
            let _ = exchange.stop();
        }
        self.peer.finish();
    }
}
