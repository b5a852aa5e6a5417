//! Agents of a run that another coordinator began, and that do not come again: the run goes on without them, and takes those that come later.

use super::{Fleet, FleetError, FleetObserver};
use crate::coordinator::Coordinator;
use crate::own::AgentCard;
use crate::queue::{AgentId, ClassId, Queue};
use std::time::Duration;

/// How long an agent that was not there when a run was gone on with may take to connect: it may measure a repetition first.
const RETURN_OF_ABSENT: Duration = Duration::from_secs(600);

impl Fleet {
    /// Has the fleet go on without those of its agents that do not join. They were of these machines when another coordinator had them.
    pub fn remember(&mut self, agents: Vec<AgentCard>) {
        for AgentCard { agent, card } in agents {
            if let Some(agent) = self.named(&agent) {
                self.agents[agent.0 as usize].earlier = Some(card);
            }
        }
    }

    /// Leaves out an agent that does not join, if the fleet can go on without it. Returns whether it can.
    pub(super) fn leave_out(&mut self, agent: AgentId, reason: &str) -> bool {
        let Some(known) = self.agents.get_mut(agent.0 as usize).filter(|known| known.earlier.is_some()) else {
            return false;
        };
        known.card.clone_from(&known.earlier);
        known.clock = [(None, 0); 2];
        known.absent = Some(reason.to_owned());
        true
    }

    /// The same for all that have not joined within this time. Returns whether the fleet can go on without them.
    pub(super) fn leave_out_missing(&mut self, within: Duration) -> bool {
        let reason = format!("it did not come within {} s", within.as_secs());
        let missing = (0..self.expected).filter(|agent| !self.has_joined(*agent));
        let missing: Vec<_> = missing.map(|agent| AgentId(agent as u32)).collect();
        for agent in missing {
            if !self.leave_out(agent, &reason) {
                return false;
            }
            // It may be there, but too slow.
            if let Some(process) = &mut self.agents[agent.0 as usize].process {
                process.end();
            }
            self.hang_up(agent);
        }
        true
    }

    /// How long an agent whose connection was lost, or that was not there, may take to connect.
    pub(super) fn patience_with(&self, agent: AgentId) -> Duration {
        let is_absent = self.agents[agent.0 as usize].absent.is_some();
        if is_absent { self.patience.max(RETURN_OF_ABSENT) } else { self.patience }
    }

    /// Has others measure what those would have measured that were left out.
    pub(super) fn go_on_without_absent<Q: Queue>(
        &mut self,
        coordinator: &mut Coordinator<Q>,
        observer: &mut dyn FleetObserver<Q>,
    ) -> Result<(), FleetError> {
        for agent in (0..self.agents.len() as u32).map(AgentId) {
            let Some(reason) = self.agents[agent.0 as usize].absent.clone() else { continue };
            observer.failed(&self.name(agent), &format!("{reason}; the run goes on without it"));
            coordinator.absent(agent, self.now_ns());
            if !self.plan_restart(agent) {
                coordinator.gone(agent, self.now_ns())?;
            }
        }
        Ok(())
    }

    /// An error if groups are left and no agent has come at all, so that it is better to go on another time.
    pub(super) fn ensure_presence<Q: Queue>(&self, coordinator: &Coordinator<Q>) -> Result<(), FleetError> {
        let mut agents = self.agents.iter();
        let Some(first) = self.agents.first().filter(|_| agents.all(|agent| agent.absent.is_some())) else {
            return Ok(());
        };
        for class in (0..coordinator.classes()).map(ClassId) {
            if !coordinator.progress(class)?.is_over() {
                let reason = first.absent.clone().unwrap_or_default();
                return Err(FleetError::NotJoined { agent: first.name.clone(), reason });
            }
        }
        Ok(())
    }
}
