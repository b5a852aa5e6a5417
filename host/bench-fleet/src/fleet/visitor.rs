//! Agents that were started elsewhere and connect by themselves, and may do so again when their connection was lost.

use super::outbox::Outbox;
use super::{Fleet, FleetError, FleetObserver, Message};
use crate::coordinator::{AgentState, Coordinator, Order};
use crate::queue::{AgentId, Queue};
use std::fmt;
use std::io::{Read, Write};
use std::time::Duration;

/// An agent that has connected by itself.
pub struct Visitor {
    /// Its name.
    pub name: String,
    /// The way to it. The end asks it to stop.
    pub orders: Box<dyn Write + Send>,
    /// What it sends.
    pub messages: Box<dyn Read + Send>,
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How long an agent whose connection was lost may take to connect again: its machine, or the server, may have to start.
pub(super) const RETURN: Duration = Duration::from_secs(120);

/// The same, if what started the agent starts another in its place.
pub(super) const RETURN_OF_LAUNCHED: Duration = Duration::from_secs(900);

/// How often an agent may connect again. One that cannot go on would otherwise do so for ever.
pub(super) const VISITS_MAX: usize = 256;

impl Fleet {
    /// A fleet of agents that connect by themselves: those of these names, whose numbers are in this order, and others until there are
    /// `number`.
    pub fn expect_visitors(names: &[String], number: usize) -> Self {
        let mut fleet = Self::new(number.max(names.len()), &[]);
        names.iter().for_each(|name| _ = fleet.add(name));
        fleet
    }

    /// A function that gives the fleet an agent that has connected.
    pub fn door(&self) -> impl Fn(Visitor) + Send + 'static + use<> {
        let door = self.waker.clone();
        // A fleet that is gone takes no agents: the connection ends.
        move |visitor| _ = door.send(Message::Came(visitor))
    }

    /// Takes an agent that connects before the fleet measures. Returns its number; `None` if there are enough.
    pub(super) fn meet(&mut self, visitor: Visitor) -> Result<Option<usize>, FleetError> {
        let agent = match self.named(&visitor.name) {
            Some(found) => found,
            None if self.agents.len() < self.expected => self.add(&visitor.name),
            None => {
                turn_away(visitor);
                return Ok(None);
            }
        };
        let known = &mut self.agents[agent.0 as usize];
        known.card = None;
        known.absent = None;
        known.clock = [(None, 0); 2];
        self.connect(agent, visitor)?;
        Ok(Some(agent.0 as usize))
    }

    /// Takes an agent that connects while the fleet measures: one of it that was lost.
    pub(super) fn came_again<Q: Queue>(
        &mut self,
        coordinator: &mut Coordinator<Q>,
        visitor: Visitor,
        observer: &mut dyn FleetObserver<Q>,
    ) -> Result<Vec<Order>, FleetError> {
        let is_welcome = |agent: &AgentId| {
            let may_come = !matches!(coordinator.state(*agent).0, AgentState::Left | AgentState::Excluded);
            may_come && self.agents[agent.0 as usize].restarted < VISITS_MAX
        };
        let Some(agent) = self.named(&visitor.name).filter(is_welcome) else {
            turn_away(visitor);
            return Ok(Vec::new());
        };
        let mut orders = Vec::new();
        if !self.agents[agent.0 as usize].has_ended {
            // It noticed earlier than this process that its connection was lost.
            orders = self.ended(coordinator, agent, None, observer)?;
        }
        self.agents[agent.0 as usize].restart_at = None;
        coordinator.expect(agent, self.now_ns());
        self.connect(agent, visitor)?;
        Ok(orders)
    }

    fn connect(&mut self, agent: AgentId, visitor: Visitor) -> Result<(), FleetError> {
        let Visitor { name, orders, messages } = visitor;
        let connected = self.listen(agent, orders, messages);
        connected.map_err(|source| FleetError::Start { agent: name, source })
    }

    /// Why a fleet cannot begin whose agents did not all come.
    pub(super) fn too_few(&self, within: Duration) -> FleetError {
        FleetError::TooFew { found: self.agents.len(), expected: self.expected, seconds: within.as_secs() }
    }
}

/// Ends the connection of an agent that is not taken, on a thread: the agent may not hear it.
fn turn_away(visitor: Visitor) {
    drop(Outbox::open(visitor.orders));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_that_do_not_come_are_counted() {
        let mut fleet = Fleet::expect_visitors(&[], 2);
        let error = fleet.join(Duration::from_millis(1), &|| false).unwrap_err().to_string();
        assert!(error.starts_with("only 0 of 2 agents came within 0 s") && error.contains("--nodes"), "{error}");
    }
}
