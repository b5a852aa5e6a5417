//! An agent that dials out to a server: it answers coordinators that ask who is there, and waits until one invites it to a run.

use super::link::{LinkReader, LinkWriter, check};
use super::server::{ANSWER, Server};
use super::{NatsError, is_name};
use async_nats::{Client, Request, RequestErrorKind, Subject, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use std::{fmt, io};

/// An invitation to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The name of the run.
    pub run: String,
    /// The name of the connection.
    pub link: String,
}

/// The subject on which coordinators ask who is there, with the name of the run.
pub(super) const CALL: &str = "bench-host.call";

/// The subject on which agents answer that they are there, with the name of the run; without one when they begin to wait. Their own names
/// follow.
pub(super) const HERE: &str = "bench-host.here";

/// The subject on which the agent `name` is invited.
pub(super) fn invitations(name: &str) -> String {
    format!("bench-host.agent.{name}.invite")
}

/// The subjects of a connection: to the agent, and to the coordinator.
pub(super) fn directions(name: &str, link: &str) -> [String; 2] {
    [format!("bench-host.agent.{name}.down.{link}"), format!("bench-host.agent.{name}.up.{link}")]
}

/// The longest time between two looks at whether it is to stop.
const LOOK: Duration = Duration::from_millis(500);

/// How often an agent that hears nothing asks whether the server is still there.
const ASK: Duration = Duration::from_secs(10);

/// What an agent may hear while it waits.
enum Heard {
    Invited(Bytes, Option<Subject>),
    Called(Bytes),
    Nothing,
    Closed,
}

/// Waits until a coordinator invites the agent `name` to a run that is not in `finished`; `None` if it `is_stopped` before. Nothing is sent
/// to an agent that does not wait.
pub fn wait_for_invitation(
    server: &Server,
    name: &str,
    finished: &[String],
    is_stopped: &dyn Fn() -> bool,
) -> Result<Option<Invitation>, NatsError> {
    if !is_name(name) {
        return Err(NatsError::Malformed(format!("the name of an agent {name:?}")));
    }
    let client = server.client();
    let (mut invitations, mut calls) = loop {
        match server.wait(async { tokio::time::timeout(ANSWER, subscribe(client, name)).await }) {
            Ok(Ok(subscribed)) => break subscribed,
            _ if is_stopped() => return Ok(None),
            // The connection may just have broken.
            _ => server.rest(),
        }
    };
    // Without a run, it asks those who have one to call at once. They call again and again anyway.
    let _ = server.wait(client.publish(format!("{HERE}.{name}"), Bytes::new()));
    let mut asked = Instant::now();
    while !is_stopped() {
        match server.wait(hear(&mut invitations, &mut calls)) {
            Heard::Invited(payload, reply) => {
                let invitation: Option<Invitation> = serde_json::from_slice(&payload).ok();
                let invitation = invitation.filter(|invitation| is_name(&invitation.run) && is_name(&invitation.link));
                let (Some(invitation), Some(reply)) = (invitation, reply) else { continue };
                let answered = server.wait(async {
                    client.publish(reply, Bytes::new()).await.map_err(|error| error.to_string())?;
                    client.flush().await.map_err(|error| error.to_string())
                });
                // A coordinator that did not hear it invites again.
                if answered.is_ok() {
                    return Ok(Some(invitation));
                }
            }
            Heard::Called(run) if finished.iter().any(|known| known.as_bytes() == run) => {}
            Heard::Called(run) => {
                // An answer that gets lost is asked for again.
                let _ = server.wait(client.publish(format!("{HERE}.{name}"), run));
            }
            Heard::Nothing if asked.elapsed() > ASK => {
                revive(server, name);
                asked = Instant::now();
            }
            Heard::Nothing => {}
            Heard::Closed => {
                let reason = "the connection is closed".to_owned();
                return Err(NatsError::Lost { doing: "invite this agent", reason });
            }
        }
    }
    Ok(None)
}

/// Subscribes to what an agent hears while it waits.
async fn subscribe(client: &Client, name: &str) -> Result<(Subscriber, Subscriber), String> {
    // Of two agents of one name, one is invited.
    let invitations = client.queue_subscribe(invitations(name), "agent".to_owned()).await;
    let invitations = invitations.map_err(|error| error.to_string())?;
    let calls = client.subscribe(CALL).await.map_err(|error| error.to_string())?;
    client.flush().await.map_err(|error| error.to_string())?;
    Ok((invitations, calls))
}

async fn hear(invitations: &mut Subscriber, calls: &mut Subscriber) -> Heard {
    let heard = async {
        tokio::select! {
            invited = invitations.next() => {
                invited.map_or(Heard::Closed, |message| Heard::Invited(message.payload, message.reply))
            }
            called = calls.next() => called.map_or(Heard::Closed, |message| Heard::Called(message.payload)),
        }
    };
    tokio::time::timeout(LOOK, heard).await.unwrap_or(Heard::Nothing)
}

/// Asks the server for an answer, and connects again if there is none: this client sends no pings.
fn revive(server: &Server, name: &str) {
    let [_, up] = directions(name, "nobody");
    let asked = server.wait(server.client().send_request(up, Request::new().timeout(Some(ANSWER))));
    if asked.is_err_and(|error| error.kind() == RequestErrorKind::TimedOut) {
        let _ = server.wait(server.client().force_reconnect());
    }
}

/// The agent's side of a connection to a coordinator.
pub struct AgentLink {
    /// What the coordinator sends.
    pub orders: LinkReader,
    /// The way to the coordinator.
    pub messages: LinkWriter,
    /// Asks whether the coordinator is still there.
    pub check: Box<dyn FnMut() -> io::Result<()> + Send>,
}

impl fmt::Debug for AgentLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentLink").field("messages", &self.messages).finish_non_exhaustive()
    }
}

/// Opens the connection `link`, to which the agent `name` was invited.
pub fn join_link(server: &Server, name: &str, link: &str) -> Result<AgentLink, NatsError> {
    if !is_name(name) || !is_name(link) {
        return Err(NatsError::Malformed(format!("the name of a connection {name:?}, {link:?}")));
    }
    let [down, up] = directions(name, link);
    let orders = LinkReader::listen(server, down)?;
    let asked = (server.clone(), up.clone());
    let check = Box::new(move || check(&asked.0, &asked.1));
    Ok(AgentLink { orders, messages: LinkWriter::new(server, up), check })
}
