//! Word of agents that have ended elsewhere, from what started them there: a connection need not tell that.

use super::visitor::RETURN_OF_LAUNCHED;
use super::{Fleet, FleetError, FleetObserver, Message};
use crate::coordinator::{AgentState, Coordinator, Order};
use crate::queue::{AgentId, Queue};

/// The end of an agent, as what started it knows it, and has told the user unless it is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentLoss {
    /// The name of the agent.
    pub agent: String,
    /// What happened to it.
    pub reason: String,
    /// What follows from it.
    pub kind: LossKind,
}

/// What follows from the end of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossKind {
    /// Its program failed. What it measured may be why.
    Failed,
    /// Its machine was taken from it, which says nothing of what it measured.
    Disrupted,
    /// It is not started again.
    Final,
}

impl Fleet {
    /// A function that tells the fleet that an agent has ended. What starts the agents is waited for longer: it may have to get a machine first.
    pub fn losses(&mut self) -> impl Fn(AgentLoss) + Send + 'static + use<> {
        self.patience = RETURN_OF_LAUNCHED;
        let losses = self.waker.clone();
        // A fleet that is gone has lost nothing.
        move |loss| _ = losses.send(Message::Lost(loss))
    }

    /// Takes nothing more of the connection of an agent that has ended.
    pub(super) fn hang_up(&mut self, agent: AgentId) {
        self.note_end(agent);
        self.agents[agent.0 as usize].connection += 1;
    }

    /// Notes the end of an agent before the fleet measures. Returns its number, because it has to join again; `None` if it is unknown.
    pub(super) fn lost_while_joining(&mut self, loss: AgentLoss) -> Result<Option<usize>, FleetError> {
        let AgentLoss { agent: name, reason, kind } = loss;
        let Some(agent) = self.named(&name) else { return Ok(None) };
        if kind == LossKind::Final {
            self.hang_up(agent);
            self.agents[agent.0 as usize].restarted = usize::MAX;
            let is_left_out = self.leave_out(agent, &reason);
            return if is_left_out { Ok(None) } else { Err(FleetError::NotStarted { agent: name, reason }) };
        }
        self.hang_up(agent);
        let known = &mut self.agents[agent.0 as usize];
        known.card = None;
        known.clock = [(None, 0); 2];
        Ok(Some(agent.0 as usize))
    }

    /// Notes the end of an agent while the fleet measures. Returns the orders that follow from it.
    pub(super) fn lost<Q: Queue>(
        &mut self,
        coordinator: &mut Coordinator<Q>,
        loss: AgentLoss,
        observer: &mut dyn FleetObserver<Q>,
    ) -> Result<Vec<Order>, FleetError> {
        let AgentLoss { agent: name, reason, kind } = loss;
        let Some(agent) = self.named(&name) else { return Ok(Vec::new()) };
        if matches!(coordinator.state(agent).0, AgentState::Left | AgentState::Lost | AgentState::Excluded) {
            return Ok(Vec::new());
        }
        let has_ended = self.agents[agent.0 as usize].has_ended;
        self.hang_up(agent);
        let now_ns = self.now_ns();
        let orders = match kind {
            LossKind::Final => {
                observer.failed(&name, &reason);
                self.agents[agent.0 as usize].restart_at = None;
                return Ok(coordinator.gone(agent, now_ns)?);
            }
            // The end of its connection has told that before.
            LossKind::Failed | LossKind::Disrupted if has_ended => return Ok(Vec::new()),
            LossKind::Failed => coordinator.gone(agent, now_ns)?,
            LossKind::Disrupted => coordinator.disrupted(agent, now_ns)?,
        };
        self.expect(coordinator, agent);
        Ok(orders)
    }
}
