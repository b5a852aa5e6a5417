//! Decides who measures what: answers the messages of agents with orders. It knows neither processes nor clocks, so that tests can
//! simulate any fleet.

use crate::inspect::Inspector;
use crate::protocol::{FromAgent, ToAgent, check_lease};
use crate::queue::{AgentId, ClassId, Completed, Lease, Progress, Queue, QueueError, Subject};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

mod ends;
mod event;
mod kept;
mod silence;
mod simulation;
mod spread;

pub use event::Event;
pub use simulation::{Simulated, simulate};

use spread::Spread;

/// Hands out groups of cells to the agents of their class.
#[derive(Debug)]
pub struct Coordinator<Q> {
    queue: Q,
    agents: Vec<Agent>,
    classes: Vec<Class>,
    /// How many agents are in which kind of state, by [`Kind`].
    counts: [u32; 4],
    /// The agents that are preparing, and have no lease, by when each was heard last.
    preparing: BTreeSet<(u64, AgentId)>,
    /// When an agent that is leaving was heard last.
    leaving_heard_ns: u64,
    events: Vec<Event>,
    /// Classes whose agents have all measured the common group, and that have yet to be decided.
    ready: Vec<ClassId>,
    /// Checks blocks before they are kept.
    inspector: Option<Inspector>,
    /// How many blocks differ from an earlier one of the same repetition.
    contradictions: u32,
    revision: u64,
    steps: u64,
}

/// States that mean the same for the end of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Working,
    Silent,
    Leaving,
    Ended,
}

#[derive(Debug)]
struct Agent {
    class: ClassId,
    state: AgentState,
    lease_ns: u64,
    /// When it got into this state.
    since_ns: u64,
    /// When it was heard last while it was preparing.
    heard_ns: u64,
    /// Whether it has yet to measure the group that every agent measures.
    has_common_group: bool,
    /// Whether its class is decided only when it has measured the common group.
    is_awaited: bool,
    /// How many groups of it count.
    finished: u32,
}

#[derive(Debug)]
struct Class {
    /// The agent whose blocks count, of each finished group.
    owners: Vec<Option<AgentId>>,
    /// The agents that wait for groups.
    idle: VecDeque<AgentId>,
    /// How many agents have not ended.
    alive: u32,
    /// How many agents are silent.
    silent: u32,
    /// How many agents are awaited.
    awaited: u32,
    spread: Spread,
}

/// What an agent is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// It loads modules and measures the rooflines.
    Preparing,
    /// It measures these groups.
    Measuring(Vec<u32>),
    /// Its lease has ended without a message, so others measure its groups. It may come back.
    Silent,
    /// It waits, because others measure all that is left.
    Idle,
    /// It measures the rooflines again.
    Leaving,
    /// It has sent everything.
    Left,
    /// It ended early.
    Lost,
    /// It cannot measure the run, or sent what cannot be so. Nothing more is taken of it.
    Excluded,
}

impl AgentState {
    fn kind(&self) -> Kind {
        match self {
            Self::Preparing | Self::Measuring(_) | Self::Idle => Kind::Working,
            Self::Silent => Kind::Silent,
            Self::Leaving => Kind::Leaving,
            Self::Left | Self::Lost | Self::Excluded => Kind::Ended,
        }
    }

    /// Whether a message of an agent in this state changes nothing. It may have been on its way when the agent ended.
    fn ignores(&self, message: &FromAgent) -> bool {
        match self {
            // It has sent everything, or has yet to notice that nothing more is taken of it.
            Self::Left | Self::Excluded => true,
            // What it measured is not lost, but it gets nothing more to measure.
            Self::Lost => !matches!(message, FromAgent::Block { .. } | FromAgent::Completed { .. }),
            Self::Preparing | Self::Measuring(_) | Self::Silent | Self::Idle | Self::Leaving => false,
        }
    }
}

/// An order for an agent.
pub type Order = (AgentId, ToAgent);

/// The largest number of groups that an agent gets at once. It measures them in rounds, so that slow changes of the machine affect all
/// of them equally.
pub const HAND_MAX: u32 = 8;

/// The lease of an agent that has not said how long its repetitions take.
const LEASE_NS: u64 = 60_000_000_000;

/// Holds the common group in the queue until the first agent has measured it.
const NOBODY: AgentId = AgentId(u32::MAX);

/// The group that every agent of a class measures, if the class has several.
pub const COMMON_GROUP: u32 = 0;

/// How long an agent may take to measure the rooflines after its last group.
const LEAVING_NS: u64 = 300_000_000_000;

impl<Q: Queue> Coordinator<Q> {
    /// A coordinator for agents of these `classes`, each of which measures `groups` groups. If `has_common_group`, every agent of a class
    /// with several measures the first group, so that the machines of a class can be compared with each other.
    pub fn new(mut queue: Q, classes: &[ClassId], groups: u32, has_common_group: bool) -> Result<Self, QueueError> {
        let number = classes.iter().map(|class| class.0 + 1).max().unwrap_or_default();
        let mut of_classes: Vec<Class> = Vec::new();
        for class in 0..number {
            queue.submit(ClassId(class), groups)?;
            let idle = VecDeque::new();
            of_classes.push(Class {
                owners: vec![None; groups as usize],
                idle,
                alive: 0,
                silent: 0,
                awaited: 0,
                spread: Spread::All,
            });
        }
        classes.iter().for_each(|class| of_classes[class.0 as usize].alive += 1);
        let shares = |class: ClassId| has_common_group && groups > 0 && of_classes[class.0 as usize].alive > 1;
        let agent = |class: &ClassId| Agent {
            class: *class,
            state: AgentState::Preparing,
            lease_ns: LEASE_NS,
            since_ns: 0,
            heard_ns: 0,
            has_common_group: shares(*class),
            is_awaited: false,
            finished: 0,
        };
        let mut agents: Vec<Agent> = classes.iter().map(agent).collect();
        for class in (0..number).map(ClassId).filter(|class| shares(*class)) {
            // A queue that a server keeps may be of a coordinator that was lost.
            if queue.owner(class, COMMON_GROUP).is_none() {
                queue.claim(class, NOBODY, 1, Lease { now_ns: 0, until_ns: u64::MAX })?;
            }
        }
        for (own, agent) in (number..).map(ClassId).zip(&mut agents).filter(|(_, agent)| agent.has_common_group) {
            queue.submit(own, 1)?;
            agent.has_common_group = queue.owner(own, COMMON_GROUP).is_none();
        }
        for (number, class) in (0..number).map(ClassId).zip(&mut of_classes) {
            for (group, owner) in (0..).zip(&mut class.owners) {
                *owner = queue.owner(number, group);
            }
            class.owners.iter().flatten().for_each(|owner| {
                // An agent that such a coordinator had, and this one has not, owns nothing here.
                if let Some(agent) = agents.get_mut(owner.0 as usize) {
                    agent.finished += 1;
                }
            });
        }
        let counts = [agents.len() as u32, 0, 0, 0];
        let preparing = (0..agents.len() as u32).map(|agent| (0, AgentId(agent))).collect();
        let (events, ready, revision, steps) = (Vec::new(), Vec::new(), 0, agents.len() as u64);
        let (classes, leaving_heard_ns, inspector, contradictions) = (of_classes, 0, None, 0);
        Ok(Self {
            queue,
            agents,
            classes,
            counts,
            preparing,
            leaving_heard_ns,
            events,
            ready,
            inspector,
            contradictions,
            revision,
            steps,
        })
    }

    /// Takes a `message` of an agent, with the bytes of its block. Returns the orders that follow from it.
    pub fn handle(
        &mut self,
        agent: AgentId,
        message: &FromAgent,
        block: &[u8],
        now_ns: u64,
    ) -> Result<Vec<Order>, QueueError> {
        self.steps += 1;
        if self.agent(agent).state.ignores(message) {
            return Ok(Vec::new());
        }
        self.hear(agent, now_ns)?;
        match message {
            FromAgent::Hello(_) | FromAgent::Clock { .. } | FromAgent::Need { .. } => Ok(Vec::new()),
            FromAgent::Ready { lease_ns } => {
                if let Err(reason) = check_lease(Duration::from_nanos(*lease_ns)) {
                    return self.distrust(agent, format!("a lease that is too long: {reason}"), now_ns);
                }
                self.agent(agent).lease_ns = *lease_ns;
                Ok(Vec::new())
            }
            FromAgent::Block { part, .. } => self.keep(Subject { agent, part: *part }, block, now_ns),
            FromAgent::Claim => {
                let order = self.claim(agent, now_ns)?;
                if order.is_none() {
                    self.set(agent, AgentState::Idle, now_ns);
                    let class = self.agent(agent).class;
                    self.class(class).idle.push_back(agent);
                }
                Ok(order.into_iter().collect())
            }
            FromAgent::Completed { groups } => {
                if let Some(lacking) = self.lacking(agent, groups) {
                    return self.distrust(agent, lacking, now_ns);
                }
                for group in groups {
                    self.complete(agent, *group)?;
                }
                let class = self.agent(agent).class;
                self.wake(class, now_ns)
            }
            FromAgent::Leaving => self.end(agent, AgentState::Left, now_ns),
            FromAgent::Failed { .. } => self.end(agent, AgentState::Lost, now_ns),
        }
    }

    /// Whether nothing more is expected of any agent: each has ended, or is silent although nothing is left for it.
    pub fn is_over(&self, now_ns: u64) -> Result<bool, QueueError> {
        let count = |kind: Kind| self.counts[kind as usize];
        let has_left = count(Kind::Leaving) == 0 || now_ns.saturating_sub(self.leaving_heard_ns) > LEAVING_NS;
        if count(Kind::Working) > 0 || !has_left {
            return Ok(false);
        }
        for (number, class) in self.classes.iter().enumerate() {
            if class.silent > 0 && !self.queue.progress(ClassId(number as u32))?.is_over() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What has happened since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Another number whenever an agent does something else, or a group is finished.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The number of classes.
    pub fn classes(&self) -> u32 {
        self.classes.len() as u32
    }

    /// The state of a class.
    pub fn progress(&self, class: ClassId) -> Result<Progress, QueueError> {
        self.queue.progress(class)
    }

    /// What an agent is doing, since when, and how many of its groups count.
    pub fn state(&self, agent: AgentId) -> (&AgentState, u64, u32) {
        let agent = &self.agents[agent.0 as usize];
        (&agent.state, agent.since_ns, agent.finished)
    }

    /// How long an agent may be silent.
    pub fn lease(&self, agent: AgentId) -> Duration {
        Duration::from_nanos(self.agents[agent.0 as usize].lease_ns)
    }

    /// The class of an agent.
    pub fn class_of(&self, agent: AgentId) -> ClassId {
        self.agents[agent.0 as usize].class
    }

    /// The agent whose blocks of a group count; `None` while it is not finished.
    pub fn owner(&self, class: ClassId, group: u32) -> Option<AgentId> {
        *self.classes.get(class.0 as usize)?.owners.get(group as usize)?
    }

    /// How many entries all calls so far have looked at or changed, without the queue.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The queue.
    pub fn queue(&self) -> &Q {
        &self.queue
    }

    fn agent(&mut self, agent: AgentId) -> &mut Agent {
        &mut self.agents[agent.0 as usize]
    }

    fn class(&mut self, class: ClassId) -> &mut Class {
        &mut self.classes[class.0 as usize]
    }

    fn set(&mut self, agent: AgentId, state: AgentState, now_ns: u64) {
        self.revision += 1;
        let known = &mut self.agents[agent.0 as usize];
        let (before, after) = (known.state.kind(), state.kind());
        if known.state == AgentState::Preparing {
            self.preparing.remove(&(known.heard_ns, agent));
        }
        if state == AgentState::Preparing {
            known.heard_ns = now_ns;
            self.preparing.insert((now_ns, agent));
        }
        known.state = state;
        known.since_ns = now_ns;
        let class = &mut self.classes[known.class.0 as usize];
        class.silent = class.silent + u32::from(after == Kind::Silent) - u32::from(before == Kind::Silent);
        self.counts[before as usize] -= 1;
        self.counts[after as usize] += 1;
        if after == Kind::Leaving {
            self.leaving_heard_ns = now_ns;
        }
    }

    /// Any message extends the lease.
    fn hear(&mut self, agent: AgentId, now_ns: u64) -> Result<(), QueueError> {
        let known = &mut self.agents[agent.0 as usize];
        if known.state == AgentState::Preparing {
            self.preparing.remove(&(known.heard_ns, agent));
            self.preparing.insert((now_ns, agent));
            known.heard_ns = now_ns;
        }
        let lease = Lease { now_ns, until_ns: now_ns.saturating_add(known.lease_ns) };
        if known.state == AgentState::Leaving {
            self.leaving_heard_ns = now_ns;
        }
        self.queue.renew(agent, lease)
    }

    /// Leases groups to an agent, or has it leave if nothing is left; `None` if it has to wait.
    fn claim(&mut self, agent: AgentId, now_ns: u64) -> Result<Option<Order>, QueueError> {
        let (class, lease_ns) = (self.agent(agent).class, self.agent(agent).lease_ns);
        let lease = Lease { now_ns, until_ns: now_ns.saturating_add(lease_ns) };
        if self.agent(agent).has_common_group {
            let own = self.own_class(agent);
            let groups = self.queue.claim(own, agent, 1, lease)?;
            self.steps += 1;
            if !groups.is_empty() {
                let groups = vec![COMMON_GROUP];
                self.set(agent, AgentState::Measuring(groups.clone()), now_ns);
                return Ok(Some((agent, ToAgent::Measure { groups })));
            }
        }
        let progress = self.queue.progress(class)?;
        if !progress.is_over() && !self.may_measure(agent, class) {
            return Ok(None);
        }
        // Large hands at first, single groups at the end, so that all agents end at about the same time.
        let hand = (progress.waiting / (2 * self.class(class).alive.max(1))).clamp(1, HAND_MAX);
        let groups = self.queue.claim(class, agent, hand, lease)?;
        self.steps += 1 + groups.len() as u64;
        if !groups.is_empty() {
            self.set(agent, AgentState::Measuring(groups.clone()), now_ns);
            return Ok(Some((agent, ToAgent::Measure { groups })));
        }
        if progress.is_over() {
            self.set(agent, AgentState::Leaving, now_ns);
            return Ok(Some((agent, ToAgent::Leave)));
        }
        Ok(None)
    }

    fn complete(&mut self, agent: AgentId, group: u32) -> Result<(), QueueError> {
        self.steps += 1;
        let class = self.agent(agent).class;
        if group as usize >= self.class(class).owners.len() {
            self.events.push(Event::Foreign { agent, group });
            return Ok(());
        }
        let is_common = group == COMMON_GROUP && std::mem::take(&mut self.agent(agent).has_common_group);
        if is_common {
            let own = self.own_class(agent);
            self.queue.complete(own, COMMON_GROUP, agent)?;
            self.wait_no_longer(agent);
        }
        match self.queue.complete(class, group, agent)? {
            Completed::First => {
                self.revision += 1;
                self.class(class).owners[group as usize] = Some(agent);
                self.agent(agent).finished += 1;
            }
            Completed::Known { by } if by == agent || is_common => {}
            Completed::Known { by } => self.events.push(Event::Late { agent, group, by }),
        }
        Ok(())
    }

    /// The class in which the common group of an agent is leased to it alone.
    fn own_class(&self, agent: AgentId) -> ClassId {
        ClassId(self.classes.len() as u32 + agent.0)
    }

    /// Gives idle agents of a class what came back, or has them leave if nothing is left.
    fn wake(&mut self, class: ClassId, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        let mut orders = Vec::new();
        if let Some(one) = self.only_one(class)? {
            let Some(agent) = one.filter(|one| self.agents[one.0 as usize].state == AgentState::Idle) else {
                return Ok(orders);
            };
            self.class(class).idle.retain(|idle| *idle != agent);
            let order = self.claim(agent, now_ns)?;
            if order.is_none() {
                self.class(class).idle.push_back(agent);
            }
            return Ok(order.into_iter().collect());
        }
        loop {
            let progress = self.queue.progress(class)?;
            if progress.waiting == 0 && !progress.is_over() {
                break;
            }
            let Some(agent) = self.class(class).idle.pop_front() else { break };
            self.steps += 1;
            // It may have ended while it was idle.
            if self.agent(agent).state != AgentState::Idle {
                continue;
            }
            match self.claim(agent, now_ns)? {
                Some(order) => orders.push(order),
                None => {
                    self.class(class).idle.push_front(agent);
                    break;
                }
            }
        }
        Ok(orders)
    }
}

#[cfg(test)]
mod tests;
