//! Whether the groups of a class are spread over its agents. All of them measure the common group; if their figures differ by more than
//! they scatter, one agent measures the rest, so that the figures of a run are of one machine.

use super::{COMMON_GROUP, Coordinator, Event, Kind, Order};
use crate::queue::{AgentId, ClassId, Queue, QueueError};

/// Who measures the groups of a class besides the common one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// No agent yet: it depends on the common group.
    Undecided,
    /// Every agent.
    All,
    /// One agent, because the machines differ.
    One(AgentId),
}

impl<Q: Queue> Coordinator<Q> {
    /// Has each class wait after the common group until [`decide`](Self::decide) says whether its machines differ.
    pub fn decide_classes(&mut self) {
        for number in 0..self.agents.len() as u32 {
            self.wait_for(AgentId(number));
        }
        for (number, class) in (0..).map(ClassId).zip(&mut self.classes) {
            // All of its agents have measured the common group for a coordinator that was lost.
            let is_measured = class.owners.first().is_some_and(Option::is_some);
            if is_measured && class.awaited == 0 && class.alive > 1 {
                class.spread = Spread::Undecided;
                self.ready.push(number);
            }
        }
    }

    /// Has the class of an agent wait for it, if it has yet to measure the common group.
    pub(super) fn wait_for(&mut self, agent: AgentId) {
        let known = &mut self.agents[agent.0 as usize];
        if known.has_common_group && !known.is_awaited {
            known.is_awaited = true;
            let class = &mut self.classes[known.class.0 as usize];
            class.awaited += 1;
            class.spread = Spread::Undecided;
        }
    }

    /// No longer has the class of an agent wait for it.
    pub(super) fn wait_no_longer(&mut self, agent: AgentId) {
        let known = &mut self.agents[agent.0 as usize];
        if !std::mem::take(&mut known.is_awaited) {
            return;
        }
        let class = &mut self.classes[known.class.0 as usize];
        class.awaited -= 1;
        if class.awaited == 0 {
            self.ready.push(known.class);
        }
    }

    /// A class whose agents have all measured the common group, so that it can be decided whether its machines differ.
    pub fn undecided(&mut self) -> Option<ClassId> {
        while let Some(class) = self.ready.pop() {
            let known = self.class(class);
            // An agent may have been started again meanwhile.
            if known.awaited == 0 && known.spread == Spread::Undecided {
                return Some(class);
            }
        }
        None
    }

    /// Has one agent of the class alone measure all that is left, if the machines differ; else all of them.
    pub fn decide(&mut self, class: ClassId, differs: bool, now_ns: u64) -> Result<Vec<Order>, QueueError> {
        self.revision += 1;
        self.class(class).spread = Spread::All;
        if differs {
            let first = self.class(class).owners.get(COMMON_GROUP as usize).copied().flatten();
            self.choose_one(class, first);
        }
        self.wake(class, now_ns)
    }

    /// Has one agent measure what is left of a class: `wanted`, or another one if that has ended.
    fn choose_one(&mut self, class: ClassId, wanted: Option<AgentId>) {
        let all = 0..self.agents.len() as u32;
        let found = wanted.into_iter().chain(all.map(AgentId)).find(|agent| self.is_working_for(*agent, class));
        self.steps += self.agents.len() as u64;
        if let Some(agent) = found {
            self.class(class).spread = Spread::One(agent);
            self.events.push(Event::Alone { agent });
        }
    }

    /// Whether an agent may measure groups of its class besides the common one. It takes the place of one that measured alone and is not
    /// there any more.
    pub(super) fn may_measure(&mut self, agent: AgentId, class: ClassId) -> bool {
        let spread = self.class(class).spread;
        match spread {
            Spread::All => true,
            Spread::Undecided => false,
            Spread::One(one) if one == agent => true,
            Spread::One(one) if self.is_working_for(one, class) => false,
            Spread::One(_) => {
                self.class(class).spread = Spread::One(agent);
                self.events.push(Event::Alone { agent });
                true
            }
        }
    }

    fn is_working_for(&self, agent: AgentId, class: ClassId) -> bool {
        let known = &self.agents[agent.0 as usize];
        known.class == class && known.state.kind() == Kind::Working
    }

    /// Has another agent go on for one that measured alone and cannot any more.
    pub(super) fn replace_one(&mut self, agent: AgentId) {
        let class = self.agent(agent).class;
        if self.class(class).spread == Spread::One(agent) {
            self.choose_one(class, None);
        }
    }

    /// The agent that alone may measure groups of a class, or `None` if no agent may yet; the outer `None` if all may, or have to leave.
    pub(super) fn only_one(&self, class: ClassId) -> Result<Option<Option<AgentId>>, QueueError> {
        if self.queue.progress(class)?.is_over() {
            return Ok(None);
        }
        Ok(match self.classes[class.0 as usize].spread {
            Spread::All => None,
            Spread::One(one) => Some(Some(one)),
            Spread::Undecided => Some(None),
        })
    }
}
