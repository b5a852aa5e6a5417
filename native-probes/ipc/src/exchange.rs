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
        if times == 0 {
            return Ok(());
        }
        self.send(false)?;
        let Prepared { to_peer, from_peer, len } = &mut self.messages;
        for _ in 1..times {
            let (sequence, word) = (self.sent.messages - 1, Word::data(self.sent.messages, false));
            let check = |message: &[u8]| from_peer.check(sequence, message);
            let (found, matches) = self.transport.answer(*len, to_peer.with(word), |_| true, check)?;
            self.sent = Sent { messages: self.sent.messages + 1, digest: fold(self.sent.digest, word) };
            self.received.count(found, matches);
        }
        let sequence = self.sent.messages - 1;
        let (found, matches) = self.transport.receive(*len, |message| from_peer.check(sequence, message))?;
        self.received.count(found, matches);
        Ok(())
    }

    fn stream(&mut self, times: u64) -> Result<(), Fault> {
        let mut left = times;
        while left > 0 {
            let Some(run) = self.transport.room(self.messages.len, left)? else {
                left -= 1;
                self.send(left == 0)?;
                continue;
            };
            let (bytes, sent) = (run.len(), self.sent);
            let count = (bytes / self.messages.len) as u64;
            left -= count;
            let digest = self.messages.to_peer.compose(sent.messages, left == 0, sent.digest, run);
            self.sent = Sent { messages: sent.messages + count, digest };
            self.transport.commit(bytes);
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
    let Prepared { to_peer, from_peer, len } = messages;
    let (len, streams) = (*len, scenario == ScenarioKind::Stream);
    let mut received = Received::default();
    loop {
        if streams && let Some(run) = transport.arrived(len)? {
            let (bytes, ends) = to_peer.check_run(&mut received, run);
            transport.consume(bytes);
            if ends {
                report(transport, received)?;
            }
            // Otherwise a request is at the front.
            if bytes > 0 {
                continue;
            }
        }
        let sequence = received.messages;
        let check = |message: &[u8]| to_peer.check(sequence, message);
        let (word, matches) = if streams {
            transport.receive(len, check)?
        } else {
            let answer = from_peer.with(Word::data(sequence, false));
            transport.answer(len, answer, |message| Word::of(message).is_data(), check)?
        };
        match word {
            Word::STOP => return Ok(()),
            Word::QUERY => report(transport, received)?,
            _ if let Some(rounds) = word.bare_rounds() => {
                report(transport, received)?;
                transport.bare(rounds, len, false)?;
            }
            _ => {
                received.count(word, matches);
                if streams && word.is_last() {
                    report(transport, received)?;
                }
            }
        }
    }
}

fn report<T: Transport>(transport: &mut T, received: Received) -> Result<(), Fault> {
    transport.send(&Report { received, cpu: rustix::thread::sched_getcpu() }.encode())?;
    transport.flush()
}
