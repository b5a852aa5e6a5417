//! A connection of an agent and a coordinator over a server: two directions of bytes, each in numbered messages, of which the next is sent
//! when the one before was answered. A message that is delivered twice is answered twice, and read once.

use super::NatsError;
use super::server::{ANSWER, Server};
use super::stream::payload_max;
use async_nats::{Client, Request, RequestErrorKind, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use std::fmt;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::AbortHandle;

/// How long the other side may be cut off from the server, or the server not answer, before the connection is given up. Nothing is lost then:
/// the agent has what it sent, and sends it again over a new connection.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the other side may not be there although the server is: the time to notice that the server was started again.
const ABSENCE: Duration = Duration::from_secs(10);

/// How long the end of a connection is announced.
const FAREWELL: Duration = Duration::from_secs(2);

/// Messages that wait to be read. Those after them are answered later.
const MESSAGES_MAX: usize = 4;

/// The number of a message that only asks whether the other side is there.
const CHECK: u64 = 0;

/// The sending half. What is written is sent when it is flushed, and was received when that returns.
pub struct LinkWriter {
    server: Server,
    subject: String,
    /// The number of the last message.
    sequence: u64,
    waiting: Vec<u8>,
    is_broken: bool,
}

impl fmt::Debug for LinkWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkWriter").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl LinkWriter {
    /// Sends to the reader of `subject`.
    pub(super) fn new(server: &Server, subject: String) -> Self {
        Self { server: server.clone(), subject, sequence: CHECK, waiting: Vec::new(), is_broken: false }
    }

    /// Sends the next message. An empty one is the end.
    fn send(&mut self, bytes: &[u8], patience: Duration) -> io::Result<()> {
        if self.is_broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.sequence += 1;
        let sent = ask(&self.server, &self.subject, &message(self.sequence, bytes), patience);
        self.is_broken = sent.is_err();
        sent
    }
}

impl LinkWriter {
    /// Tells the reader that nothing follows.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let sent = self.send(b"", FAREWELL);
        self.is_broken = true;
        sent
    }
}

impl Write for LinkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.chunks(payload_max(&self.server)).try_for_each(|chunk| self.send(chunk, PATIENCE))
    }
}

impl Drop for LinkWriter {
    fn drop(&mut self) {
        // The other side notices sooner or later anyway.
        let _ = self.finish();
    }
}

/// A message: its number and its bytes.
fn message(sequence: u64, bytes: &[u8]) -> Bytes {
    Bytes::from([sequence.to_be_bytes().as_slice(), bytes].concat())
}

/// Sends a message until it is answered.
fn ask(server: &Server, subject: &str, message: &Bytes, patience: Duration) -> io::Result<()> {
    let begun = Instant::now();
    let mut absent: Option<Instant> = None;
    loop {
        let request = Request::new().payload(message.clone()).timeout(Some(ANSWER));
        let Err(error) = server.wait(server.client().send_request(subject.to_owned(), request)) else { return Ok(()) };
        match error.kind() {
            RequestErrorKind::NoResponders => {
                let since = *absent.get_or_insert_with(Instant::now);
                if since.elapsed() > ABSENCE.min(patience) {
                    return Err(io::Error::new(io::ErrorKind::NotConnected, "the other side is no longer there"));
                }
            }
            RequestErrorKind::TimedOut | RequestErrorKind::Other => absent = None,
            RequestErrorKind::InvalidSubject | RequestErrorKind::MaxPayloadExceeded => {
                return Err(io::Error::other(error.to_string()));
            }
        }
        if begun.elapsed() > patience {
            return Err(io::Error::new(io::ErrorKind::TimedOut, error.to_string()));
        }
        server.rest();
    }
}

/// Whether `subject` has a reader.
pub(super) fn is_read(server: &Server, subject: &str) -> bool {
    let request = Request::new().payload(message(CHECK, b"")).timeout(Some(ANSWER));
    server.wait(server.client().send_request(subject.to_owned(), request)).is_ok()
}

/// Asks whether the reader of `subject` is still there, and waits for it as [`LinkWriter`] does.
pub(super) fn check(server: &Server, subject: &str) -> io::Result<()> {
    ask(server, subject, &message(CHECK, b""), PATIENCE)
}

/// The receiving half.
pub struct LinkReader {
    received: Receiver<Bytes>,
    current: Bytes,
    task: AbortHandle,
    // What it receives arrives on the threads of this.
    _server: Server,
}

impl fmt::Debug for LinkReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkReader").finish_non_exhaustive()
    }
}

impl LinkReader {
    /// Receives what is sent to `subject`, from now on.
    pub(super) fn listen(server: &Server, subject: String) -> Result<Self, NatsError> {
        let lost = |reason: String| NatsError::Lost { doing: "take part in a connection", reason };
        let client = server.client().clone();
        let subscriber = server.wait(async {
            let subscriber = client.subscribe(subject).await.map_err(|error| error.to_string())?;
            // The other side may send as soon as this returns.
            client.flush().await.map_err(|error| error.to_string())?;
            Ok::<_, String>(subscriber)
        });
        let subscriber = subscriber.map_err(lost)?;
        let (sender, received) = mpsc::channel(MESSAGES_MAX);
        let task = server.spawn(receive(client, subscriber, sender));
        Ok(Self { received, current: Bytes::new(), task, _server: server.clone() })
    }

    /// Ends it: a reader reads the end.
    pub(super) fn closer(&self) -> AbortHandle {
        self.task.clone()
    }
}

impl Read for LinkReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.received.blocking_recv() {
                Some(bytes) => self.current = bytes,
                None => return Ok(0),
            }
        }
        let length = out.len().min(self.current.len());
        out[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}

impl Drop for LinkReader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes on what arrives, in the order of its numbers, until the end or until it is no longer read.
async fn receive(client: Client, mut subscriber: Subscriber, sender: Sender<Bytes>) {
    let mut expected = CHECK + 1;
    loop {
        let arrived = tokio::select! {
            arrived = subscriber.next() => arrived,
            () = sender.closed() => None,
        };
        let Some(arrived) = arrived else { return };
        let Some(reply) = arrived.reply else { continue };
        let Some((number, _)) = arrived.payload.split_first_chunk::<8>() else { continue };
        let (number, bytes) = (u64::from_be_bytes(*number), arrived.payload.slice(8..));
        // A message comes only after the one before was answered: this one is of a connection that has ended.
        if number > expected {
            continue;
        }
        let is_end = number == expected && bytes.is_empty();
        if number == expected {
            expected += 1;
            if !is_end && sender.send(bytes).await.is_err() {
                return;
            }
        }
        // An answer that gets lost is asked for again.
        let _ = client.publish(reply, Bytes::new()).await;
        if is_end {
            // The answer must leave before the process ends.
            let _ = client.flush().await;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nats_server::NatsServer;

    #[test]
    fn bytes_and_the_end_arrive_once_and_in_order() {
        let Some(nats) = NatsServer::start() else { return };
        let (sending, receiving) = (nats.connect(), nats.connect());
        let mut reader = LinkReader::listen(&receiving, "link".to_owned()).unwrap();
        let mut writer = LinkWriter::new(&sending, "link".to_owned());
        // More than one message of a server.
        let large: Vec<u8> = (0..700_000u32).map(|byte| byte as u8).collect();
        let sent = large.clone();
        let sender = std::thread::spawn(move || {
            writer.write_all(b"small").unwrap();
            writer.flush().unwrap();
            // As if the answer had been lost: the same message again, and a question.
            for number in [1, CHECK] {
                ask(&sending, "link", &message(number, b"small"), PATIENCE).unwrap();
            }
            assert!(is_read(&sending, "link"));
            writer.write_all(&sent).unwrap();
            writer.flush().unwrap();
            drop(writer);
            !is_read(&sending, "link")
        });
        let mut found = Vec::new();
        reader.read_to_end(&mut found).unwrap();
        assert_eq!(found, [b"small".as_slice(), &large].concat());
        drop(reader);
        assert!(sender.join().unwrap(), "nobody reads any more");
    }

    #[test]
    fn reader_that_is_gone_is_noticed() {
        let Some(nats) = NatsServer::start() else { return };
        let server = nats.connect();
        let reader = LinkReader::listen(&server, "link".to_owned()).unwrap();
        let mut writer = LinkWriter::new(&server, "link".to_owned());
        writer.write_all(b"x").unwrap();
        writer.flush().unwrap();
        drop(reader);
        let begun = Instant::now();
        assert!(ask(&server, "link", &message(2, b"y"), FAREWELL).is_err());
        assert!(begun.elapsed() < PATIENCE, "an absence is not a server that does not answer");
        writer.is_broken = true;
        assert!(writer.finish().is_err());
    }
}
