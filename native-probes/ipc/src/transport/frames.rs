//! Two rings in shared memory with spinning waits, which carry frames: several messages of one length with one header.

use super::{Fault, Link, Setup, Transport, copy_short};
use bench_model::ModuleError;
use ring_peer::{SPIN_ROUNDS, Watch};
use rustix::fd::{AsRawFd, RawFd};
use shm_ring::{Consumer, Integrity, Producer, PushError, Ring, Wait};

/// Frames in a ring, so that each side can work on its own.
const FRAMES_MIN: usize = 4;
const CAPACITY_MIN: usize = 128 << 10;

const WAIT: Wait = Wait::Spin { rounds: SPIN_ROUNDS };

pub(crate) struct Frames {
    to_peer: Ring,
    from_peer: Ring,
    frame_max: usize,
}

pub(crate) struct Side {
    producer: Producer,
    consumer: Consumer,
    /// The messages for the next frame.
    output: Vec<u8>,
    output_len: usize,
    /// The last received frame, which has been read up to `read`.
    input: Vec<u8>,
    input_len: usize,
    read: usize,
    watch: Watch,
    fds: [RawFd; 2],
}

impl Link for Frames {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let frame_max = setup.message_max.max(setup.frame_bytes);
        let capacity = (frame_max * FRAMES_MIN + 1).next_power_of_two().max(CAPACITY_MIN);
        let ring = || {
            Ring::create(capacity, Integrity::None)
                .map_err(|error| ModuleError::Other(format!("cannot create the ring: {error}")))
        };
        Ok(Self { to_peer: ring()?, from_peer: ring()?, frame_max })
    }

    fn parent(self, watch: Watch) -> Result<Side, Fault> {
        Side::new(&self.to_peer, &self.from_peer, self.frame_max, watch)
    }

    fn peer(self) -> Result<Side, Fault> {
        Side::new(&self.from_peer, &self.to_peer, self.frame_max, Watch::on_parent())
    }
}

impl Side {
    fn new(output: &Ring, input: &Ring, frame_max: usize, watch: Watch) -> Result<Self, Fault> {
        let taken = |_| Fault::Protocol("an end of the ring was taken before");
        let fds = [output.fd().as_raw_fd(), input.fd().as_raw_fd()];
        let (producer, consumer) = (output.producer().map_err(taken)?, input.consumer().map_err(taken)?);
        let (output, input) = (vec![0; frame_max], vec![0; frame_max]);
        Ok(Self { producer, consumer, output, output_len: 0, input, input_len: 0, read: 0, watch, fds })
    }

    #[inline(never)]
    fn send_frame(&mut self) -> Result<(), Fault> {
        let frame = &self.output[..self.output_len];
        self.output_len = 0;
        if frame.is_empty() {
            return Ok(());
        }
        loop {
            match self.producer.push_waiting(frame, WAIT) {
                Ok(()) => {
                    // The lines of the next frame come while its messages are composed.
                    self.producer.prefetch(frame.len());
                    return Ok(());
                }
                Err(PushError::TooLarge) => return Err(Fault::Protocol("a frame does not fit in the ring")),
                Err(PushError::Full) if self.watch.is_gone() => return Err(Fault::Closed),
                Err(PushError::Full) => {}
            }
        }
    }

    /// Copies the next frame out of the ring, so that its cache lines arrive together.
    #[inline(never)]
    fn receive_frame(&mut self) -> Result<(), Fault> {
        self.send_frame()?;
        while !self.consumer.wait(WAIT) {
            if self.watch.is_gone() {
                return Err(Fault::Closed);
            }
        }
        let input = &mut self.input;
        let copied = self.consumer.pop(|frame| {
            input.get_mut(..frame.len()).map(|room| {
                room.copy_from_slice(frame);
                frame.len()
            })
        });
        (self.input_len, self.read) = match copied {
            Ok(Some(Some(len))) => {
                // The lines of the next frame, if it is there, come while the messages of this one are checked.
                self.consumer.prefetch();
                (len, 0)
            }
            Ok(Some(None)) => return Err(Fault::Protocol("a frame is longer than expected")),
            Ok(None) => return Err(Fault::Protocol("a frame disappeared from the ring")),
            Err(_) => return Err(Fault::Protocol("the ring is damaged")),
        };
        Ok(())
    }
}

impl Transport for Side {
    #[inline(always)]
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        let end = self.output_len + message.len();
        if end > self.output.len() {
            self.send_frame()?;
        }
        let (start, end) = (self.output_len, self.output_len + message.len());
        copy_short(message, &mut self.output[start..end]);
        self.output_len = end;
        Ok(())
    }

    #[inline(always)]
    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        if self.read == self.input_len {
            self.receive_frame()?;
        }
        let (start, end) = (self.read, self.read + len);
        if end > self.input_len {
            return Err(Fault::Protocol("received a message of unexpected length"));
        }
        self.read = end;
        Ok(read(&self.input[start..end]))
    }

    #[inline(always)]
    fn room(&mut self, len: usize, most: u64) -> Result<Option<&mut [u8]>, Fault> {
        if self.output_len + len > self.output.len() {
            self.send_frame()?;
        }
        let free = (self.output.len() - self.output_len) / len;
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(free);
        Ok(Some(&mut self.output[self.output_len..][..count * len]))
    }

    #[inline(always)]
    fn commit(&mut self, bytes: usize) {
        self.output_len += bytes;
    }

    #[inline(always)]
    fn arrived(&mut self, len: usize) -> Result<Option<&[u8]>, Fault> {
        if self.read == self.input_len {
            self.receive_frame()?;
        }
        let left = self.input_len - self.read;
        if left < len {
            return Err(Fault::Protocol("received a message of unexpected length"));
        }
        Ok(Some(&self.input[self.read..][..left - left % len]))
    }

    #[inline(always)]
    fn consume(&mut self, bytes: usize) {
        self.read += bytes;
    }

    #[inline(always)]
    fn flush(&mut self) -> Result<(), Fault> {
        self.send_frame()
    }

    fn fds(&self) -> Vec<RawFd> {
        self.fds.to_vec()
    }
}
