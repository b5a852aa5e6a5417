//! The stream of a run: messages of which the first of each subject wins and stays.

use super::server::{ANSWER, Server};
use super::{NatsError, is_name};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, LastRawMessageErrorKind, StorageType, Stream};
use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use std::fmt;
use std::time::{Duration, Instant};

/// What is kept of a run on the server. Each message is written once; a message that was written before is answered with what it holds.
pub struct RunStream {
    server: Server,
    context: Context,
    stream: Stream,
    config: Config,
    /// The beginning of all subjects, with the dot.
    prefix: String,
    /// The number of the newest message that this process knows.
    last: u64,
    /// Whether the server has lost messages.
    is_incomplete: bool,
}

impl fmt::Debug for RunStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunStream").field("prefix", &self.prefix).field("last", &self.last).finish_non_exhaustive()
    }
}

/// The outcome of storing a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is the first of its subject, and stays.
    First,
    /// This was there before.
    Taken(Vec<u8>),
}

/// How long a server that does not answer is waited for: the time to start it again.
const PATIENCE: Duration = Duration::from_secs(120);

/// The subject of the names of the agents.
const AGENTS: &str = "agents";

/// The subject that says that the server has lost messages, so that the agents have to send again what they have.
const INCOMPLETE: &str = "incomplete";

impl RunStream {
    /// Opens the stream of the run `id`, or creates it. One from which the server has lost messages is made anew.
    pub fn open(server: &Server, id: &str) -> Result<Self, NatsError> {
        server.check()?;
        if !is_name(id) {
            return Err(NatsError::Malformed(format!("the name of a run {id:?}")));
        }
        // It starts a task of its own.
        let mut context = server.wait(async { jetstream::new(server.client().clone()) });
        context.set_timeout(ANSWER);
        let config = Config {
            name: format!("BENCH_HOST_{id}"),
            subjects: vec![format!("bench-host.run.{id}.>")],
            storage: StorageType::File,
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            discard_new_per_subject: true,
            ..Config::default()
        };
        let stream = create_patiently(server, &context, &config)?;
        let last = stream.cached_info().state.last_sequence;
        let prefix = format!("bench-host.run.{id}.");
        let mut opened = Self { server: server.clone(), context, stream, config, prefix, last, is_incomplete: false };
        if opened.get(INCOMPLETE)?.is_some() {
            opened.remove()?;
            opened.stream = create_patiently(server, &opened.context, &opened.config)?;
            opened.last = 0;
        }
        Ok(opened)
    }

    /// The agents of the run in the order of their numbers; `None` if it never began.
    pub fn agents(&self) -> Result<Option<Vec<String>>, NatsError> {
        let Some(found) = self.get(AGENTS)? else { return Ok(None) };
        let names: Option<Vec<String>> = serde_json::from_slice(&found).ok();
        let names = names.filter(|names| names.iter().all(|name| is_name(name)));
        names.map(Some).ok_or_else(|| NatsError::Malformed(AGENTS.to_owned()))
    }

    /// Keeps the names of the agents, unless there are some.
    pub fn keep_agents(&mut self, names: &[String]) -> Result<(), NatsError> {
        let names = serde_json::to_vec(names).map_err(|_| NatsError::Malformed(AGENTS.to_owned()))?;
        self.put(AGENTS, &names).map(drop)
    }

    /// Writes `payload` under `subject`, if nothing is there. Waits for a server that is being started again.
    pub(crate) fn put(&mut self, subject: &str, payload: &[u8]) -> Result<Put, NatsError> {
        let begun = Instant::now();
        loop {
            let reason = match self.publish(subject, payload) {
                Ok(sequence) => return self.note(sequence).map(|()| Put::First),
                Err((kind, reason)) => {
                    match kind {
                        PublishErrorKind::MaxPayloadExceeded => {
                            return Err(NatsError::Lost { doing: "keep a message", reason });
                        }
                        // It was started again and is not ready, or its disk was emptied.
                        PublishErrorKind::StreamNotFound => _ = create(&self.server, &self.context, &self.config),
                        PublishErrorKind::WrongLastSequence | PublishErrorKind::Other => {
                            if let Ok(Some(found)) = self.find(subject) {
                                return Ok(Put::Taken(found));
                            }
                        }
                        PublishErrorKind::WrongLastMessageId
                        | PublishErrorKind::TimedOut
                        | PublishErrorKind::BrokenPipe
                        | PublishErrorKind::MaxAckPending => {}
                    }
                    reason
                }
            };
            if begun.elapsed() > PATIENCE {
                return Err(NatsError::Lost { doing: "keep what the agents measured", reason });
            }
            self.server.rest();
        }
    }

    /// What is kept under `subject`. Waits for a server that is being started again.
    pub(crate) fn get(&self, subject: &str) -> Result<Option<Vec<u8>>, NatsError> {
        let begun = Instant::now();
        loop {
            match self.find(subject) {
                Ok(found) => return Ok(found),
                Err(reason) if begun.elapsed() > PATIENCE => {
                    return Err(NatsError::Lost { doing: "tell what it keeps", reason });
                }
                Err(_) => self.server.rest(),
            }
        }
    }

    /// Calls `each` with the subject and the content of each message, in the order in which they were written.
    pub(crate) fn each<E: From<NatsError>>(&self, mut each: impl FnMut(&str, &[u8]) -> Result<(), E>) -> Result<(), E> {
        for sequence in 1..=self.last {
            let found = self.server.wait(self.stream.get_raw_message(sequence));
            match found {
                Ok(message) => {
                    let subject = message.subject.as_str().strip_prefix(&self.prefix).unwrap_or_default();
                    each(subject, &message.payload)?;
                }
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {}
                Err(error) => {
                    let reason = error.to_string();
                    return Err(NatsError::Lost { doing: "tell what it keeps", reason }.into());
                }
            }
        }
        Ok(())
    }

    /// The largest message that the server takes, without what the client adds.
    pub(crate) fn payload_max(&self) -> usize {
        payload_max(&self.server)
    }

    /// Removes the stream: its run is merged.
    pub fn remove(&self) -> Result<(), NatsError> {
        let removed = self.server.wait(self.context.delete_stream(&self.config.name));
        removed.map(drop).map_err(|error| NatsError::Lost { doing: "remove a stream", reason: error.to_string() })
    }

    fn publish(&self, subject: &str, payload: &[u8]) -> Result<u64, (PublishErrorKind, String)> {
        let message =
            PublishMessage::build().payload(Bytes::copy_from_slice(payload)).expected_last_subject_sequence(0);
        let subject = format!("{}{subject}", self.prefix);
        let published = self.server.wait(async { self.context.send_publish(subject, message).await?.await });
        published.map(|ack| ack.sequence).map_err(|error| (error.kind(), error.to_string()))
    }

    fn find(&self, subject: &str) -> Result<Option<Vec<u8>>, String> {
        let subject = format!("{}{subject}", self.prefix);
        match self.server.wait(self.stream.get_last_raw_message_by_subject(&subject)) {
            Ok(message) => Ok(Some(message.payload.to_vec())),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Notes the number of a message that was written. A number that was there before shows that the server has lost messages, so that what
    /// it keeps is no longer the whole run.
    fn note(&mut self, sequence: u64) -> Result<(), NatsError> {
        let has_lost = sequence <= self.last;
        self.last = sequence;
        if has_lost && !self.is_incomplete {
            self.is_incomplete = true;
            self.put(INCOMPLETE, b"")?;
        }
        Ok(())
    }
}

/// The largest payload of a message of this server. The rest is for the subject and headers.
pub(super) fn payload_max(server: &Server) -> usize {
    server.client().server_info().max_payload.saturating_sub(4 << 10).clamp(1 << 10, 256 << 10)
}

/// How often a busy server is asked for a stream.
const TRIES: usize = 5;

/// As [`create`], but asks again if the server does not answer in time.
fn create_patiently(server: &Server, context: &Context, config: &Config) -> Result<Stream, NatsError> {
    let mut created = create(server, context, config);
    for _ in 1..TRIES {
        if !matches!(created, Err(NatsError::Lost { .. })) {
            break;
        }
        created = create(server, context, config);
    }
    created
}

/// Creates the stream, or opens it if it is there.
fn create(server: &Server, context: &Context, config: &Config) -> Result<Stream, NatsError> {
    use async_nats::jetstream::context::CreateStreamErrorKind as Kind;

    server.wait(context.create_stream(config)).map_err(|error| match error.kind() {
        Kind::JetStreamUnavailable => NatsError::NoJetStream { address: server.address().to_owned() },
        _ => NatsError::Lost { doing: "create the stream of the run", reason: error.to_string() },
    })
}
