//! Starts agents again that were lost, or waits for those that connect by themselves.

use super::Fleet;
use super::visitor::VISITS_MAX;
use crate::classes::is_same_class;
use crate::coordinator::{AgentState, Coordinator};
use crate::protocol::{HostCard, Spec, ToAgent};
use crate::queue::{AgentId, Queue};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::time::Instant;

/// When agents are started again, the earliest first. An entry counts only while the agent has ended and still has that time, so that nothing
/// has to be searched when it gets another.
#[derive(Debug, Default)]
pub(super) struct Restarts(BinaryHeap<Reverse<(Instant, AgentId)>>);

impl Restarts {
    fn add(&mut self, at: Instant, agent: AgentId) {
        self.0.push(Reverse((at, agent)));
    }
}

impl Fleet {
    /// The next agent that is started again, and when.
    pub(super) fn next_restart(&mut self) -> Option<(Instant, AgentId)> {
        while let Some(Reverse((at, agent))) = self.due.0.peek().copied() {
            let known = &self.agents[agent.0 as usize];
            if known.has_ended && known.restart_at == Some(at) {
                return Some((at, agent));
            }
            self.due.0.pop();
        }
        None
    }

    /// Notes that an agent has ended. It may have said before that it could not go on, and then has a time already.
    pub(super) fn note_end(&mut self, agent: AgentId) {
        let known = &mut self.agents[agent.0 as usize];
        known.has_ended = true;
        known.orders = None;
        if let Some(at) = known.restart_at {
            self.due.add(at, agent);
        }
    }

    /// Whether an agent that was lost will be started again.
    pub(super) fn plan_restart(&mut self, agent: AgentId) -> bool {
        let patience = self.patience_with(agent);
        let known = &mut self.agents[agent.0 as usize];
        let pause = match known.process {
            Some(_) => self.restarts.get(known.restarted).copied(),
            None => (known.restarted < VISITS_MAX).then_some(patience),
        };
        let Some(pause) = pause else { return false };
        let at = Instant::now() + pause;
        known.restarted += 1;
        known.restart_at = Some(at);
        self.due.add(at, agent);
        true
    }

    /// Starts the agents again whose time has come. Returns those that cannot be started, and those that did not connect again in time.
    pub(super) fn restart_due(&mut self) -> Vec<(AgentId, io::Error)> {
        let now = Instant::now();
        let mut failed = Vec::new();
        while let Some((_, agent)) = self.next_restart().filter(|(at, _)| *at <= now) {
            let patience = self.patience_with(agent);
            let known = &mut self.agents[agent.0 as usize];
            known.restart_at = None;
            let started = match &mut known.process {
                Some(process) => process.start_again().and_then(|()| self.listen_to_process(agent)),
                None => {
                    let late = format!("it did not connect again within {} s", patience.as_secs());
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
        // It may refuse the spec again.
        known.is_prepared = false;
        known.absent = None;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The agents that are due, which are visitors that did not connect again in time.
    fn due(fleet: &mut Fleet) -> Vec<u32> {
        fleet.restart_due().into_iter().map(|(agent, _)| agent.0).collect()
    }

    /// Loses an agent that may take so long to connect again.
    fn lose(fleet: &mut Fleet, agent: u32, patience: Duration) {
        fleet.patience = patience;
        assert!(fleet.plan_restart(AgentId(agent)));
    }

    #[test]
    fn agents_are_due_in_the_order_of_their_times() {
        let mut fleet = Fleet::expect_visitors(&["a", "b", "c"].map(str::to_owned), 3);
        assert_eq!(due(&mut fleet), [0; 0]);
        let long = Duration::from_secs(600);
        lose(&mut fleet, 2, long);
        lose(&mut fleet, 1, Duration::ZERO);
        lose(&mut fleet, 0, Duration::from_nanos(1));
        assert_eq!(due(&mut fleet), [1, 0]);
        assert_eq!(due(&mut fleet), [0; 0]);
        assert_eq!(fleet.next_restart().map(|(_, agent)| agent), Some(AgentId(2)));
        assert!(fleet.pause(None, 0) > Duration::from_secs(20), "it is not waited for longer than between two looks");
        // It has connected.
        fleet.agents[2].restart_at = None;
        assert_eq!(fleet.next_restart(), None);
    }

    #[test]
    fn agent_that_has_yet_to_end_is_due_when_it_has() {
        let mut fleet = Fleet::expect_visitors(&["a".to_owned()], 1);
        fleet.agents[0].has_ended = false;
        lose(&mut fleet, 0, Duration::ZERO);
        assert_eq!(due(&mut fleet), [0; 0]);
        fleet.end(AgentId(0), None);
        assert_eq!(fleet.pause(None, 0), Duration::ZERO);
        assert_eq!(due(&mut fleet), [0]);
    }
}
