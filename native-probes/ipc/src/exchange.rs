//! The protocol of the two processes: the parent's half of each scenario, and the peer's loop. Generic over the
//! transport, so that a message costs no dynamic call.

use crate::ScenarioKind;
use crate::message::{Direction, Messages, Received, Report, Word, fold};
use crate::transport::{Fault, Transport};
use ring_peer::{EXIT_DONE, EXIT_TRANSPORT};

/// The parent's half.
pub(crate) trait Exchange {
    /// Sends `times` messages, and receives each answer before it sends the next.
    fn ping_pong(&mut self, times: u64) -> Result<(), Fault>;
    /// Sends `times` messages, at least one, and receives one acknowledgement of all.
    fn stream(&mut self, times: u64) -> Result<(), Fault>;
    /// Prepares both sides for `rounds` raw round trips.
    fn prepare_bare(&mut self, rounds: u64) -> Result<(), Fault>;
    /// Runs the raw round trips that were prepared.
    fn bare(&mut self, rounds: u64) -> Result<(), Fault>;
    /// Asks the peer for its report.
    fn query(&mut self) -> Result<Report, Fault>;
    /// Tells an idle peer to exit.
    fn stop(&mut self) -> Result<(), Fault>;
    /// The messages that were sent.
    fn sent(&self) -> Sent;
    /// The messages that were received, without acknowledgements.
    fn received(&self) -> Received;
}

/// The number of messages that the parent sent, and the digest that the peer must compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) messages: u64,
    pub(crate) digest: u64,
}

/// The messages of both directions, created before the fork so that each process has them.
#[derive(Debug)]
pub(crate) struct Prepared {
    to_peer: Messages,
    from_peer: Messages,
    len: usize,
}

impl Prepared {
    pub(crate) fn new(len: usize) -> Self {
        Self { to_peer: Messages::new(Direction::ToPeer, len), from_peer: Messages::new(Direction::FromPeer, len), len }
    }

    /// A digest of all messages, the same for the same length.
    pub(crate) fn digest(&self) -> u64 {
        self.to_peer.digest() << 32 | self.from_peer.digest()
    }
}

/// The parent's half over one transport.
#[derive(Debug)]
pub(crate) struct Parent<T> {
    transport: T,
    messages: Prepared,
    sent: Sent,
    received: Received,
}

impl<T: Transport> Parent<T> {
    pub(crate) fn new(transport: T, messages: Prepared) -> Self {
        Self { transport, messages, sent: Sent::default(), received: Received::default() }
    }

    #[inline(always)]
    fn send(&mut self, last: bool) -> Result<(), Fault> {
        let word = Word::data(self.sent.messages, last);
        self.transport.send(self.messages.to_peer.with(word))?;
        self.sent = Sent { messages: self.sent.messages + 1, digest: fold(self.sent.digest, word) };
        Ok(())
    }

    fn report(&mut self) -> Result<Report, Fault> {
        self.transport.receive(Report::BYTES, Report::decode)?.ok_or(Fault::Protocol("malformed report from the peer"))
    }
}

impl<T: Transport> Exchange for Parent<T> {
    fn ping_pong(&mut self, times: u64) -> Result<(), Fault> {
        for _ in 0..times {
            let sequence = self.sent.messages;
            self.send(false)?;
            let expected = &self.messages.from_peer;
            let check = |message: &[u8]| expected.check(sequence, message);
            let (word, matches) = self.transport.receive(self.messages.len, check)?;
            self.received.count(word, matches);
        }
        Ok(())
    }

    fn stream(&mut self, times: u64) -> Result<(), Fault> {
        for left in (0..times).rev() {
            self.send(left == 0)?;
        }
        self.transport.flush()?;
        let found = self.report()?.received;
        let (messages, digest) = (found.messages, found.digest);
        if (Sent { messages, digest }) == self.sent {
            Ok(())
        } else {
            Err(Fault::Delivery { sent: self.sent.messages, acknowledged: messages })
        }
    }

    fn prepare_bare(&mut self, rounds: u64) -> Result<(), Fault> {
        self.transport.send(self.messages.to_peer.with(Word::bare(rounds)))?;
        self.transport.flush()?;
        self.report().map(|_| ())
    }

    fn bare(&mut self, rounds: u64) -> Result<(), Fault> {
        self.transport.bare(rounds, self.messages.len, true)
    }

    fn query(&mut self) -> Result<Report, Fault> {
        self.transport.send(self.messages.to_peer.with(Word::QUERY))?;
        self.transport.flush()?;
        self.report()
    }

    fn stop(&mut self) -> Result<(), Fault> {
        self.transport.send(self.messages.to_peer.with(Word::STOP))?;
        self.transport.flush()
    }

    fn sent(&self) -> Sent {
        self.sent
    }

    fn received(&self) -> Received {
        self.received
    }
}

/// Runs the peer's loop and returns its exit status.
pub(crate) fn serve<T: Transport>(transport: &mut T, messages: &mut Prepared, scenario: ScenarioKind) -> i32 {
    match answer_all(transport, messages, scenario) {
        Ok(()) | Err(Fault::Closed) => EXIT_DONE,
        Err(_) => EXIT_TRANSPORT,
    }
}

fn answer_all<T: Transport>(transport: &mut T, messages: &mut Prepared, scenario: ScenarioKind) -> Result<(), Fault> {
    let mut received = Received::default();
    loop {
        let sequence = received.messages;
        let expected = &messages.to_peer;
        let (word, matches) = transport.receive(messages.len, |message| expected.check(sequence, message))?;
        match word {
            Word::STOP => return Ok(()),
            Word::QUERY => report(transport, received)?,
            _ if let Some(rounds) = word.bare_rounds() => {
                report(transport, received)?;
                transport.bare(rounds, messages.len, false)?;
            }
            _ => {
                received.count(word, matches);
                match scenario {
                    ScenarioKind::PingPong | ScenarioKind::RoundTrips => {
                        transport.send(messages.from_peer.with(Word::data(sequence, false)))?
                    }
                    ScenarioKind::Stream if word.is_last() => report(transport, received)?,
                    ScenarioKind::Stream => {}
                }
            }
        }
    }
}

fn report<T: Transport>(transport: &mut T, received: Received) -> Result<(), Fault> {
    transport.send(&Report { received, cpu: rustix::thread::sched_getcpu() }.encode())?;
    transport.flush()
}
