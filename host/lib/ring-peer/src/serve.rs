//! The peer's loop: echoes each message, or checks and counts each. An empty message asks for its tally.

use crate::process::{EXIT_TRANSPORT, LOOK_AFTER, SPIN_ROUNDS};
use shm_ring::{Consumer, Producer, PushError, Wait};
use vocabulary::peers::Task;

/// The peer's counts since it was started, as they are sent over the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Messages received.
    pub(crate) messages: u64,
    /// Messages that differ from the first one; 0 for an echo.
    pub(crate) altered: u64,
    /// Messages whose number did not follow the previous one.
    pub(crate) out_of_order: u64,
    /// FNV-1a (64 bits) of the first message without its number; 0 before it arrives, and for an echo.
    pub(crate) digest: u64,
    /// The CPU it ran on when it sent the tally.
    pub(crate) cpu: u64,
}

impl Seen {
    pub(crate) const BYTES: usize = 40;

    fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let fields = [self.messages, self.altered, self.out_of_order, self.digest, self.cpu];
        for (field, room) in fields.into_iter().zip(bytes.as_chunks_mut().0) {
            *room = field.to_ne_bytes();
        }
        bytes
    }

    /// Parses a tally; `None` where `bytes` are not one.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, []) = bytes.as_chunks() else { return None };
        let &[messages, altered, out_of_order, digest, cpu] = fields else { return None };
        let [messages, altered, out_of_order, digest, cpu] =
            [messages, altered, out_of_order, digest, cpu].map(u64::from_ne_bytes);
        Some(Self { messages, altered, out_of_order, digest, cpu })
    }
}

/// The peer's ends and counts. Created before the fork, so that the peer does not allocate.
#[derive(Debug)]
pub(crate) struct Server {
    task: Task,
    wait: Wait,
    tally: Seen,
    /// The first message, once it arrived.
    model: Vec<u8>,
    next: u64,
}

impl Server {
    pub(crate) fn new(task: Task, wait: Wait, message_max: usize) -> Self {
        Self { task, wait, tally: Seen::default(), model: Vec::with_capacity(message_max), next: 0 }
    }

    /// Serves for ever; returns the exit status where a ring is damaged. It need not watch its parent, with which it ends.
    pub(crate) fn serve(&mut self, mut input: Consumer, mut output: Producer) -> i32 {
        loop {
            if !input.wait(self.wait) {
                continue;
            }
            match input.peek() {
                Ok(Some([])) => {
                    self.tally.cpu = rustix::thread::sched_getcpu() as u64;
                    if !send(&mut output, &self.tally.encode(), self.wait) {
                        return EXIT_TRANSPORT;
                    }
                }
                Ok(Some(message)) if self.task == Task::Echo => {
                    self.tally.messages += 1;
                    if !send(&mut output, message, self.wait) {
                        return EXIT_TRANSPORT;
                    }
                }
                Ok(Some(message)) => self.count(message),
                Ok(None) => {}
                Err(_) => return EXIT_TRANSPORT,
            }
            input.release();
        }
    }

    fn count(&mut self, message: &[u8]) {
        self.tally.messages += 1;
        let (number, pattern) = message.split_at(message.len().min(NUMBER_BYTES));
        let number = number.try_into().map_or(0, u64::from_le_bytes);
        if self.model.is_empty() {
            self.model.extend_from_slice(message);
            self.next = number;
            self.tally.digest = fnv1a(pattern);
        }
        self.tally.out_of_order += u64::from(number != self.next);
        self.next = number.wrapping_add(1);
        let model = self.model.get(NUMBER_BYTES..).unwrap_or_default();
        self.tally.altered += u64::from(message.len() != self.model.len() || pattern != model);
    }
}

/// Bytes of the number at the beginning of a message.
const NUMBER_BYTES: usize = 8;

/// The wait of a side that spins, or that sleeps after `rounds`.
pub(crate) fn wait(spins: bool, rounds: u32) -> Wait {
    if spins { Wait::Spin { rounds: SPIN_ROUNDS } } else { Wait::Park { rounds, timeout: LOOK_AFTER } }
}

/// Sends `message`; waits for room, which appears when the other side reads its answers. Returns whether it was sent.
fn send(output: &mut Producer, message: &[u8], wait: Wait) -> bool {
    loop {
        match output.push_waiting(message, wait) {
            Ok(()) => return true,
            Err(PushError::Full) => {}
            Err(PushError::TooLarge) => return false,
        }
    }
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64, pattern: &[u8]) -> Vec<u8> {
        [&number.to_le_bytes()[..], pattern].concat()
    }

    /// Counts `messages` and compares what was found wrong: altered, and out of order.
    fn check(messages: &[Vec<u8>], altered: u64, out_of_order: u64) {
        let mut server = Server::new(Task::Count, wait(true, 0), 64);
        messages.iter().for_each(|message| server.count(message));
        let tally = Seen { messages: messages.len() as u64, altered, out_of_order, digest: fnv1a(b"foobar"), cpu: 0 };
        assert_eq!(server.tally, tally, "{messages:?}");
        assert_eq!(Seen::decode(&tally.encode()), Some(tally));
    }

    #[test]
    fn altered_and_out_of_order_messages_are_counted() {
        let first = message(5, b"foobar");
        check(&[first.clone(), message(6, b"foobar"), message(7, b"foobar")], 0, 0);
        check(&[first.clone(), message(6, b"foobaR"), message(7, b"foobar!")], 2, 0);
        check(&[first.clone(), message(7, b"foobar"), message(8, b"foobar")], 0, 1);
        check(&[first, vec![6]], 1, 1);
    }

    #[test]
    fn bytes_of_another_length_are_not_a_tally() {
        assert_eq!((Seen::decode(&[0; 48]), Seen::decode(&[0; 39]), Seen::decode(&[])), (None, None, None));
    }
}
