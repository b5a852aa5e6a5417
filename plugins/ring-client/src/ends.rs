//! The two ends of one ring.

use bench_plugin::prelude::*;
use bench_plugin::{Consumer, Producer, PushError};

/// Both ends of one ring. A trait, so that the scenarios can be tested on a faulty ring.
pub(crate) trait Ends {
    /// Publishes one message.
    fn push(&mut self, message: &[u8]) -> Result<(), PushError>;

    /// Publishes messages in order until one does not fit; returns how many fitted.
    fn push_batch(&mut self, messages: &[Vec<u8>]) -> usize;

    /// Passes the oldest message to `read`; returns whether there was one.
    fn pop(&mut self, read: impl FnOnce(&[u8])) -> Result<bool, ModuleError>;

    /// Passes up to `max` of the oldest messages to `read`; returns how many there were.
    fn pop_batch(&mut self, max: usize, read: impl FnMut(&[u8])) -> Result<usize, ModuleError>;
}

/// Both ends of a ring of the host.
pub(crate) struct RingEnds {
    // Fields are dropped in order: the reader detaches before the writer removes the ring.
    consumer: Consumer,
    producer: Producer,
}

impl RingEnds {
    /// Opens the ring for `scenario` and its arguments.
    pub(crate) fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Self, ModuleError> {
        let (bytes, crc32c) = (arguments.integer("ring_bytes")?, arguments.flag("crc32c")?);
        let capacity = u32::try_from(bytes).ok().filter(|bytes| bytes.is_power_of_two());
        let capacity = capacity.ok_or_else(|| {
            ModuleError::InvalidArgument(format!(
                "`ring_bytes` is {bytes}, which is not a power of two; give for example 262144"
            ))
        })?;
        // An existing ring keeps its shape when it is opened, so the shape is part of its name.
        let name = format!("ring-client-{scenario}-{capacity}{}", if crc32c { "-crc32c" } else { "" });
        let producer = host.ring_producer(&name, capacity, crc32c)?;
        let consumer = host.ring_consumer(&name)?;
        Ok(Self { consumer, producer })
    }
}

impl Ends for RingEnds {
    #[inline]
    fn push(&mut self, message: &[u8]) -> Result<(), PushError> {
        self.producer.push(message)
    }

    #[inline]
    fn push_batch(&mut self, messages: &[Vec<u8>]) -> usize {
        self.producer.push_batch(messages)
    }

    #[inline]
    fn pop(&mut self, read: impl FnOnce(&[u8])) -> Result<bool, ModuleError> {
        Ok(self.consumer.pop(read)?.is_some())
    }

    #[inline]
    fn pop_batch(&mut self, max: usize, read: impl FnMut(&[u8])) -> Result<usize, ModuleError> {
        self.consumer.pop_batch(max, read)
    }
}

/// Removes the messages of an earlier session, then fills the ring and drains it; returns how many messages it holds,
/// at least one. This also touches the ring's memory before the clock starts.
pub(crate) fn try_out(ends: &mut impl Ends, message: &[u8]) -> Result<u64, ModuleError> {
    while ends.pop(|_| {})? {}
    let (mut pushed, mut same) = (0, 0);
    while ends.push(message).is_ok() {
        pushed += 1;
    }
    while ends.pop(|found| same += u64::from(found == message))? {}
    match pushed {
        0 => {
            let bytes = message.len();
            let reason =
                format!("`ring_bytes` is too small for a message of `payload_bytes` {bytes}; give a larger ring_bytes");
            Err(ModuleError::InvalidArgument(reason))
        }
        _ if pushed == same => Ok(pushed),
        _ => {
            Err(ModuleError::Other(format!("only {same} of {pushed} messages that filled the ring came out unchanged")))
        }
    }
}

#[cfg(test)]
pub(crate) mod faulty {
    //! A ring in memory with one fault, for tests.

    use super::*;
    use std::collections::VecDeque;

    /// What happens to message number `at`, counted from 0, including those of `try_out`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(crate) enum Fault {
        /// Nothing.
        None,
        /// It is accepted but never comes out.
        Lost,
        /// Its last byte changes.
        Altered,
        /// It comes out twice.
        Repeated,
    }

    pub(crate) struct Faulty {
        pub(crate) messages_max: usize,
        pub(crate) fault: Fault,
        pub(crate) at: usize,
        seen: usize,
        queue: VecDeque<Vec<u8>>,
    }

    impl Faulty {
        pub(crate) fn new(messages_max: usize, fault: Fault, at: usize) -> Self {
            Self { messages_max, fault, at, seen: 0, queue: VecDeque::new() }
        }
    }

    impl Ends for Faulty {
        fn push(&mut self, message: &[u8]) -> Result<(), PushError> {
            if self.queue.len() >= self.messages_max {
                return Err(PushError::Full);
            }
            let mut message = message.to_vec();
            self.seen += 1;
            match if self.seen - 1 == self.at { self.fault } else { Fault::None } {
                Fault::Lost => return Ok(()),
                Fault::Altered => *message.last_mut().unwrap() ^= 1,
                Fault::Repeated => self.queue.push_back(message.clone()),
                Fault::None => {}
            }
            self.queue.push_back(message);
            Ok(())
        }

        fn push_batch(&mut self, messages: &[Vec<u8>]) -> usize {
            messages.iter().take_while(|message| self.push(message).is_ok()).count()
        }

        fn pop(&mut self, read: impl FnOnce(&[u8])) -> Result<bool, ModuleError> {
            Ok(self.queue.pop_front().map(|message| read(&message)).is_some())
        }

        fn pop_batch(&mut self, max: usize, read: impl FnMut(&[u8])) -> Result<usize, ModuleError> {
            let count = max.min(self.queue.len());
            self.queue
                .drain(..count)
                .map(|message| message.to_vec())
                .collect::<Vec<_>>()
                .iter()
                .map(Vec::as_slice)
                .for_each(read);
            Ok(count)
        }
    }

    /// Sends 10 messages and returns the names of the checks that failed.
    pub(crate) fn failed(session: &mut impl Session) -> Vec<String> {
        for times in [0, 3, 7] {
            assert_eq!(session.iterate(times).unwrap().operations, times);
        }
        session.verify().unwrap().into_iter().filter(|check| !check.passed).map(|check| check.name).collect()
    }

    #[test]
    fn try_out_counts_the_capacity_of_the_ring() {
        assert_eq!(try_out(&mut Faulty::new(3, Fault::None, 0), &[0; 64]), Ok(3));
        let error = try_out(&mut Faulty::new(3, Fault::Altered, 1), &[0; 64]).unwrap_err();
        assert_eq!(error.to_string(), "only 2 of 3 messages that filled the ring came out unchanged");
    }

    #[test]
    fn a_ring_too_small_for_a_message_is_refused() {
        let error = try_out(&mut Faulty::new(0, Fault::None, 0), &[0; 64]).unwrap_err();
        assert!(matches!(error, ModuleError::InvalidArgument(_)), "{error:?}");
    }
}
