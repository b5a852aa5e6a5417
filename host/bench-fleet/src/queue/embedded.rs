//! The queue without a server: leases in memory, blocks in whatever the owner keeps them in.

use super::{AgentId, ClassId, Completed, LOSSES_MAX, Lease, Progress, Queue, QueueError, Stored, Subject};
use bench_model::Checksum;
use bench_sink::digest;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;

/// Where blocks are kept.
pub trait Blocks {
    /// Appends a block to those of `agent`.
    fn append(&mut self, agent: AgentId, block: &[u8]) -> io::Result<()>;
}

/// A queue in this process. Each of its methods takes time in proportion to what it returns, however many agents, groups and blocks
/// there are.
#[derive(Debug)]
pub struct Embedded<B> {
    blocks: B,
    classes: HashMap<ClassId, Class>,
    leases: HashMap<AgentId, Claim>,
    /// For each agent with a lease at most one entry, which may be earlier than the end of its lease.
    ends: BinaryHeap<Reverse<(u64, AgentId)>>,
    /// The digest of the first block of each subject.
    stored: HashMap<Subject, Checksum>,
    steps: u64,
}

#[derive(Debug)]
struct Class {
    groups: Vec<Group>,
    /// Every waiting group, and some that were finished meanwhile.
    waiting: VecDeque<u32>,
    progress: Progress,
}

#[derive(Clone, Debug)]
struct Group {
    state: State,
    lost_by: Vec<AgentId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Leased(AgentId),
    Finished(AgentId),
    GivenUp,
}

/// What an agent holds.
#[derive(Debug)]
struct Claim {
    class: ClassId,
    groups: Vec<u32>,
    until_ns: u64,
    /// Whether `ends` has an entry for the agent.
    has_entry: bool,
}

impl Class {
    /// Changes the state of a group, and the counts with it.
    fn set(&mut self, group: u32, state: State) {
        let entry = &mut self.groups[group as usize];
        let before = std::mem::replace(&mut entry.state, state);
        *self.count(before) -= 1;
        *self.count(state) += 1;
    }

    fn count(&mut self, state: State) -> &mut u32 {
        match state {
            State::Waiting => &mut self.progress.waiting,
            State::Leased(_) => &mut self.progress.leased,
            State::Finished(_) => &mut self.progress.finished,
            State::GivenUp => &mut self.progress.given_up,
        }
    }
}

impl<B: Blocks> Embedded<B> {
    /// A queue without groups, which keeps its blocks in `blocks`.
    pub fn new(blocks: B) -> Self {
        Self {
            blocks,
            classes: HashMap::new(),
            leases: HashMap::new(),
            ends: BinaryHeap::new(),
            stored: HashMap::new(),
            steps: 0,
        }
    }

    /// How many entries all calls so far have looked at or changed: the work, independent of the machine.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many entries it holds: the memory, except for that of the blocks.
    pub fn entries(&self) -> usize {
        let groups: usize = self.classes.values().map(|class| class.groups.len() + class.waiting.len()).sum();
        groups + self.leases.len() + self.ends.len() + self.stored.len()
    }

    /// What keeps the blocks.
    pub fn blocks(&self) -> &B {
        &self.blocks
    }

    /// Whether there is a block of this subject.
    #[cfg(feature = "nats")]
    pub(super) fn is_stored(&self, subject: Subject) -> bool {
        self.stored.contains_key(&subject)
    }

    /// The class of the groups that an agent holds, or held last.
    #[cfg(feature = "nats")]
    pub(super) fn class_of_lease(&self, agent: AgentId) -> Option<ClassId> {
        self.leases.get(&agent).map(|held| held.class)
    }

    /// Notes that an agent was once lost with a group.
    #[cfg(feature = "nats")]
    pub(super) fn note_loss(&mut self, class: ClassId, group: u32, agent: AgentId) -> Result<(), QueueError> {
        self.check(class, group)?;
        let known = self.class_mut(class)?;
        let entry = &mut known.groups[group as usize];
        if !entry.lost_by.contains(&agent) {
            entry.lost_by.push(agent);
        }
        if entry.lost_by.len() >= LOSSES_MAX && entry.state == State::Waiting {
            known.set(group, State::GivenUp);
        }
        Ok(())
    }

    /// Checks that a class was submitted, and has the group.
    pub(super) fn check(&self, class: ClassId, group: u32) -> Result<(), QueueError> {
        let known = self.classes.get(&class).ok_or(QueueError::UnknownClass(class.0))?;
        let is_known = (group as usize) < known.groups.len();
        if is_known { Ok(()) } else { Err(QueueError::UnknownGroup { class: class.0, group }) }
    }

    /// Takes what `agent` holds; it may count as lost.
    fn take(&mut self, agent: AgentId, is_loss: bool) -> Vec<u32> {
        self.steps += 1;
        let Some(held) = self.leases.get_mut(&agent) else { return Vec::new() };
        let (class, groups) = (held.class, std::mem::take(&mut held.groups));
        self.put_back(agent, (class, groups.as_slice()), is_loss)
    }

    /// Makes the groups that `agent` still holds available to others, in their order; they may count as lost.
    fn put_back(&mut self, agent: AgentId, (class, groups): (ClassId, &[u32]), is_loss: bool) -> Vec<u32> {
        let Some(class) = self.classes.get_mut(&class) else { return Vec::new() };
        let mut taken = Vec::new();
        for group in groups.iter().rev().copied() {
            self.steps += 1;
            let entry = &mut class.groups[group as usize];
            if entry.state != State::Leased(agent) {
                continue;
            }
            if is_loss && !entry.lost_by.contains(&agent) {
                entry.lost_by.push(agent);
            }
            if entry.lost_by.len() >= LOSSES_MAX {
                class.set(group, State::GivenUp);
            } else {
                class.set(group, State::Waiting);
                class.waiting.push_front(group);
            }
            taken.push(group);
        }
        taken.reverse();
        taken
    }

    fn class_mut(&mut self, class: ClassId) -> Result<&mut Class, QueueError> {
        self.classes.get_mut(&class).ok_or(QueueError::UnknownClass(class.0))
    }
}

impl<B: Blocks> Queue for Embedded<B> {
    fn submit(&mut self, class: ClassId, groups: u32) -> Result<(), QueueError> {
        self.steps += u64::from(groups);
        self.classes.entry(class).or_insert_with(|| Class {
            groups: vec![Group { state: State::Waiting, lost_by: Vec::new() }; groups as usize],
            waiting: (0..groups).collect(),
            progress: Progress { waiting: groups, ..Progress::default() },
        });
        Ok(())
    }

    fn claim(&mut self, class: ClassId, agent: AgentId, hand: u32, lease: Lease) -> Result<Vec<u32>, QueueError> {
        let known = self.class_mut(class)?;
        let mut claimed = Vec::new();
        let mut steps = 1;
        while claimed.len() < hand as usize {
            let Some(group) = known.waiting.pop_front() else { break };
            steps += 1;
            // Another agent may have finished it after its lease had ended.
            if known.groups[group as usize].state == State::Waiting {
                known.set(group, State::Leased(agent));
                claimed.push(group);
            }
        }
        self.steps += steps;
        if claimed.is_empty() {
            return Ok(claimed);
        }
        let held = self.leases.entry(agent).or_insert_with(|| Claim {
            class,
            groups: Vec::new(),
            until_ns: lease.until_ns,
            has_entry: false,
        });
        held.class = class;
        held.groups.extend(&claimed);
        held.until_ns = held.until_ns.max(lease.until_ns);
        if !held.has_entry {
            held.has_entry = true;
            self.ends.push(Reverse((held.until_ns, agent)));
        }
        Ok(claimed)
    }

    fn renew(&mut self, agent: AgentId, lease: Lease) -> Result<(), QueueError> {
        self.steps += 1;
        if let Some(held) = self.leases.get_mut(&agent) {
            held.until_ns = held.until_ns.max(lease.until_ns);
        }
        Ok(())
    }

    fn store(&mut self, subject: Subject, block: &[u8]) -> Result<Stored, QueueError> {
        self.steps += 1;
        let digest = digest::checksum(block);
        match self.stored.get(&subject) {
            Some(known) if *known == digest => Ok(Stored::Known),
            Some(_) => Ok(Stored::Different),
            None => {
                let agent = subject.agent;
                let kept = self.blocks.append(agent, block);
                kept.map_err(|source| QueueError::Keep { agent: agent.0, source })?;
                self.stored.insert(subject, digest);
                Ok(Stored::First)
            }
        }
    }

    fn complete(&mut self, class: ClassId, group: u32, agent: AgentId) -> Result<Completed, QueueError> {
        self.steps += 1;
        self.check(class, group)?;
        let state = self.class_mut(class)?.groups[group as usize].state;
        if let Some(held) = self.leases.get_mut(&agent) {
            held.groups.retain(|held| *held != group);
        }
        match state {
            State::Finished(by) => Ok(Completed::Known { by }),
            State::Waiting | State::Leased(_) | State::GivenUp => {
                self.class_mut(class)?.set(group, State::Finished(agent));
                Ok(Completed::First)
            }
        }
    }

    fn release(&mut self, agent: AgentId) -> Result<Vec<u32>, QueueError> {
        Ok(self.take(agent, true))
    }

    fn take_back(&mut self, agent: AgentId) -> Result<Vec<u32>, QueueError> {
        Ok(self.take(agent, false))
    }

    fn expire(&mut self, now_ns: u64) -> Result<Vec<(AgentId, Vec<u32>)>, QueueError> {
        let mut expired = Vec::new();
        while let Some(Reverse((end_ns, agent))) = self.ends.peek().copied() {
            if end_ns > now_ns {
                break;
            }
            self.steps += 1;
            self.ends.pop();
            let Some(held) = self.leases.get_mut(&agent) else { continue };
            held.has_entry = false;
            if held.groups.is_empty() {
                continue;
            }
            if held.until_ns > now_ns {
                held.has_entry = true;
                self.ends.push(Reverse((held.until_ns, agent)));
                continue;
            }
            let (class, groups) = (held.class, std::mem::take(&mut held.groups));
            let taken = self.put_back(agent, (class, groups.as_slice()), true);
            if !taken.is_empty() {
                expired.push((agent, taken));
            }
        }
        Ok(expired)
    }

    fn wake_ns(&self) -> Option<u64> {
        self.ends.peek().map(|Reverse((end_ns, _))| *end_ns)
    }

    fn progress(&self, class: ClassId) -> Result<Progress, QueueError> {
        self.classes.get(&class).map(|class| class.progress).ok_or(QueueError::UnknownClass(class.0))
    }

    fn owner(&self, class: ClassId, group: u32) -> Option<AgentId> {
        match self.classes.get(&class)?.groups.get(group as usize)?.state {
            State::Finished(by) => Some(by),
            State::Waiting | State::Leased(_) | State::GivenUp => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;

    #[test]
    fn embedded_queue_keeps_the_contract() {
        contract::check(256, || Embedded::new(contract::Kept::default()), |queue| queue.blocks().0.clone());
    }

    #[test]
    fn block_that_cannot_be_kept_can_be_stored_again() {
        struct Full(bool);
        impl Blocks for Full {
            fn append(&mut self, _: AgentId, _: &[u8]) -> io::Result<()> {
                if std::mem::replace(&mut self.0, false) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
            }
        }
        let mut queue = Embedded::new(Full(true));
        let subject = Subject { agent: AgentId(0), part: super::super::Part::Note(0) };
        let error = queue.store(subject, b"a").unwrap_err();
        assert_eq!(error.to_string(), "cannot keep a block of agent 0");
        assert_eq!(queue.store(subject, b"a").unwrap(), Stored::First);
    }
}
