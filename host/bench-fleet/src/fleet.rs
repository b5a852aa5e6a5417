//! The agents of a fleet: child processes of this one, which speak over standard input and output, here or at the other end of `ssh`; or
//! visitors, which were started elsewhere and connect by themselves.

mod error;
mod process;
mod restart;
mod time;
mod visitor;

pub use error::FleetError;
pub use visitor::Visitor;

use crate::clock::{CLOCK_SAMPLES, Exchange, wall_ns};
use crate::coordinator::{AgentState, Coordinator, Order};
use crate::protocol::{self, FromAgent, HostCard, PROTOCOL, ProtocolError, Spec, ToAgent};
use crate::queue::{AgentId, ClassId, Queue};
use bench_sink::digest;
use bench_sink::runfile::ClockRecord;
use process::Process;
use std::collections::HashMap;
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};
use visitor::Pipe;

/// The agents of a fleet. They are asked to end when this is dropped, and killed if they do not.
#[derive(Debug)]
pub struct Fleet {
    agents: Vec<Agent>,
    messages: Receiver<Message>,
    waker: SyncSender<Message>,
    begun: Instant,
    /// The expected number of agents.
    expected: usize,
    /// How long to wait before an agent that was lost is started again, for each time.
    restarts: Vec<Duration>,
    /// The files of modules that agents may lack, by digest.
    modules: HashMap<String, PathBuf>,
}

#[derive(Debug)]
struct Agent {
    name: String,
    /// The process, unless the agent is a visitor.
    process: Option<Process>,
    /// Closed to ask it to stop.
    orders: Option<Pipe>,
    /// The number of its connections so far: messages of an earlier one are ignored.
    connection: u32,
    has_ended: bool,
    /// The machine and the program that introduced themselves.
    card: Option<HostCard>,
    /// How far its clock is ahead, as the comparisons so far tell, and how many there were: when it joined, and when it leaves.
    clock: [(Option<ClockRecord>, usize); 2],
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
    /// The fleet was interrupted.
    Woken,
}

/// Observes a fleet while it measures.
pub trait FleetObserver<Q> {
    /// Called after each message and each change, at the time `now_ns` since the fleet began.
    fn changed(&mut self, coordinator: &mut Coordinator<Q>, now_ns: u64);

    /// Called when an agent could not go on, with the reason.
    fn failed(&mut self, agent: &str, reason: &str);

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
        let (restarts, modules) = (restarts.to_vec(), HashMap::new());
        Self { agents: Vec::new(), messages, waker, begun: Instant::now(), expected, restarts, modules }
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
            clock: [(None, 0); 2],
            restarted: 0,
            restart_at: None,
        });
        AgentId(self.agents.len() as u32 - 1)
    }

    /// Reads what a process that was just started says.
    fn listen_to_process(&mut self, agent: AgentId) -> io::Result<()> {
        let process = self.agents[agent.0 as usize].process.as_mut();
        match process.and_then(Process::pipes) {
            Some((orders, output)) => self.listen(agent, Pipe(Box::new(orders)), Box::new(output)),
            None => Ok(()),
        }
    }

    /// Takes a new connection of an agent, and reads it on a thread of its own.
    fn listen(&mut self, agent: AgentId, orders: Pipe, output: Box<dyn Read + Send>) -> io::Result<()> {
        let messages = self.waker.clone();
        let known = &mut self.agents[agent.0 as usize];
        known.orders = Some(orders);
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

    /// Sends modules to an agent that lacks them.
    fn ship(&mut self, agent: AgentId, digests: &[String]) -> Result<(), FleetError> {
        for sha256 in digests {
            let fail = |reason: String| FleetError::Module { sha256: sha256.clone(), reason };
            let file = self.modules.get(sha256).ok_or_else(|| fail("it is not a module of this run".to_owned()))?;
            let bytes = fs::read(file).map_err(|error| fail(format!("cannot read {}: {error}", file.display())))?;
            if digest::of_bytes(&bytes) != *sha256 {
                return Err(fail(format!("{} was built again after the run had begun", file.display())));
            }
            if let Some(input) = &mut self.agents[agent.0 as usize].orders {
                // An agent that cannot be reached has ended, which its output tells too.
                let _ = protocol::send_module(input, sha256, &bytes);
            }
        }
        Ok(())
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

    /// Waits until all agents have introduced themselves.
    pub fn join(&mut self, within: Duration, is_stopped: &dyn Fn() -> bool) -> Result<Vec<HostCard>, FleetError> {
        let mut cards: Vec<Option<HostCard>> = vec![None; self.expected];
        let end = Instant::now() + within;
        while let Some(missing) = (0..self.expected).find(|agent| !self.has_joined(*agent)) {
            if is_stopped() {
                return Err(FleetError::Interrupted);
            }
            match self.receive(end.saturating_duration_since(Instant::now())) {
                Ok(Message::Said { agent, message: FromAgent::Hello(card), .. }) => {
                    self.agents[agent.0 as usize].card = Some((*card).clone());
                    if card.protocol == PROTOCOL {
                        self.ask_for_time(agent);
                    }
                    cards[agent.0 as usize] = Some(*card);
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
                    return Err(FleetError::NotJoined { agent: self.name(agent), reason });
                }
                Ok(Message::Came(visitor)) => self.meet(visitor)?,
                Ok(Message::Woken) => {}
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
            for (agent, error) in self.restart_due() {
                observer.failed(&self.name(agent), &format!("it cannot be started again: {error}"));
                let orders = coordinator.gone(agent, self.now_ns())?;
                self.order(orders);
            }
            let now_ns = self.now_ns();
            let orders = coordinator.expire(now_ns)?;
            self.order(orders);
            while let Some(class) = coordinator.undecided() {
                let orders = coordinator.decide(class, observer.differs(class), now_ns)?;
                self.order(orders);
            }
            observer.changed(coordinator, now_ns);
            if coordinator.is_over(now_ns)? {
                return Ok(false);
            }
            let orders = match self.receive(self.pause(coordinator.wake_ns(), now_ns)) {
                Ok(Message::Said { agent, message: FromAgent::Hello(card), .. }) => {
                    match self.welcome(agent, &card, spec) {
                        Ok(()) => Vec::new(),
                        Err(reason) => {
                            observer.failed(&self.name(agent), &reason);
                            coordinator.gone(agent, self.now_ns())?
                        }
                    }
                }
                Ok(Message::Said { agent, message: FromAgent::Need { sha256 }, .. }) => {
                    self.ship(agent, &sha256)?;
                    Vec::new()
                }
                Ok(Message::Said { agent, message: FromAgent::Failed { reason }, .. }) => {
                    if !is_prepared[agent.0 as usize] {
                        return Err(FleetError::Refused { agent: self.name(agent), reason });
                    }
                    observer.failed(&self.name(agent), &reason);
                    let orders = coordinator.handle(agent, &FromAgent::Failed { reason }, &[], self.now_ns())?;
                    self.expect(coordinator, agent);
                    orders
                }
                Ok(Message::Said { agent, message, block, .. }) => {
                    if matches!(message, FromAgent::Ready { .. }) {
                        is_prepared[agent.0 as usize] = true;
                    }
                    coordinator.handle(agent, &message, &block, self.now_ns())?
                }
                Ok(Message::Ended { agent, error, .. }) => self.ended(coordinator, agent, error, observer)?,
                Ok(Message::Came(visitor)) => self.came_again(coordinator, visitor, observer)?,
                Ok(Message::Woken) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Vec::new(),
            };
            self.order(orders);
        }
    }

    /// How long to wait for a message, at the time `now_ns`, if a lease may end at `wake_ns`.
    fn pause(&self, wake_ns: Option<u64>, now_ns: u64) -> Duration {
        let until_lease = wake_ns.map(|wake_ns| Duration::from_nanos(wake_ns.saturating_sub(now_ns)));
        let now = Instant::now();
        let restarts = self.agents.iter().filter(|agent| agent.has_ended).filter_map(|agent| agent.restart_at);
        let until_restart = restarts.min().map(|at| at.saturating_duration_since(now));
        until_lease.into_iter().chain(until_restart).fold(LOOK, Duration::min)
    }

    /// Ends the process of an agent whose output has ended, and returns the orders that follow from it.
    fn ended<Q: Queue>(
        &mut self,
        coordinator: &mut Coordinator<Q>,
        agent: AgentId,
        error: Option<ProtocolError>,
        observer: &mut dyn FleetObserver<Q>,
    ) -> Result<Vec<Order>, FleetError> {
        let reason = self.end(agent, error);
        if self.agents[agent.0 as usize].restart_at.is_some() {
            // It has said before why it could not go on.
            return Ok(Vec::new());
        }
        let before = coordinator.state(agent).0.clone();
        tell_early_end(coordinator, agent, &self.name(agent), &reason, observer);
        let orders = coordinator.gone(agent, self.now_ns())?;
        if !matches!(before, AgentState::Left | AgentState::Lost) {
            self.expect(coordinator, agent);
        }
        Ok(orders)
    }

    /// Sends orders. Before an agent leaves, it is asked for the time: it has nothing to measure then.
    fn order(&mut self, orders: Vec<Order>) {
        for (agent, order) in orders {
            if order == ToAgent::Leave {
                (0..CLOCK_SAMPLES).for_each(|_| self.ask_for_time(agent));
            }
            self.send(agent, &order);
        }
    }

    /// Sends an order. An agent that cannot be reached has ended, which its output tells too.
    fn send(&mut self, agent: AgentId, order: &ToAgent) {
        if let Some(input) = &mut self.agents[agent.0 as usize].orders {
            let _ = protocol::send(input, order);
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
        match (&mut agent.process, error) {
            (None, None) => "its connection has ended".to_owned(),
            (None, Some(error)) => error.to_string(),
            (Some(process), None) => process.wait(),
            (Some(process), Some(error)) => {
                // It cannot be understood, but may go on.
                process.kill();
                process.wait();
                error.to_string()
            }
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
            match self.receive(end.saturating_duration_since(Instant::now())) {
                Ok(Message::Ended { agent, error, .. }) => _ = self.end(agent, error),
                Ok(Message::Said { .. } | Message::Came(_) | Message::Woken) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let left = self.agents.iter_mut().filter(|agent| !agent.has_ended);
        for process in left.filter_map(|agent| agent.process.as_mut()) {
            process.kill();
            process.wait();
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
