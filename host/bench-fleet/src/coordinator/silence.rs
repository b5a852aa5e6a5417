//! Agents of which nothing is heard: those that measure have a lease, and those that prepare have a long time.

use super::{AgentState, Coordinator, Event, Order};
use crate::queue::{AgentId, Queue, QueueError};

/// How long an agent may prepare without a message: load and compile its modules, and measure the rooflines.
pub(super) const PREPARING_NS: u64 = 900_000_000_000;

impl<Q: Queue> Coordinator<Q> {
    /// Takes the groups of agents whose lease has ended, and waits no longer for those that have prepared for too long in silence.
    pub fn expire(&mut self, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        let mut orders = Vec::new();
        while let Some(agent) = self.silent_while_preparing(now_ns) {
            self.steps += 1;
            orders.extend(self.fall_silent(agent, Vec::new(), now_ns)?);
        }
        for (agent, mut groups) in self.queue.expire(now_ns)? {
            self.steps += 1;
            if self.agent(agent).has_common_group {
                // Others measure the common group anyway.
                groups.clear();
            }
            orders.extend(self.fall_silent(agent, groups, now_ns)?);
        }
        Ok(orders)
    }

    fn silent_while_preparing(&self, now_ns: u64) -> Option<AgentId> {
        let (heard_ns, agent) = *self.preparing.first()?;
        (now_ns.saturating_sub(heard_ns) >= PREPARING_NS).then_some(agent)
    }

    /// Notes that an agent is not there, although the run has it: others measure what is left, and it is not waited for when nothing is. It may
    /// come later.
    pub fn absent(&mut self, agent: AgentId, now_ns: u64) {
        self.set(agent, AgentState::Silent, now_ns);
        self.wait_no_longer(agent);
        self.replace_one(agent);
    }

    /// Nothing is heard of an agent any more. It may come back.
    fn fall_silent(&mut self, agent: AgentId, groups: Vec<u32>, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        self.events.push(Event::Lost { agent, groups, is_silent: true });
        self.absent(agent, now_ns);
        let class = self.agent(agent).class;
        self.wake(class, now_ns)
    }

    /// When [`expire`](Self::expire) is worth calling next.
    pub fn wake_ns(&self) -> Option<u64> {
        let of_leases = self.queue.wake_ns().filter(|wake_ns| *wake_ns < u64::MAX);
        let of_preparing = self.preparing.first().map(|(heard_ns, _)| heard_ns.saturating_add(PREPARING_NS));
        of_leases.into_iter().chain(of_preparing).min()
    }
}
