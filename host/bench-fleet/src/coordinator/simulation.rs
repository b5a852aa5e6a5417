//! Simulates a fleet with a clock of its own: how the work and the memory of the coordinator grow with the number of agents. After each message
//! it does what a fleet of processes does: ends leases, decides classes, and writes a state if one is due.

use super::{Coordinator, Order};
use crate::fleet::{FleetObserver, settle};
use crate::pace::Pace;
use crate::protocol::{FromAgent, ToAgent};
use crate::queue::{AgentId, Blocks, ClassId, Embedded, Part, Queue, QueueError};
use std::collections::{BTreeMap, VecDeque};
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
pub(super) const REPETITION_NS: u64 = 1_000_000_000;

/// What a simulated fleet has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// The repetitions that were measured.
    pub repetitions: u64,
    /// How many entries the coordinator and its queue have looked at or changed.
    pub steps: u64,
    /// How many entries the queue holds at the end.
    pub entries: u64,
    /// How many agents the states name that were written.
    pub shown: u64,
}

/// Simulates so many fleets of equal `agents`, each of which measures about a hundred repetitions that take no time. The fleets take turns with
/// each message, so that as much memory is in use as by one fleet of all these agents.
pub fn simulate(fleets: u32, agents: u32) -> Result<Simulated, QueueError> {
    let groups = agents.saturating_mul(GROUPS);
    let classes = vec![ClassId(0); agents as usize];
    let mut going: Vec<_> = (0..fleets).map(|_| Simulation::new(&classes, groups)).collect::<Result<_, _>>()?;
    // Fleets of equal agents take equally many steps.
    let mut is_going = true;
    while is_going {
        is_going = false;
        for fleet in &mut going {
            is_going |= fleet.step()?;
        }
    }
    let mut all = Simulated { repetitions: 0, steps: 0, entries: 0, shown: 0 };
    for Simulated { repetitions, steps, entries, shown } in going.iter().map(Simulation::simulated) {
        all.repetitions += repetitions;
        all.steps += steps;
        all.entries += entries;
        all.shown += shown;
    }
    Ok(all)
}

/// Counts the agents that the states name which a process would write.
struct Shown {
    pace: Pace,
    agents: u64,
    shown: u64,
}

impl<Q: Queue> FleetObserver<Q> for Shown {
    fn changed(&mut self, coordinator: &mut Coordinator<Q>, now_ns: u64) {
        if self.pace.is_due(coordinator.revision(), now_ns) {
            self.shown += self.agents;
        }
    }

    fn failed(&mut self, _: &str, _: &str) {}
}

/// A fleet whose agents are entries of a list of times.
pub(super) struct Simulation {
    pub(super) coordinator: Coordinator<Embedded<Counted>>,
    /// Which agent does something next, and when, in the order of the times: everything that an agent does takes equally long.
    next: VecDeque<(u64, u32)>,
    observer: Shown,
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
        let mut coordinator = Coordinator::new(Embedded::new(Counted::default()), classes, groups, true)?;
        coordinator.decide_classes();
        let agents = classes.len() as u64;
        Ok(Self {
            coordinator,
            // They join within the time of one repetition.
            next: (0u32..).zip(0..agents).map(|(agent, nth)| (nth * REPETITION_NS / agents, agent)).collect(),
            observer: Shown { pace: Pace::new(classes.len()), agents, shown: 0 },
            doing: vec![Doing::Joining; classes.len()],
            killed: BTreeMap::new(),
            now_ns: 0,
        })
    }

    /// Runs until nothing happens any more.
    #[cfg(test)]
    pub(super) fn run(&mut self) -> Result<(), QueueError> {
        while self.step()? {}
        Ok(())
    }

    /// Has the next thing happen. Returns whether there was one.
    fn step(&mut self) -> Result<bool, QueueError> {
        let agent_ns = self.next.front().map(|(at_ns, _)| *at_ns);
        let lease_ns = self.coordinator.wake_ns();
        let Some(at_ns) = agent_ns.into_iter().chain(lease_ns).min() else { return Ok(false) };
        self.now_ns = self.now_ns.max(at_ns);
        if lease_ns != Some(at_ns)
            && let Some((_, agent)) = self.next.pop_front()
        {
            self.act(agent)?;
        }
        let orders = settle(&mut self.coordinator, &mut self.observer, self.now_ns)?;
        self.obey(orders);
        self.observer.changed(&mut self.coordinator, self.now_ns);
        Ok(true)
    }

    /// What was done so far.
    pub(super) fn simulated(&self) -> Simulated {
        let queue = self.coordinator.queue();
        let steps = self.coordinator.steps() + queue.steps();
        let (repetitions, entries, shown) = (queue.blocks().0, queue.entries() as u64, self.observer.shown);
        Simulated { repetitions, steps, entries, shown }
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
                self.next.push_back((self.now_ns + REPETITION_NS, agent));
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
            self.next.push_back((self.now_ns + REPETITION_NS, agent.0));
        }
    }
}
