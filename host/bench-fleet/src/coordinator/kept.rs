//! What agents sent: it is checked before it is kept, and what contradicts an earlier block is noted.

use super::{Coordinator, Event, Order};
use crate::inspect::Inspector;
use crate::queue::{AgentId, Queue, QueueError, Stored, Subject};

impl<Q: Queue> Coordinator<Q> {
    /// Has `inspector` check what agents send from now on. One that sends what cannot be so is excluded, and its groups go to others.
    pub fn inspect(&mut self, inspector: Inspector) {
        self.inspector = Some(inspector);
    }

    /// Whether an agent has sent two different blocks of one repetition.
    pub fn has_contradiction(&self) -> bool {
        self.contradictions > 0
    }

    /// Keeps a block, if it is the first of its subject and can be one.
    pub(super) fn keep(&mut self, subject: Subject, block: &[u8], now_ns: u64) -> Result<Vec<Order>, QueueError> {
        let Subject { agent, part } = subject;
        let checked = self.inspector.as_mut().map_or(Ok(()), |inspector| inspector.take(agent, part, block));
        if let Err(reason) = checked {
            return self.distrust(agent, format!("a block of {part} that cannot be so: {reason}"), now_ns);
        }
        if self.queue.store(subject, block)? == Stored::Different {
            self.contradictions += 1;
            self.events.push(Event::Different { subject });
        }
        Ok(Vec::new())
    }

    /// What an agent that has measured `groups` did not send of them, if anything is lacking.
    pub(super) fn lacking(&self, agent: AgentId, groups: &[u32]) -> Option<String> {
        let inspector = self.inspector.as_ref()?;
        let lacking = |group: &u32| Some((*group, inspector.lacking(agent, *group)?));
        let (group, what) = groups.iter().find_map(lacking)?;
        Some(format!("word that it has measured group {group}, but not {what}"))
    }
}
