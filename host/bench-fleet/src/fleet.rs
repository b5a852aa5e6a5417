//! The agents of a fleet: child processes of this one, which speak over standard input and output, here or at the other end of `ssh`; or
//! visitors, which were started elsewhere and connect by themselves.

mod absent;
mod error;
mod loss;
mod messages;
mod outbox;
mod process;
mod restart;
mod time;
mod visitor;

pub use error::FleetError;
pub use loss::{AgentLoss, LossKind};
pub use visitor::Visitor;

use crate::clock::{CLOCK_SAMPLES, Exchange, wall_ns};
use crate::coordinator::{Coordinator, Order};
use crate::protocol::{self, FromAgent, HostCard, PROTOCOL, ProtocolError, Spec, ToAgent};
use crate::queue::{AgentId, ClassId, Queue, QueueError};
use bench_sink::runfile::ClockRecord;
use outbox::{Outbox, Parcel};
use process::Process;
use restart::Restarts;
use std::collections::HashMap;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};
use visitor::RETURN;

/// The agents of a fleet. They are asked to end when this is dropped, and killed if they do not.
#[derive(Debug)]
pub struct Fleet {
    agents: Vec<Agent>,
    /// The numbers of the agents, by name.
    numbers: HashMap<String, AgentId>,
    messages: Receiver<Message>,
    waker: SyncSender<Message>,
    begun: Instant,
    /// The expected number of agents.
    expected: usize,
    /// How long to wait before an agent that was lost is started again, for each time.
    restarts: Vec<Duration>,
    /// Which agents are started again, and when.
    due: Restarts,
    /// How long a visitor whose connection was lost may take to connect again.
    patience: Duration,
    /// The files of modules that agents may lack, by digest.
    modules: HashMap<String, PathBuf>,
    /// When it was last looked whether all agents read what is sent to them.
    looked: Instant,
}

#[derive(Debug)]
struct Agent {
    name: String,
    /// The process, unless the agent is a visitor.
    process: Option<Process>,
    /// Closed to ask it to stop.
    orders: Option<Outbox>,
    /// The number of its connections so far: messages of an earlier one are ignored.
    connection: u32,
    has_ended: bool,
    /// The machine and the program that introduced themselves.
    card: Option<HostCard>,
    /// Those that another coordinator of the run had.
    earlier: Option<HostCard>,
    /// Why it did not join, if the fleet goes on without it until it comes.
    absent: Option<String>,
    /// How far its clock is ahead, as the comparisons so far tell, and how many there were: when it joined, and when it leaves.
    clock: [(Option<ClockRecord>, usize); 2],
    /// Whether it plans what the spec says, and has measured the rooflines.
    is_prepared: bool,
    /// How often it was started again.
    restarted: usize,
    /// When it is started again.
    restart_at: Option<Instant>,
}

/// What the threads that read from agents tell.
#[derive(Debug)]
enum Message {
    Said {
        agent: AgentId,
        connection: u32,
        message: FromAgent,
        block: Vec<u8>,
        /// When it arrived, by the clock of this machine.
        at_ns: i64,
    },
    /// Its output has ended, or cannot be understood.
    Ended { agent: AgentId, connection: u32, error: Option<ProtocolError> },
    /// An agent has connected by itself.
    Came(Visitor),
    /// What started an agent elsewhere tells that it has ended.
    Lost(AgentLoss),
    /// The fleet was interrupted.
    Woken,
}

/// Observes a fleet while it measures.
pub trait FleetObserver<Q> {
    /// Called after each message and each change, at the time `now_ns` since the fleet began.
    fn changed(&mut self, coordinator: &mut Coordinator<Q>, now_ns: u64);

    /// When [`changed`](Self::changed) is worth calling next although nothing happens until then, since the fleet began.
    fn wake_ns(&self) -> Option<u64> {
        None
    }

    /// Called when an agent could not go on, with the reason.
    fn failed(&mut self, agent: &str, reason: &str);

    /// Called when an agent cannot measure the run at all, with the reason.
    fn refused(&mut self, agent: &str, reason: &str) {
        self.failed(agent, reason);
    }

    /// Called when all agents of a class have measured the common group, if the coordinator waits for that: whether the machines differ.
    fn differs(&mut self, _class: ClassId) -> bool {
        false
    }
}

/// How long agents may take to join: the time to log in to a machine.
pub const JOIN: Duration = Duration::from_secs(60);

/// How long to wait before an agent that was lost is started again, each time: its connection, or its machine, may need time.
pub const RESTARTS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(10), Duration::from_secs(60)];

/// How long agents may take to end when they are asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The longest time between two looks at who is still there.
const LOOK: Duration = Duration::from_secs(30);

/// Messages that wait; each may hold a large block.
const MESSAGES_MAX: usize = 4;

impl Fleet {
    /// Starts the programs of agents, given as names and commands. Their standard error goes to files in the folder `logs`. An agent that
    /// is lost is started again after each of the times `restarts`.
    pub fn launch(commands: Vec<(String, Command)>, logs: &Path, restarts: &[Duration]) -> Result<Self, FleetError> {
        let mut fleet = Self::new(commands.len(), restarts);
        for (name, command) in commands {
            let log = logs.join(format!("{name}.log"));
            let started = fleet.start(&name, command, log);
            started.map_err(|source| FleetError::Start { agent: name, source })?;
        }
        Ok(fleet)
    }

    /// A fleet of so many agents, none of which is there yet.
    fn new(expected: usize, restarts: &[Duration]) -> Self {
        let (waker, messages) = mpsc::sync_channel(MESSAGES_MAX);
        Self {
            agents: Vec::new(),
            numbers: HashMap::new(),
            messages,
            waker,
            begun: Instant::now(),
            expected,
            restarts: restarts.to_vec(),
            due: Restarts::default(),
            patience: RETURN,
            modules: HashMap::new(),
            looked: Instant::now(),
        }
    }

    fn start(&mut self, name: &str, command: Command, log: PathBuf) -> io::Result<()> {
        let process = Process::start(command, log)?;
        let agent = self.add(name);
        self.agents[agent.0 as usize].process = Some(process);
        self.listen_to_process(agent)
    }

    /// Adds an agent without a connection.
    fn add(&mut self, name: &str) -> AgentId {
        self.agents.push(Agent {
            name: name.to_owned(),
            process: None,
            orders: None,
            connection: 0,
            has_ended: true,
            card: None,
            earlier: None,
            absent: None,
            clock: [(None, 0); 2],
            is_prepared: false,
            restarted: 0,
            restart_at: None,
        });
        let agent = AgentId(self.agents.len() as u32 - 1);
        self.numbers.insert(name.to_owned(), agent);
        agent
    }

    /// The number of the agent of this name.
    fn named(&self, name: &str) -> Option<AgentId> {
        self.numbers.get(name).copied()
    }

    /// Reads what a process that was just started says.
    fn listen_to_process(&mut self, agent: AgentId) -> io::Result<()> {
        let process = self.agents[agent.0 as usize].process.as_mut();
        match process.and_then(Process::pipes) {
            Some((orders, output)) => self.listen(agent, Box::new(orders), Box::new(output)),
            None => Ok(()),
        }
    }

    /// Takes a new connection of an agent, and reads and writes it on threads of its own.
    fn listen(
        &mut self,
        agent: AgentId,
        orders: Box<dyn Write + Send>,
        output: Box<dyn Read + Send>,
    ) -> io::Result<()> {
        let messages = self.waker.clone();
        let known = &mut self.agents[agent.0 as usize];
        known.orders = Some(Outbox::open(orders)?);
        known.has_ended = false;
        known.connection += 1;
        let (name, connection) = (format!("agent {}", known.name), known.connection);
        thread::Builder::new().name(name).spawn(move || read((agent, connection), output, &messages))?;
        Ok(())
    }

    /// The next message. One of a connection that was replaced only wakes, and so does the time of an agent, which is noted here.
    fn receive(&mut self, within: Duration) -> Result<Message, RecvTimeoutError> {
        match self.messages.recv_timeout(within)? {
            Message::Said { agent, connection, .. } | Message::Ended { agent, connection, .. }
                if self.agents[agent.0 as usize].connection != connection =>
            {
                Ok(Message::Woken)
            }
            Message::Said { agent, message: FromAgent::Clock { sent_ns, received_ns, answered_ns }, at_ns, .. } => {
                self.note_time(agent, Exchange { sent_ns, received_ns, answered_ns, returned_ns: at_ns });
                Ok(Message::Woken)
            }
            message => Ok(message),
        }
    }

    /// Sends these files of modules, given by digest, to agents that lack them.
    pub fn offer(&mut self, modules: HashMap<String, PathBuf>) {
        self.modules = modules;
    }

    /// The names of the agents.
    pub fn names(&self) -> Vec<String> {
        self.agents.iter().map(|agent| agent.name.clone()).collect()
    }

    /// The process of an agent on this machine: the agent itself, or the `ssh` to it. A visitor has none.
    pub fn process(&self, agent: AgentId) -> Option<u32> {
        self.agents[agent.0 as usize].process.as_ref().map(Process::id)
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

    /// Waits until all agents have introduced themselves, or were [left out](Self::remember). Returns the machine of each.
    pub fn join(&mut self, within: Duration, is_stopped: &dyn Fn() -> bool) -> Result<Vec<HostCard>, FleetError> {
        let end = Instant::now() + within;
        // All before it have joined.
        let mut first = 0;
        while let Some(missing) = (first..self.expected).find(|agent| !self.has_joined(*agent)) {
            first = missing;
            if is_stopped() {
                return Err(FleetError::Interrupted);
            }
            match self.receive(end.saturating_duration_since(Instant::now())) {
                Ok(Message::Said { agent, message: FromAgent::Hello(card), .. }) => {
                    if card.protocol == PROTOCOL {
                        self.ask_for_time(agent);
                    }
                    self.agents[agent.0 as usize].card = Some(*card);
                }
                Ok(Message::Said { agent, message: FromAgent::Failed { reason }, .. }) => {
                    return Err(FleetError::Refused { agent: self.name(agent), reason });
                }
                Ok(Message::Said { agent, .. }) => {
                    let reason = "its first message is not its introduction".to_owned();
                    return Err(FleetError::NotJoined { agent: self.name(agent), reason });
                }
                Ok(Message::Ended { agent, error, .. }) => {
                    let reason = self.end(agent, error);
                    if !self.leave_out(agent, &reason) {
                        return Err(FleetError::NotJoined { agent: self.name(agent), reason });
                    }
                }
                // An agent that had joined may have to do so again.
                Ok(Message::Came(visitor)) => first = self.meet(visitor)?.map_or(first, |agent| agent.min(first)),
                Ok(Message::Lost(loss)) => {
                    first = self.lost_while_joining(loss)?.map_or(first, |agent| agent.min(first));
                }
                Ok(Message::Woken) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) if self.leave_out_missing(within) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    if missing >= self.agents.len() {
                        return Err(self.too_few(within));
                    }
                    let agent = self.agents[missing].name.clone();
                    let reason = format!("it did not answer within {} s", within.as_secs());
                    return Err(FleetError::NotJoined { agent, reason });
                }
            }
        }
        Ok(self.agents.iter().filter_map(|agent| agent.card.clone()).collect())
    }

    /// Has all agents measure `spec` until nothing is left or `is_stopped`. It goes on without an agent that cannot measure the spec, or is lost
    /// later. Returns whether it was stopped.
    pub fn drive<Q: Queue>(
        &mut self,
        coordinator: &mut Coordinator<Q>,
        spec: &Spec,
        observer: &mut dyn FleetObserver<Q>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<bool, FleetError> {
        for agent in 0..self.agents.len() as u32 {
            self.order(vec![(AgentId(agent), ToAgent::Spec(Box::new(spec.clone())))]);
        }
        self.go_on_without_absent(coordinator, observer)?;
        loop {
            if is_stopped() {
                return Ok(true);
            }
            for (agent, error) in self.restart_due() {
                observer.failed(&self.name(agent), &format!("it cannot be started again: {error}"));
                let orders = coordinator.gone(agent, self.now_ns())?;
                self.order(orders);
            }
            let orders = self.end_deaf(coordinator, observer)?;
            self.order(orders);
            let now_ns = self.now_ns();
            let orders = settle(coordinator, observer, now_ns)?;
            self.order(orders);
            observer.changed(coordinator, now_ns);
            if coordinator.is_over(now_ns)? {
                return self.ensure_presence(coordinator).map(|()| false);
            }
            let wake_ns = coordinator.wake_ns().into_iter().chain(observer.wake_ns()).min();
            let pause = self.pause(wake_ns, now_ns);
            let orders = match self.receive(pause) {
                Ok(message) => self.take(message, spec, coordinator, observer)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Vec::new(),
            };
            self.order(orders);
        }
    }

    /// How long to wait for a message, at the time `now_ns`, if there is something to do at `wake_ns`.
    fn pause(&mut self, wake_ns: Option<u64>, now_ns: u64) -> Duration {
        let until_wake = wake_ns.map(|wake_ns| Duration::from_nanos(wake_ns.saturating_sub(now_ns)));
        let until_restart = self.next_restart().map(|(at, _)| at.saturating_duration_since(Instant::now()));
        until_wake.into_iter().chain(until_restart).fold(LOOK, Duration::min)
    }

    /// Sends orders. Before an agent leaves, it is asked for the time: it has nothing to measure then.
    fn order(&mut self, orders: Vec<Order>) {
        for (agent, order) in orders {
            if order == ToAgent::Leave {
                (0..CLOCK_SAMPLES).for_each(|_| self.ask_for_time(agent));
            }
            self.send(agent, Parcel::Order(order));
        }
    }

    /// Sends something to an agent, without waiting until it has read it. One that has yet to read very much is ended.
    fn send(&mut self, agent: AgentId, parcel: Parcel) {
        let orders = self.agents[agent.0 as usize].orders.as_ref();
        if orders.is_some_and(|orders| !orders.send(parcel)) {
            self.dismiss(agent);
        }
    }

    fn name(&self, agent: AgentId) -> String {
        self.agents[agent.0 as usize].name.clone()
    }

    /// Ends the process of an agent whose output has ended. Returns what it printed last, or how it ended.
    fn end(&mut self, agent: AgentId, error: Option<ProtocolError>) -> String {
        self.note_end(agent);
        match (&mut self.agents[agent.0 as usize].process, error) {
            (None, None) => "its connection has ended".to_owned(),
            (None, Some(error)) => error.to_string(),
            (Some(process), None) => process.end(),
            (Some(process), Some(error)) => {
                process.end();
                error.to_string()
            }
        }
    }
}

/// What follows from the time alone: groups whose lease has ended go to others, and classes are decided whose agents have all measured the
/// common group.
pub(crate) fn settle<Q: Queue>(
    coordinator: &mut Coordinator<Q>,
    observer: &mut dyn FleetObserver<Q>,
    now_ns: u64,
) -> Result<Vec<Order>, QueueError> {
    let mut orders = coordinator.expire(now_ns)?;
    while let Some(class) = coordinator.undecided() {
        orders.extend(coordinator.decide(class, observer.differs(class), now_ns)?);
    }
    Ok(orders)
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.agents.iter_mut().for_each(|agent| agent.orders = None);
        let end = Instant::now() + GRACE;
        while self.agents.iter().any(|agent| !agent.has_ended) {
            match self.receive(end.saturating_duration_since(Instant::now())) {
                Ok(Message::Ended { agent, error, .. }) => _ = self.end(agent, error),
                Ok(Message::Said { .. } | Message::Came(_) | Message::Lost(_) | Message::Woken) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let left = self.agents.iter_mut().filter(|agent| !agent.has_ended);
        for process in left.filter_map(|agent| agent.process.as_mut()) {
            process.end();
        }
    }
}

/// Reads the messages of one agent until its output ends.
fn read((agent, connection): (AgentId, u32), output: impl Read, messages: &SyncSender<Message>) {
    let mut output = BufReader::new(output);
    let mut next = protocol::receive_hello(&mut output).map(|hello| hello.map(|hello| (hello, Vec::new())));
    let error = loop {
        match next {
            Ok(Some((message, block))) => {
                if messages.send(Message::Said { agent, connection, message, block, at_ns: wall_ns() }).is_err() {
                    return;
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
        next = protocol::receive(&mut output);
    };
    let _ = messages.send(Message::Ended { agent, connection, error });
}

#[cfg(test)]
mod tests;
