//! Compares the clocks of agents with that of this machine, while they have nothing to measure.

use super::Fleet;
use super::outbox::Parcel;
use crate::clock::{CLOCK_SAMPLES, Exchange, better, wall_ns};
use crate::protocol::{HostCard, PROTOCOL, ToAgent};
use crate::queue::AgentId;
use bench_sink::runfile::ClockRecord;

impl Fleet {
    /// Whether an agent has introduced itself, and its clock was compared, or the fleet goes on without it.
    pub(super) fn has_joined(&self, agent: usize) -> bool {
        let Some(known) = self.agents.get(agent) else { return false };
        if known.absent.is_some() {
            return true;
        }
        // One of another version would not understand the question, and is refused for that.
        let compared = |card: &HostCard| card.protocol != PROTOCOL || known.clock[0].1 >= CLOCK_SAMPLES;
        known.card.as_ref().is_some_and(compared)
    }

    /// Asks an agent for the time.
    pub(super) fn ask_for_time(&mut self, agent: AgentId) {
        self.send(agent, Parcel::Order(ToAgent::Clock { sent_ns: wall_ns() }));
    }

    /// Notes how far the clock of an agent is ahead, and asks it again until there are enough answers. After it has joined, it is asked only
    /// when it leaves.
    pub(super) fn note_time(&mut self, agent: AgentId, exchange: Exchange) {
        let [joined, left] = &mut self.agents[agent.0 as usize].clock;
        let (clock, samples) = if joined.1 < CLOCK_SAMPLES { joined } else { left };
        *clock = Some(better(*clock, exchange.offset()));
        *samples += 1;
        if self.agents[agent.0 as usize].clock[0].1 < CLOCK_SAMPLES {
            self.ask_for_time(agent);
        }
    }

    /// How far the clock of an agent was ahead of this machine's, when it joined and, as far as it did, when it left.
    pub fn clock(&self, agent: AgentId) -> Vec<ClockRecord> {
        self.agents[agent.0 as usize].clock.iter().filter_map(|(clock, _)| *clock).collect()
    }
}
