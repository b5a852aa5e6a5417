//! The coordinator's side of a server: invites the agents that say that they are there, and connects them with the fleet.

use super::guest::{CALL, HERE, Invitation, directions, invitations};
use super::link::{LinkReader, LinkWriter, is_read};
use super::server::{ANSWER, Server};
use super::{NatsError, is_name};
use crate::fleet::Visitor;
use async_nats::{Request, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

/// The agents that are invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guests {
    /// This many agents, the first that connect.
    Any(u32),
    /// The agents of these names.
    Named(Vec<String>),
}

/// Invites agents until it is dropped.
#[derive(Debug)]
pub struct Reception(Arc<AtomicBool>);

impl Drop for Reception {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How often it asks who is there. Agents that measure do not hear it.
const CALLS: Duration = Duration::from_secs(1);

impl Reception {
    /// Invites `guests` to the run `run`, on a thread of its own, and calls `came` for each that comes, also when it comes again because its
    /// connection was lost.
    pub fn open(
        server: &Server,
        run: &str,
        guests: Guests,
        came: impl Fn(Visitor) + Send + 'static,
    ) -> Result<Self, NatsError> {
        let client = server.client().clone();
        let heard = server.wait(async {
            let heard = client.subscribe(format!("{HERE}.*")).await.map_err(|error| error.to_string())?;
            client.flush().await.map_err(|error| error.to_string())?;
            Ok::<_, String>(heard)
        });
        let heard = heard.map_err(|reason| NatsError::Lost { doing: "tell which agents there are", reason })?;
        let is_closed = Arc::new(AtomicBool::new(false));
        let host = Host { server: server.clone(), run: run.to_owned(), guests, links: HashMap::new() };
        let closed = Arc::clone(&is_closed);
        let begun = thread::Builder::new().name("reception".to_owned()).spawn(move || host.run(heard, &closed, &came));
        begun.map_err(NatsError::Start)?;
        Ok(Self(is_closed))
    }
}

struct Host {
    server: Server,
    run: String,
    guests: Guests,
    /// The subject on which each agent that came is sent to.
    links: HashMap<String, String>,
}

impl Host {
    fn run(mut self, mut heard: Subscriber, is_closed: &AtomicBool, came: &dyn Fn(Visitor)) {
        let mut called: Option<Instant> = None;
        while !is_closed.load(Ordering::Relaxed) {
            if called.is_none_or(|at| at.elapsed() >= CALLS) {
                // One that gets lost is repeated.
                let run = Bytes::from(self.run.clone());
                let _ = self.server.wait(self.server.client().publish(CALL, run));
                called = Some(Instant::now());
            }
            let next = self.server.wait(async { tokio::time::timeout(CALLS, heard.next()).await });
            let subject = match next {
                // An agent begins to wait.
                Ok(Some(message)) if message.payload.is_empty() => {
                    called = None;
                    continue;
                }
                // Another coordinator has called those of other runs.
                Ok(Some(message)) if message.payload != self.run.as_bytes() => continue,
                Ok(Some(message)) => message.subject,
                // The connection is closed for good.
                Ok(None) => return,
                Err(_) => continue,
            };
            if is_closed.load(Ordering::Relaxed) {
                return;
            }
            let name = subject.as_str().rsplit('.').next().unwrap_or_default();
            if !self.is_wanted(name) || self.links.get(name).is_some_and(|link| is_read(&self.server, link)) {
                continue;
            }
            if let Some((visitor, link)) = self.invite(name) {
                self.links.insert(name.to_owned(), link);
                came(visitor);
            }
        }
    }

    fn is_wanted(&self, name: &str) -> bool {
        is_name(name)
            && match &self.guests {
                Guests::Named(names) => names.iter().any(|known| known == name),
                Guests::Any(number) => self.links.contains_key(name) || self.links.len() < *number as usize,
            }
    }

    /// Invites an agent. Returns its connection and the subject on which it is sent to, if it takes the invitation.
    fn invite(&self, name: &str) -> Option<(Visitor, String)> {
        let client = self.server.client();
        // It is not to be guessed.
        let inbox = client.new_inbox();
        let link = inbox.rsplit('.').next().unwrap_or_default().to_owned();
        let [down, up] = directions(name, &link);
        let messages = LinkReader::listen(&self.server, up).ok()?;
        let invitation = serde_json::to_vec(&Invitation { run: self.run.clone(), link }).ok()?;
        let request = Request::new().payload(Bytes::from(invitation)).timeout(Some(ANSWER));
        self.server.wait(client.send_request(invitations(name), request)).ok()?;
        // Its end is sent to the agent, which has to be there.
        let orders = Orders { writer: LinkWriter::new(&self.server, down.clone()), closer: messages.closer() };
        let visitor = Visitor { name: name.to_owned(), orders: Box::new(orders), messages: Box::new(messages) };
        Some((visitor, down))
    }
}

/// Sends orders, and ends the connection if that fails: an agent that cannot be reached cannot end the other direction.
struct Orders {
    writer: LinkWriter,
    closer: AbortHandle,
}

impl Write for Orders {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().inspect_err(|_| self.closer.abort())
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        if self.writer.finish().is_err() {
            self.closer.abort();
        }
    }
}
