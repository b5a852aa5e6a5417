//! How agents end: they leave, are lost and perhaps come back, cannot measure the run, or sent what cannot be so.

use super::spread::Spread;
use super::{AgentState, Coordinator, Event, Kind, Order};
use crate::queue::{AgentId, Queue, QueueError};

impl<Q: Queue> Coordinator<Q> {
    /// Notes that the process of an agent has ended. Its groups go to others, if it had not left.
    pub fn gone(&mut self, agent: AgentId, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        self.end_as(agent, AgentState::Lost, now_ns)
    }

    /// Notes that an agent was ended from outside, which says nothing of the groups that it held: they go to others, and do not count as lost.
    pub fn disrupted(&mut self, agent: AgentId, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        self.steps += 1;
        if self.agent(agent).state.kind() == Kind::Ended {
            return Ok(Vec::new());
        }
        let groups = self.queue.take_back(agent)?;
        self.end_with(agent, AgentState::Lost, groups, now_ns)
    }

    /// Notes that an agent cannot measure the run. Its groups go to others, and nothing more is taken of it.
    pub fn exclude(&mut self, agent: AgentId, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        self.end_as(agent, AgentState::Excluded, now_ns)
    }

    /// Notes that an agent that was lost is started again, or that one comes that [was not there](Self::absent).
    pub fn expect(&mut self, agent: AgentId, now_ns: u64) {
        self.steps += 1;
        let class = self.agent(agent).class;
        match self.agent(agent).state {
            AgentState::Lost => {
                self.class(class).alive += 1;
                self.events.push(Event::Restarted { agent });
            }
            AgentState::Silent => {}
            _ => return,
        }
        self.set(agent, AgentState::Preparing, now_ns);
        if self.class(class).spread == Spread::Undecided {
            self.wait_for(agent);
        }
    }

    /// Excludes an agent that sent what cannot be so.
    pub(super) fn distrust(&mut self, agent: AgentId, what: String, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        self.events.push(Event::Distrusted { agent, what });
        self.end(agent, AgentState::Excluded, now_ns)
    }

    fn end_as(&mut self, agent: AgentId, state: AgentState, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        self.steps += 1;
        if self.agent(agent).state.kind() == Kind::Ended {
            return Ok(Vec::new());
        }
        self.end(agent, state, now_ns)
    }

    /// Gives what an agent held to others, and what is left to those that waited for it.
    pub(super) fn end(&mut self, agent: AgentId, state: AgentState, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        let groups = self.queue.release(agent)?;
        self.end_with(agent, state, groups, now_ns)
    }

    /// As [`end`](Self::end), of an agent that held these groups.
    fn end_with(
        &mut self,
        agent: AgentId,
        state: AgentState,
        mut groups: Vec<u32>,
        now_ns: u64,
    ) -> Result<Vec<Order>, QueueError> {
        let class = self.agent(agent).class;
        self.steps += 1 + groups.len() as u64;
        if self.agent(agent).has_common_group {
            // Others measure the common group anyway.
            groups.clear();
        }
        if state == AgentState::Lost {
            self.events.push(Event::Lost { agent, groups, is_silent: false });
        }
        // What one has sent that was lost before may exclude it.
        if self.agent(agent).state.kind() != Kind::Ended {
            self.class(class).alive -= 1;
        }
        self.set(agent, state, now_ns);
        self.wait_no_longer(agent);
        self.replace_one(agent);
        self.wake(class, now_ns)
    }
}
