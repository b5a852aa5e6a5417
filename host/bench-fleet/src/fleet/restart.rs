//! Starts agents again that were lost, or waits for those that connect by themselves.

use super::Fleet;
use super::visitor::{RETURN, VISITS_MAX};
use crate::classes::is_same_class;
use crate::coordinator::{AgentState, Coordinator};
use crate::protocol::{HostCard, Spec, ToAgent};
use crate::queue::{AgentId, Queue};
use std::io;
use std::time::Instant;

impl Fleet {
    /// Whether an agent that was lost will be started again.
    fn plan_restart(&mut self, agent: AgentId) -> bool {
        let known = &mut self.agents[agent.0 as usize];
        let pause = match known.process {
            Some(_) => self.restarts.get(known.restarted).copied(),
            None => (known.restarted < VISITS_MAX).then_some(RETURN),
        };
        let Some(pause) = pause else { return false };
        known.restarted += 1;
        known.restart_at = Some(Instant::now() + pause);
        true
    }

    /// Starts the agents again whose time has come. Returns those that cannot be started, and those that did not connect again in time.
    pub(super) fn restart_due(&mut self) -> Vec<(AgentId, io::Error)> {
        let now = Instant::now();
        let mut failed = Vec::new();
        for number in 0..self.agents.len() {
            let known = &mut self.agents[number];
            if !known.has_ended || known.restart_at.is_none_or(|at| at > now) {
                continue;
            }
            known.restart_at = None;
            let agent = AgentId(number as u32);
            let started = match &mut known.process {
                Some(process) => process.start_again().and_then(|()| self.listen_to_process(agent)),
                None => {
                    let late = format!("it did not connect again within {} s", RETURN.as_secs());
                    Err(io::Error::new(io::ErrorKind::TimedOut, late))
                }
            };
            failed.extend(started.err().map(|error| (agent, error)));
        }
        failed
    }

    /// Gives the spec to an agent that was started again, unless another machine or program has come in its place.
    pub(super) fn welcome(&mut self, agent: AgentId, card: &HostCard, spec: &Spec) -> Result<(), String> {
        let known = &mut self.agents[agent.0 as usize];
        if known.card.as_ref().is_some_and(|known| is_same_class(known, card)) {
            self.order(vec![(agent, ToAgent::Spec(Box::new(spec.clone())))]);
            return Ok(());
        }
        known.restarted = usize::MAX;
        match &mut known.process {
            Some(process) => process.kill(),
            None => known.orders = None,
        }
        Err("it came back as another machine or with another program, which is not of its class; start a new run"
            .to_owned())
    }

    /// Has the coordinator expect an agent again that was lost, if it will be started again.
    pub(super) fn expect<Q: Queue>(&mut self, coordinator: &mut Coordinator<Q>, agent: AgentId) {
        if coordinator.state(agent).0 == &AgentState::Lost && self.plan_restart(agent) {
            coordinator.expect(agent, self.now_ns());
        }
    }
}
