//! The agents of a fleet as child processes of this one, which speak over standard input and output, here or at the other end of `ssh`.

use crate::classes::ClassError;
use crate::coordinator::{AgentState, Coordinator, Order};
use crate::protocol::{self, FromAgent, HostCard, ProtocolError, Spec, ToAgent};
use crate::queue::{AgentId, Queue, QueueError};
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

/// The agents of a fleet. They are asked to end when this is dropped, and killed if they do not.
#[derive(Debug)]
pub struct Fleet {
    agents: Vec<Agent>,
    messages: Receiver<Message>,
    waker: SyncSender<Message>,
    begun: Instant,
}

#[derive(Debug)]
struct Agent {
    name: String,
    child: Child,
    /// Closed to ask it to stop.
    orders: Option<ChildStdin>,
    /// What it prints to standard error.
    log: PathBuf,
    has_ended: bool,
}

/// What the threads that read from agents tell.
#[derive(Debug)]
enum Message {
    Said {
        agent: AgentId,
        message: FromAgent,
        block: Vec<u8>,
    },
    /// Its output has ended, or cannot be understood.
    Ended {
        agent: AgentId,
        error: Option<ProtocolError>,
    },
    /// The fleet was interrupted.
    Woken,
}

/// The reason why a fleet cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The program of an agent cannot be started.
    #[error("agent {agent} cannot be started: {source}")]
    Start {
        /// The agent.
        agent: String,
        /// The error of the system.
        source: io::Error,
    },
    /// An agent ended before it introduced itself.
    #[error(
        "agent {agent} did not join: {reason}; check that `bench-host --version` works there, or leave it out of --on"
    )]
    NotJoined {
        /// The agent.
        agent: String,
        /// What it printed last, or how it ended.
        reason: String,
    },
    /// An agent cannot measure the plan.
    #[error("agent {agent} cannot measure this run: {reason}")]
    Refused {
        /// The agent.
        agent: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Interrupted before anything was measured.
    #[error("interrupted before anything was measured")]
    Interrupted,
    /// The agents do not belong together.
    #[error(transparent)]
    Class(#[from] ClassError),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Observes a fleet while it measures.
pub trait FleetObserver<Q> {
    /// Called after each message and each change, at the time `now_ns` since the fleet began.
    fn changed(&mut self, coordinator: &mut Coordinator<Q>, now_ns: u64);

    /// Called when an agent could not go on, with the reason.
    fn failed(&mut self, agent: &str, reason: &str);
}

/// How long agents may take to join: the time to log in to a machine.
pub const JOIN: Duration = Duration::from_secs(60);

/// How long agents may take to end when they are asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The longest time between two looks at who is still there.
const LOOK: Duration = Duration::from_secs(30);

/// Messages that wait; each may hold a large block.
const MESSAGES_MAX: usize = 4;

impl Fleet {
    /// Starts the programs of agents, given as names and commands. Their standard error goes to files in the folder `logs`.
    pub fn launch(commands: Vec<(String, Command)>, logs: &Path) -> Result<Self, FleetError> {
        let (waker, messages) = mpsc::sync_channel(MESSAGES_MAX);
        let mut fleet = Self { agents: Vec::new(), messages, waker, begun: Instant::now() };
        for (name, command) in commands {
            let log = logs.join(format!("{name}.log"));
            let started = fleet.start(&name, command, log);
            started.map_err(|source| FleetError::Start { agent: name, source })?;
        }
        Ok(fleet)
    }

    fn start(&mut self, name: &str, mut command: Command, log: PathBuf) -> io::Result<()> {
        let stderr = File::create(&log)?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).spawn()?;
        let (orders, output) = (child.stdin.take(), child.stdout.take());
        let agent = AgentId(self.agents.len() as u32);
        let messages = self.waker.clone();
        self.agents.push(Agent { name: name.to_owned(), child, orders, log, has_ended: false });
        if let Some(output) = output {
            thread::Builder::new().name(format!("agent {name}")).spawn(move || read(agent, output, &messages))?;
        }
        Ok(())
    }

    /// The names of the agents.
    pub fn names(&self) -> Vec<String> {
        self.agents.iter().map(|agent| agent.name.clone()).collect()
    }

    /// The process of an agent on this machine: the agent itself, or the `ssh` to it.
    pub fn process(&self, agent: AgentId) -> u32 {
        self.agents[agent.0 as usize].child.id()
    }

    /// The time since the fleet began.
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// A function that wakes the fleet, so that it asks `is_stopped` again.
    pub fn waker(&self) -> impl Fn() + Send + 'static + use<> {
        let waker = self.waker.clone();
        // If there is no room, the fleet is about to wake anyway.
        move || _ = waker.try_send(Message::Woken)
    }

    /// Waits until all agents have introduced themselves.
    pub fn join(&mut self, within: Duration, is_stopped: &dyn Fn() -> bool) -> Result<Vec<HostCard>, FleetError> {
        let mut cards: Vec<Option<HostCard>> = vec![None; self.agents.len()];
        let end = Instant::now() + within;
        while let Some(missing) = cards.iter().position(Option::is_none) {
            if is_stopped() {
                return Err(FleetError::Interrupted);
            }
            match self.messages.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(Message::Said { agent, message: FromAgent::Hello(card), .. }) => {
                    cards[agent.0 as usize] = Some(*card);
                }
                Ok(Message::Said { agent, message: FromAgent::Failed { reason }, .. }) => {
                    return Err(FleetError::Refused { agent: self.name(agent), reason });
                }
                Ok(Message::Said { agent, .. }) => {
                    let reason = "its first message is not its introduction".to_owned();
                    return Err(FleetError::NotJoined { agent: self.name(agent), reason });
                }
                Ok(Message::Ended { agent, error }) => {
                    let reason = self.end(agent, error);
                    return Err(FleetError::NotJoined { agent: self.name(agent), reason });
                }
                Ok(Message::Woken) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let agent = self.agents[missing].name.clone();
                    let reason = format!("it did not answer within {} s", within.as_secs());
                    return Err(FleetError::NotJoined { agent, reason });
                }
            }
        }
        Ok(cards.into_iter().flatten().collect())
    }

    /// Has all agents measure `spec` until nothing is left or `is_stopped`. An agent that refuses the spec ends the fleet; one that is
    /// lost later does not. Returns whether it was stopped.
    pub fn drive<Q: Queue>(
        &mut self,
        coordinator: &mut Coordinator<Q>,
        spec: &Spec,
        observer: &mut dyn FleetObserver<Q>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<bool, FleetError> {
        let mut is_prepared = vec![false; self.agents.len()];
        for agent in 0..self.agents.len() as u32 {
            self.order(vec![(AgentId(agent), ToAgent::Spec(Box::new(spec.clone())))]);
        }
        loop {
            if is_stopped() {
                return Ok(true);
            }
            let now_ns = self.now_ns();
            let orders = coordinator.expire(now_ns)?;
            self.order(orders);
            observer.changed(coordinator, now_ns);
            if coordinator.is_over(now_ns)? {
                return Ok(false);
            }
            let until_lease = coordinator.wake_ns().map(|wake_ns| Duration::from_nanos(wake_ns.saturating_sub(now_ns)));
            let received = self.messages.recv_timeout(until_lease.unwrap_or(LOOK).min(LOOK));
            let orders = match received {
                Ok(Message::Said { agent, message: FromAgent::Failed { reason }, .. }) => {
                    if !is_prepared[agent.0 as usize] {
                        return Err(FleetError::Refused { agent: self.name(agent), reason });
                    }
                    observer.failed(&self.name(agent), &reason);
                    coordinator.handle(agent, &FromAgent::Failed { reason }, &[], self.now_ns())?
                }
                Ok(Message::Said { agent, message, block }) => {
                    if matches!(message, FromAgent::Ready { .. }) {
                        is_prepared[agent.0 as usize] = true;
                    }
                    coordinator.handle(agent, &message, &block, self.now_ns())?
                }
                Ok(Message::Ended { agent, error }) => {
                    let reason = self.end(agent, error);
                    tell_early_end(coordinator, agent, &self.name(agent), &reason, observer);
                    coordinator.gone(agent, self.now_ns())?
                }
                Ok(Message::Woken) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Vec::new(),
            };
            self.order(orders);
        }
    }

    /// Sends orders. An agent that cannot be reached has ended, which its output tells too.
    fn order(&mut self, orders: Vec<Order>) {
        for (agent, order) in orders {
            if let Some(input) = &mut self.agents[agent.0 as usize].orders {
                let _ = protocol::send(input, &order);
            }
        }
    }

    fn name(&self, agent: AgentId) -> String {
        self.agents[agent.0 as usize].name.clone()
    }

    /// Ends the process of an agent whose output has ended. Returns what it printed last, or how it ended.
    fn end(&mut self, agent: AgentId, error: Option<ProtocolError>) -> String {
        let agent = &mut self.agents[agent.0 as usize];
        agent.has_ended = true;
        agent.orders = None;
        if error.is_some() {
            // It cannot be understood, but may go on.
            let _ = agent.child.kill();
        }
        let status = agent.child.wait();
        let printed = || fs::read(&agent.log).ok().and_then(|log| last_line(&log));
        match (error, status) {
            (Some(error), _) => error.to_string(),
            (None, Err(error)) => error.to_string(),
            // What it printed before it was killed does not say why.
            (None, Ok(status)) if status.code().is_none() => format!("it was killed ({status})"),
            (None, Ok(status)) => printed().unwrap_or_else(|| format!("it ended ({status})")),
        }
    }
}

/// Tells the observer why an agent ended that had not left.
fn tell_early_end<Q: Queue>(
    coordinator: &Coordinator<Q>,
    agent: AgentId,
    name: &str,
    reason: &str,
    observer: &mut dyn FleetObserver<Q>,
) {
    if !matches!(coordinator.state(agent).0, AgentState::Left | AgentState::Lost) {
        observer.failed(name, reason);
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.agents.iter_mut().for_each(|agent| agent.orders = None);
        let end = Instant::now() + GRACE;
        while self.agents.iter().any(|agent| !agent.has_ended) {
            match self.messages.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(Message::Ended { agent, error }) => _ = self.end(agent, error),
                Ok(Message::Said { .. } | Message::Woken) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        for agent in self.agents.iter_mut().filter(|agent| !agent.has_ended) {
            let _ = agent.child.kill();
            let _ = agent.child.wait();
        }
    }
}

/// Reads the messages of one agent until its output ends.
fn read(agent: AgentId, output: ChildStdout, messages: &SyncSender<Message>) {
    let mut output = BufReader::new(output);
    let mut next = protocol::receive_hello(&mut output).map(|hello| hello.map(|hello| (hello, Vec::new())));
    let error = loop {
        match next {
            Ok(Some((message, block))) => {
                if messages.send(Message::Said { agent, message, block }).is_err() {
                    return;
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
        next = protocol::receive(&mut output);
    };
    let _ = messages.send(Message::Ended { agent, error });
}

/// The last line that is not empty.
fn last_line(log: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(log);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(|line| line.chars().take(500).collect())
}
