//! Messages to a second process through two rings: round trips, or one direction.

use crate::message::{self, Receiver};
use bench_plugin::prelude::*;
use bench_plugin::{Peer, PeerConfig, Placement, Tally, Task, Waiting};

/// The transports, named as in the probe `ipc`.
pub(crate) const TRANSPORTS: [&str; 3] = ["shm-ring-spin", "shm-ring-futex", BATCHED];
/// The transports without batches, for scenarios that wait for each answer.
pub(crate) const PING_PONG_TRANSPORTS: [&str; 2] = [TRANSPORTS[0], TRANSPORTS[1]];
/// Messages are passed to the host, and sent to the peer, in batches.
const BATCHED: &str = "shm-ring-batch";

/// The placements, named as in the probe `ipc`.
pub(crate) const PLACEMENTS: [&str; 2] = ["same", "cross"];

/// A ring holds at least four messages, like those of `ipc`, and is small enough to stay in a cache; with batches it
/// holds several batches.
const RING_BYTES_MIN: usize = 16 << 10;
const BATCH_RING_BYTES_MIN: usize = 128 << 10;
const MESSAGES_MIN: usize = 4;

/// A batch fits in the second-level cache.
const BATCH_BYTES_MAX: usize = 64 << 10;
const BATCH_MESSAGES_MAX: usize = 256;

/// The other process. A trait, so that the scenarios can be tested with a faulty one.
pub(crate) trait Far {
    /// Sends one message.
    fn send(&mut self, message: &[u8]) -> Result<(), ModuleError>;
    /// Sends messages in order.
    fn send_batch(&mut self, messages: &[Vec<u8>]) -> Result<(), ModuleError>;
    /// Waits for the next answer, and passes it to `read`.
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> Result<(), ModuleError>;
    /// The report of the other process.
    fn tally(&mut self) -> Result<Tally, ModuleError>;
}

impl Far for Peer {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), ModuleError> {
        Self::send(self, message)
    }

    #[inline]
    fn send_batch(&mut self, messages: &[Vec<u8>]) -> Result<(), ModuleError> {
        Self::send_batch(self, messages)
    }

    #[inline]
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> Result<(), ModuleError> {
        Self::receive(self, read)
    }

    fn tally(&mut self) -> Result<Tally, ModuleError> {
        Self::tally(self)
    }
}

/// Starts the process for `arguments`, which counts messages or sends them back. The flag says whether they are sent in
/// batches.
pub(crate) fn start(counts: bool, arguments: &Arguments, host: Host) -> Result<(Peer, bool), ModuleError> {
    let (transport, payload_bytes) = (arguments.text("transport")?, arguments.size("payload_bytes")?);
    let batched = transport == BATCHED;
    let task = if counts { Task::Count } else { Task::Echo };
    let waiting = if transport == TRANSPORTS[1] { Waiting::Sleeping } else { Waiting::Spinning };
    let placement = if arguments.text("placement")? == PLACEMENTS[1] { Placement::Cross } else { Placement::Same };
    let least = if batched { BATCH_RING_BYTES_MIN } else { RING_BYTES_MIN };
    let ring_bytes = (payload_bytes * MESSAGES_MIN + 1).next_power_of_two().max(least) as u32;
    Ok((host.ring_peer(PeerConfig { task, waiting, placement, ring_bytes })?, batched))
}

/// Round trips, one at a time.
pub(crate) struct PingPong<F> {
    far: F,
    message: Vec<u8>,
    sent: u64,
    receiver: Receiver,
}

impl<F: Far> PingPong<F> {
    pub(crate) fn new(far: F, payload_bytes: usize) -> Self {
        Self { far, message: message::new(payload_bytes), sent: 0, receiver: Receiver::new(payload_bytes) }
    }
}

impl<F: Far> Session for PingPong<F> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            message::number(&mut self.message, self.sent);
            self.far.send(&self.message)?;
            self.sent += 1;
            let receiver = &mut self.receiver;
            self.far.receive(|message| receiver.take(message))?;
        }
        let bytes = 2 * times * self.message.len() as u64;
        Ok(Outcome { operations: times, bytes, checksum: self.receiver.digest() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let tally = self.far.tally()?;
        let mut checks = self.receiver.checks(self.sent);
        checks.push(Check::equal("peer-received-every-message", &self.sent, &tally.messages));
        checks.push(Check::equal("placement", &true, &tally.in_place));
        Ok(checks)
    }
}

/// Messages in one direction. The timed part ends with the report of the peer about all of them.
pub(crate) struct OneWay<F> {
    far: F,
    batch: Vec<Vec<u8>>,
    batched: bool,
    payload_bytes: usize,
    digest: u64,
    sent: u64,
    seen: Tally,
}

impl<F: Far> OneWay<F> {
    pub(crate) fn new(mut far: F, batched: bool, payload_bytes: usize) -> Result<Self, ModuleError> {
        let messages = if batched { (BATCH_BYTES_MAX / payload_bytes).clamp(1, BATCH_MESSAGES_MAX) } else { 1 };
        let batch = vec![message::new(payload_bytes); messages];
        let digest = Receiver::new(payload_bytes).digest();
        let seen = far.tally()?;
        Ok(Self { far, batch, batched, payload_bytes, digest, sent: 0, seen })
    }

    fn send(&mut self, most: u64) -> Result<u64, ModuleError> {
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.batch.len());
        let batch = &mut self.batch[..count];
        batch.iter_mut().zip(self.sent..).for_each(|(message, sequence)| message::number(message, sequence));
        match batch {
            [message] if !self.batched => self.far.send(message)?,
            batch => self.far.send_batch(batch)?,
        }
        self.sent += count as u64;
        Ok(count as u64)
    }
}

impl<F: Far> Session for OneWay<F> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut left = times;
        while left > 0 {
            left -= self.send(left)?;
        }
        if times > 0 {
            self.seen = self.far.tally()?;
        }
        let bytes = times * self.payload_bytes as u64;
        let wrong = self.seen.altered + self.seen.out_of_order;
        Ok(Outcome { operations: times, bytes, checksum: self.digest.wrapping_add(wrong) })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let tally = self.far.tally()?;
        let first = if self.sent == 0 { 0 } else { self.digest };
        Ok(vec![
            Check::equal("content", &(0, first), &(tally.altered, tally.digest)),
            Check::equal("order", &0, &tally.out_of_order),
            Check::equal("nothing-lost", &self.sent, &tally.messages),
            Check::equal("placement", &true, &tally.in_place),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ends::Ends;
    use crate::ends::faulty::{Fault, Faulty, failed};

    /// A faulty ring on one thread instead of a peer.
    struct Near {
        ring: Faulty,
        receiver: Receiver,
        counts: bool,
    }

    impl Near {
        fn new(fault: Fault, counts: bool) -> Self {
            Self { ring: Faulty::new(usize::MAX, fault, 4), receiver: Receiver::new(64), counts }
        }
    }

    impl Far for Near {
        fn send(&mut self, message: &[u8]) -> Result<(), ModuleError> {
            self.ring.push(message).map_err(|error| ModuleError::Other(format!("{error:?}")))?;
            while self.counts && self.ring.pop(|message| self.receiver.take(message))? {}
            Ok(())
        }

        fn send_batch(&mut self, messages: &[Vec<u8>]) -> Result<(), ModuleError> {
            messages.iter().try_for_each(|message| self.send(message))
        }

        fn receive(&mut self, read: impl FnOnce(&[u8])) -> Result<(), ModuleError> {
            self.receiver.take(&[]);
            self.ring.pop(read).map(|_| ())
        }

        fn tally(&mut self) -> Result<Tally, ModuleError> {
            let (messages, [altered, out_of_order]) = (self.receiver.received(), self.receiver.wrong());
            let digest = if messages == 0 { 0 } else { Receiver::new(64).digest() };
            Ok(Tally { messages, altered, out_of_order, digest, in_place: true })
        }
    }

    fn check(fault: Fault, ping_pong: &[&str], one_way: &[&str]) {
        assert_eq!(failed(&mut PingPong::new(Near::new(fault, false), 64)), ping_pong, "{fault:?}");
        for batched in [false, true] {
            let mut session = OneWay::new(Near::new(fault, true), batched, 64).unwrap();
            assert_eq!(failed(&mut session), one_way, "{fault:?}");
        }
    }

    #[test]
    fn each_fault_fails_its_checks() {
        check(Fault::None, &[], &[]);
        check(Fault::Lost, &["order", "nothing-lost"], &["order", "nothing-lost"]);
        check(Fault::Altered, &["content"], &["content"]);
        check(Fault::Repeated, &["order"], &["order", "nothing-lost"]);
    }
}
