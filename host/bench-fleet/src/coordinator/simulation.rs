//! Simulates a fleet with a clock of its own: how the work and the memory of the coordinator grow with the number of agents.

use super::{Coordinator, Order};
use crate::protocol::{FromAgent, ToAgent};
use crate::queue::{AgentId, Blocks, ClassId, Embedded, Part, QueueError};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io;

/// Counts blocks instead of keeping them.
#[derive(Debug, Default)]
pub(super) struct Counted(pub(super) u64);

impl Blocks for Counted {
    fn append(&mut self, _: AgentId, _: &[u8]) -> io::Result<()> {
        self.0 += 1;
        Ok(())
    }
}

/// Repetitions of each group; a group has one cell.
pub(super) const PROCESSES: u32 = 10;

/// Groups for each agent.
const GROUPS: u32 = 10;

/// The time of a repetition. The lease is longer.
pub(super) const REPETITION_NS: u64 = 1_000;

/// What a simulated fleet has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// The repetitions that were measured.
    pub repetitions: u64,
    /// How many entries the coordinator and its queue have looked at or changed.
    pub steps: u64,
    /// How many entries the queue holds at the end.
    pub entries: u64,
}

/// Simulates a fleet of equal agents, each of which measures about a hundred repetitions that take no time.
pub fn simulate(agents: u32) -> Result<Simulated, QueueError> {
    let groups = agents.saturating_mul(GROUPS);
    let mut fleet = Simulation::new(&vec![ClassId(0); agents as usize], groups)?;
    fleet.run()?;
    Ok(fleet.simulated())
}

/// A fleet whose agents are entries of a list of times.
pub(super) struct Simulation {
    pub(super) coordinator: Coordinator<Embedded<Counted>>,
    /// What each agent does next, and when.
    next: BinaryHeap<Reverse<(u64, u32)>>,
    doing: Vec<Doing>,
    /// The time at which an agent is killed.
    pub(super) killed: BTreeMap<u32, u64>,
    pub(super) now_ns: u64,
}

#[derive(Clone, Debug)]
enum Doing {
    Joining,
    Measuring { groups: Vec<u32>, done: u32 },
    Leaving,
    Nothing,
}

impl Simulation {
    pub(super) fn new(classes: &[ClassId], groups: u32) -> Result<Self, QueueError> {
        let coordinator = Coordinator::new(Embedded::new(Counted::default()), classes, groups, true)?;
        let agents = classes.len() as u32;
        Ok(Self {
            coordinator,
            next: (0..agents).map(|agent| Reverse((u64::from(agent), agent))).collect(),
            doing: vec![Doing::Joining; classes.len()],
            killed: BTreeMap::new(),
            now_ns: 0,
        })
    }

    /// Runs until nothing happens any more.
    pub(super) fn run(&mut self) -> Result<(), QueueError> {
        loop {
            let agent_ns = self.next.peek().map(|Reverse((at_ns, _))| *at_ns);
            let lease_ns = self.coordinator.wake_ns();
            let Some(at_ns) = agent_ns.into_iter().chain(lease_ns).min() else { return Ok(()) };
            self.now_ns = self.now_ns.max(at_ns);
            if lease_ns == Some(at_ns) {
                let orders = self.coordinator.expire(self.now_ns)?;
                self.obey(orders);
            } else if let Some(Reverse((_, agent))) = self.next.pop() {
                self.act(agent)?;
            }
        }
    }

    /// What was done so far.
    pub(super) fn simulated(&self) -> Simulated {
        let queue = self.coordinator.queue();
        let steps = self.coordinator.steps() + queue.steps();
        Simulated { repetitions: queue.blocks().0, steps, entries: queue.entries() as u64 }
    }

    fn act(&mut self, agent: u32) -> Result<(), QueueError> {
        if self.killed.get(&agent).is_some_and(|killed_ns| *killed_ns <= self.now_ns) {
            self.doing[agent as usize] = Doing::Nothing;
            let orders = self.coordinator.gone(AgentId(agent), self.now_ns)?;
            self.obey(orders);
            return Ok(());
        }
        match std::mem::replace(&mut self.doing[agent as usize], Doing::Nothing) {
            Doing::Joining => {
                self.say(agent, &FromAgent::Ready { lease_ns: 5 * REPETITION_NS })?;
                self.say(agent, &FromAgent::Claim)
            }
            Doing::Measuring { groups, done } if done < groups.len() as u32 * PROCESSES => {
                let (cell, process) = (groups[(done / PROCESSES) as usize], done % PROCESSES);
                let part = Part::Repetition { cell, process };
                self.say(agent, &FromAgent::Block { part, bytes: 0, sha256: String::new() })?;
                self.doing[agent as usize] = Doing::Measuring { groups, done: done + 1 };
                self.next.push(Reverse((self.now_ns + REPETITION_NS, agent)));
                Ok(())
            }
            Doing::Measuring { groups, .. } => {
                self.say(agent, &FromAgent::Completed { groups })?;
                self.say(agent, &FromAgent::Claim)
            }
            Doing::Leaving => self.say(agent, &FromAgent::Leaving),
            Doing::Nothing => Ok(()),
        }
    }

    fn say(&mut self, agent: u32, message: &FromAgent) -> Result<(), QueueError> {
        let orders = self.coordinator.handle(AgentId(agent), message, b"", self.now_ns)?;
        self.obey(orders);
        Ok(())
    }

    fn obey(&mut self, orders: Vec<Order>) {
        for (agent, order) in orders {
            self.doing[agent.0 as usize] = match order {
                ToAgent::Measure { groups } => Doing::Measuring { groups, done: 0 },
                ToAgent::Leave => Doing::Leaving,
                ToAgent::Spec(_) | ToAgent::Clock { .. } | ToAgent::Module { .. } => {
                    unreachable!("a coordinator orders to measure and to leave")
                }
            };
            self.next.push(Reverse((self.now_ns + REPETITION_NS, agent.0)));
        }
    }
}
