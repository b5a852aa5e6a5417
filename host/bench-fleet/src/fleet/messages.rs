//! What follows from the messages of agents while the fleet measures. None of them ends the fleet: an agent that cannot measure the run, or lies,
//! is left out.

use super::outbox::Parcel;
use super::{Fleet, FleetError, FleetObserver, Message};
use crate::coordinator::{AgentState, Coordinator, Order};
use crate::protocol::{FromAgent, ProtocolError, Spec};
use crate::queue::{AgentId, Queue};
use bench_sink::digest;

impl Fleet {
    /// Takes a message. Returns the orders that follow from it.
    pub(super) fn take<Q: Queue>(
        &mut self,
        message: Message,
        spec: &Spec,
        coordinator: &mut Coordinator<Q>,
        observer: &mut dyn FleetObserver<Q>,
    ) -> Result<Vec<Order>, FleetError> {
        let (agent, message, block) = match message {
            Message::Said { agent, message, block, .. } => (agent, message, block),
            Message::Ended { agent, error, .. } => return self.ended(coordinator, agent, error, observer),
            Message::Came(visitor) => return self.came_again(coordinator, visitor, observer),
            Message::Lost(loss) => return self.lost(coordinator, loss, observer),
            Message::Woken => return Ok(Vec::new()),
        };
        let is_excluded = |coordinator: &Coordinator<Q>| *coordinator.state(agent).0 == AgentState::Excluded;
        // One that has left has sent everything: what it still sends changes nothing.
        if is_excluded(coordinator) || *coordinator.state(agent).0 == AgentState::Left {
            return Ok(Vec::new());
        }
        match message {
            FromAgent::Hello(card) => match self.welcome(agent, &card, spec) {
                Ok(()) => Ok(Vec::new()),
                Err(reason) => {
                    observer.failed(&self.name(agent), &reason);
                    Ok(coordinator.gone(agent, self.now_ns())?)
                }
            },
            FromAgent::Need { sha256 } => match self.ship(agent, &sha256) {
                Ok(()) => Ok(Vec::new()),
                Err(reason) => self.refused(coordinator, agent, &reason, observer),
            },
            FromAgent::Failed { reason } if !self.agents[agent.0 as usize].is_prepared => {
                self.refused(coordinator, agent, &reason, observer)
            }
            FromAgent::Failed { reason } => {
                observer.failed(&self.name(agent), &reason);
                let orders = coordinator.handle(agent, &FromAgent::Failed { reason }, &[], self.now_ns())?;
                self.expect(coordinator, agent);
                Ok(orders)
            }
            message => {
                self.agents[agent.0 as usize].is_prepared |= matches!(message, FromAgent::Ready { .. });
                let orders = coordinator.handle(agent, &message, &block, self.now_ns())?;
                if is_excluded(coordinator) {
                    self.dismiss(agent);
                }
                Ok(orders)
            }
        }
    }

    /// Goes on without an agent that cannot measure the run. It ends by itself when it gets no more orders.
    fn refused<Q: Queue>(
        &mut self,
        coordinator: &mut Coordinator<Q>,
        agent: AgentId,
        reason: &str,
        observer: &mut dyn FleetObserver<Q>,
    ) -> Result<Vec<Order>, FleetError> {
        observer.refused(&self.name(agent), reason);
        self.agents[agent.0 as usize].orders = None;
        Ok(coordinator.exclude(agent, self.now_ns())?)
    }

    /// Ends an agent of which nothing more is taken, or that does not read.
    pub(super) fn dismiss(&mut self, agent: AgentId) {
        let known = &mut self.agents[agent.0 as usize];
        known.orders = None;
        if let Some(process) = &mut known.process {
            process.kill();
        }
    }

    /// Sends modules to an agent that lacks them; or why that is not possible.
    fn ship(&mut self, agent: AgentId, digests: &[String]) -> Result<(), String> {
        let mut files = Vec::new();
        for sha256 in digests {
            let fail = |reason: String| format!("the module {sha256} cannot be sent to it: {reason}; start a new run");
            let file = self.modules.get(sha256).ok_or_else(|| fail("it is not a module of this run".to_owned()))?;
            if files.len() >= self.modules.len() {
                return Err(fail("it was asked for twice".to_owned()));
            }
            let found =
                digest::of_file(file).map_err(|error| fail(format!("cannot read {}: {error}", file.display())))?;
            if found != *sha256 {
                return Err(fail(format!("{} was built again after the run had begun", file.display())));
            }
            files.push((sha256.clone(), file.clone()));
        }
        self.send(agent, Parcel::Modules(files));
        Ok(())
    }

    /// Ends the process of an agent whose output has ended, and returns the orders that follow from it.
    pub(super) fn ended<Q: Queue>(
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
        let before = coordinator.state(agent).0;
        let was_there = !matches!(before, AgentState::Left | AgentState::Lost | AgentState::Excluded);
        if was_there {
            observer.failed(&self.name(agent), &reason);
        }
        let orders = coordinator.gone(agent, self.now_ns())?;
        if was_there {
            self.expect(coordinator, agent);
        }
        Ok(orders)
    }
}
