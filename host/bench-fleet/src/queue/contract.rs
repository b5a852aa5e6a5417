//! The contract of every queue, as checks that use the trait only: nothing is lost, nothing counts twice, the first write wins.

use super::{AgentId, Blocks, ClassId, Completed, LOSSES_MAX, Lease, Part, Progress, Queue, Stored, Subject};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Keeps blocks in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept(pub(crate) Vec<(AgentId, Vec<u8>)>);

impl Blocks for Kept {
    fn append(&mut self, agent: AgentId, block: &[u8]) -> io::Result<()> {
        self.0.push((agent, block.to_vec()));
        Ok(())
    }
}

const CLASS: ClassId = ClassId(0);

/// The groups of the class in the random interleavings, and the time that a lease lasts.
const GROUPS: u32 = 6;
const LEASE_NS: u64 = 100;

/// Checks the queues that `make` returns, each without groups, against the whole contract; `kept` returns the blocks of a queue in the
/// order in which they were stored. So many random interleavings are tried.
pub(crate) fn check<Q: Queue>(interleavings: u32, make: impl Fn() -> Q, kept: impl Fn(&Q) -> Vec<(AgentId, Vec<u8>)>) {
    classes_are_apart(make());
    groups_come_in_order_and_come_back(make());
    late_report_counts_if_it_is_the_first(make());
    group_that_two_agents_were_lost_with_is_given_up(make());
    group_that_was_taken_back_is_not_given_up(make());
    unknown_class_and_group_are_refused(make());
    let steps = prop::collection::vec(step(), 0..80);
    let mut runner = TestRunner::new(Config::with_cases(interleavings));
    let interleaved = runner.run(&steps, |steps| {
        let mut model = Model::new(make());
        steps.iter().for_each(|step| model.take(*step));
        model.drain();
        prop_assert_eq!(kept(&model.queue), model.blocks);
        Ok(())
    });
    interleaved.unwrap();
}

fn lease(now_ns: u64) -> Lease {
    Lease { now_ns, until_ns: now_ns + LEASE_NS }
}

fn classes_are_apart(mut queue: impl Queue) {
    let (one, other) = (ClassId(1), ClassId(2));
    queue.submit(one, 2).unwrap();
    queue.submit(other, 1).unwrap();
    assert_eq!(queue.claim(one, AgentId(0), 8, lease(0)).unwrap(), [0, 1]);
    assert_eq!(queue.progress(other).unwrap(), Progress { waiting: 1, ..Progress::default() });
    assert_eq!(queue.complete(one, 0, AgentId(0)).unwrap(), Completed::First);
    queue.submit(one, 2).unwrap();
    let expect = Progress { leased: 1, finished: 1, ..Progress::default() };
    assert_eq!(queue.progress(one).unwrap(), expect, "submitted again, it stays as it is");
}

fn groups_come_in_order_and_come_back(mut queue: impl Queue) {
    let (a, b) = (AgentId(0), AgentId(1));
    queue.submit(CLASS, 4).unwrap();
    assert_eq!(queue.claim(CLASS, a, 2, lease(0)).unwrap(), [0, 1]);
    assert_eq!(queue.claim(CLASS, b, 1, lease(50)).unwrap(), [2]);
    queue.renew(a, lease(40)).unwrap();
    assert!(queue.expire(139).unwrap().is_empty());
    assert!(queue.wake_ns().is_some_and(|wake_ns| wake_ns <= 140));
    assert_eq!(queue.expire(140).unwrap(), [(a, vec![0, 1])]);
    assert_eq!(queue.release(b).unwrap(), [2]);
    assert_eq!(queue.release(b).unwrap(), [0; 0], "it holds nothing any more");
    assert_eq!(queue.claim(CLASS, b, 9, lease(200)).unwrap(), [2, 0, 1, 3], "what came back is first");
    assert_eq!(queue.claim(CLASS, a, 9, lease(200)).unwrap(), [0; 0]);
}

fn late_report_counts_if_it_is_the_first(mut queue: impl Queue) {
    let (a, b) = (AgentId(0), AgentId(1));
    queue.submit(CLASS, 2).unwrap();
    assert_eq!(queue.claim(CLASS, a, 2, lease(0)).unwrap(), [0, 1]);
    assert_eq!(queue.expire(100).unwrap(), [(a, vec![0, 1])]);
    assert_eq!(queue.complete(CLASS, 0, a).unwrap(), Completed::First, "nobody else has measured it");
    assert_eq!(queue.claim(CLASS, b, 2, lease(100)).unwrap(), [1]);
    assert_eq!(queue.complete(CLASS, 1, b).unwrap(), Completed::First);
    assert_eq!(queue.complete(CLASS, 1, a).unwrap(), Completed::Known { by: b });
    assert_eq!(queue.complete(CLASS, 1, b).unwrap(), Completed::Known { by: b }, "delivered twice");
    assert!(queue.progress(CLASS).unwrap().is_over());
}

fn group_that_two_agents_were_lost_with_is_given_up(mut queue: impl Queue) {
    queue.submit(CLASS, 1).unwrap();
    let cases: [(u32, &[u32]); 4] = [(0, &[0]), (0, &[0]), (1, &[0]), (2, &[])];
    for (agent, expect) in cases {
        assert_eq!(queue.claim(CLASS, AgentId(agent), 1, lease(0)).unwrap(), expect, "agent {agent}");
        assert_eq!(queue.release(AgentId(agent)).unwrap(), expect);
    }
    assert_eq!(queue.progress(CLASS).unwrap(), Progress { given_up: 1, ..Progress::default() });
    assert_eq!(queue.complete(CLASS, 0, AgentId(0)).unwrap(), Completed::First, "it was only believed to be lost");
    assert_eq!(queue.progress(CLASS).unwrap(), Progress { finished: 1, ..Progress::default() });
}

fn group_that_was_taken_back_is_not_given_up(mut queue: impl Queue) {
    queue.submit(CLASS, 1).unwrap();
    for agent in (0..3).map(AgentId) {
        assert_eq!(queue.claim(CLASS, agent, 1, lease(0)).unwrap(), [0], "{agent:?}");
        assert_eq!(queue.take_back(agent).unwrap(), [0]);
        assert_eq!(queue.take_back(agent).unwrap(), [0; 0], "it holds nothing any more");
    }
    assert_eq!(queue.progress(CLASS).unwrap(), Progress { waiting: 1, ..Progress::default() });
}

fn unknown_class_and_group_are_refused(mut queue: impl Queue) {
    queue.submit(CLASS, 1).unwrap();
    let class = queue.claim(ClassId(7), AgentId(0), 1, lease(0)).unwrap_err().to_string();
    assert_eq!(class, "no groups of cells were submitted for class 7 of machines");
    let group = queue.complete(CLASS, 1, AgentId(0)).unwrap_err().to_string();
    assert_eq!(group, "class 0 of machines has no group 1");
    assert!(queue.progress(ClassId(7)).is_err());
}

/// One message, of an agent that may be gone, late or repeat itself.
#[derive(Clone, Copy, Debug)]
enum Step {
    Claim {
        agent: u32,
        hand: u32,
    },
    Renew {
        agent: u32,
    },
    Store {
        agent: u32,
        cell: u32,
        content: u8,
    },
    /// Of a group that the agent once had.
    Complete {
        agent: u32,
        nth: usize,
    },
    Release {
        agent: u32,
    },
    TakeBack {
        agent: u32,
    },
    Wait {
        ns: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let agent = || 0u32..4;
    prop_oneof![
        (agent(), 1u32..4).prop_map(|(agent, hand)| Step::Claim { agent, hand }),
        agent().prop_map(|agent| Step::Renew { agent }),
        (agent(), 0u32..3, 0u8..2).prop_map(|(agent, cell, content)| Step::Store { agent, cell, content }),
        (agent(), 0usize..8).prop_map(|(agent, nth)| Step::Complete { agent, nth }),
        agent().prop_map(|agent| Step::Release { agent }),
        agent().prop_map(|agent| Step::TakeBack { agent }),
        (0u64..60).prop_map(|ns| Step::Wait { ns }),
    ]
}

/// What a queue must answer, kept in the simplest way.
struct Model<Q> {
    queue: Q,
    now_ns: u64,
    holders: BTreeMap<u32, AgentId>,
    finished: BTreeMap<u32, AgentId>,
    losses: BTreeMap<u32, BTreeSet<AgentId>>,
    until_ns: BTreeMap<AgentId, u64>,
    /// The groups that each agent ever had.
    had: BTreeMap<AgentId, Vec<u32>>,
    stored: BTreeMap<Subject, u8>,
    blocks: Vec<(AgentId, Vec<u8>)>,
}

impl<Q: Queue> Model<Q> {
    fn new(mut queue: Q) -> Self {
        queue.submit(CLASS, GROUPS).unwrap();
        Self {
            queue,
            now_ns: 0,
            holders: BTreeMap::new(),
            finished: BTreeMap::new(),
            losses: BTreeMap::new(),
            until_ns: BTreeMap::new(),
            had: BTreeMap::new(),
            stored: BTreeMap::new(),
            blocks: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Claim { agent, hand } => _ = self.claim(AgentId(agent), hand),
            Step::Renew { agent } => {
                self.queue.renew(AgentId(agent), lease(self.now_ns)).unwrap();
                self.until_ns.entry(AgentId(agent)).and_modify(|until_ns| *until_ns = self.now_ns + LEASE_NS);
            }
            Step::Store { agent, cell, content } => self.store(AgentId(agent), cell, content),
            Step::Complete { agent, nth } => {
                let had = self.had.get(&AgentId(agent)).filter(|had| !had.is_empty());
                if let Some(group) = had.map(|had| had[nth % had.len()]) {
                    self.complete(AgentId(agent), group);
                }
            }
            Step::Release { agent } => {
                let expect = self.lose(AgentId(agent), true);
                assert_eq!(self.queue.release(AgentId(agent)).unwrap(), expect);
            }
            Step::TakeBack { agent } => {
                let expect = self.lose(AgentId(agent), false);
                assert_eq!(self.queue.take_back(AgentId(agent)).unwrap(), expect);
            }
            Step::Wait { ns } => {
                self.now_ns += ns;
                self.expire();
            }
        }
        let progress = self.queue.progress(CLASS).unwrap();
        assert_eq!(progress.waiting + progress.leased + progress.finished + progress.given_up, GROUPS, "none is lost");
        assert_eq!(progress.leased as usize, self.holders.len());
        assert_eq!(progress.finished as usize, self.finished.len());
        for group in 0..GROUPS {
            assert_eq!(self.queue.owner(CLASS, group), self.finished.get(&group).copied());
        }
    }

    fn is_given_up(&self, group: u32) -> bool {
        self.losses.get(&group).is_some_and(|losses| losses.len() >= LOSSES_MAX)
    }

    fn claim(&mut self, agent: AgentId, hand: u32) -> usize {
        let claimed = self.queue.claim(CLASS, agent, hand, lease(self.now_ns)).unwrap();
        assert!(claimed.len() <= hand as usize);
        for group in &claimed {
            assert!(!self.finished.contains_key(group), "group {group} is finished");
            assert!(!self.is_given_up(*group), "group {group} was given up");
            assert_eq!(self.holders.insert(*group, agent), None, "group {group} is leased to one agent");
        }
        if !claimed.is_empty() {
            self.until_ns.insert(agent, self.now_ns + LEASE_NS);
            self.had.entry(agent).or_default().extend(&claimed);
        }
        claimed.len()
    }

    fn store(&mut self, agent: AgentId, cell: u32, content: u8) {
        let subject = Subject { agent, part: Part::Repetition { cell, process: 0 } };
        let expect = match self.stored.get(&subject) {
            None => Stored::First,
            Some(known) if *known == content => Stored::Known,
            Some(_) => Stored::Different,
        };
        assert_eq!(self.queue.store(subject, &[content]).unwrap(), expect);
        if expect == Stored::First {
            self.stored.insert(subject, content);
            self.blocks.push((agent, vec![content]));
        }
    }

    fn complete(&mut self, agent: AgentId, group: u32) {
        let expect = self.finished.get(&group).map_or(Completed::First, |by| Completed::Known { by: *by });
        assert_eq!(self.queue.complete(CLASS, group, agent).unwrap(), expect);
        if expect == Completed::First {
            self.finished.insert(group, agent);
            self.holders.remove(&group);
        }
    }

    /// Notes that `agent` is lost, and returns the groups that it held; they may count as lost.
    fn lose(&mut self, agent: AgentId, is_loss: bool) -> Vec<u32> {
        let had = self.had.get(&agent).cloned().unwrap_or_default();
        let mut lost: Vec<u32> = Vec::new();
        // In the order in which the agent claimed them last.
        for group in had.into_iter().rev() {
            if self.holders.get(&group) == Some(&agent) {
                self.holders.remove(&group);
                if is_loss {
                    self.losses.entry(group).or_default().insert(agent);
                }
                lost.push(group);
            }
        }
        lost.reverse();
        lost
    }

    fn expire(&mut self) {
        let expired = self.queue.expire(self.now_ns).unwrap();
        for (agent, groups) in &expired {
            assert!(self.until_ns[agent] <= self.now_ns, "the lease of {agent:?} has ended");
            assert_eq!(self.lose(*agent, true), *groups);
        }
        let held = self.holders.values().collect::<BTreeSet<_>>();
        assert!(held.iter().all(|agent| self.until_ns[*agent] > self.now_ns), "no lease outlasts its end");
    }

    /// All agents fall silent, and another one measures what is left.
    fn drain(&mut self) {
        self.now_ns += 2 * LEASE_NS;
        self.expire();
        let last = AgentId(99);
        while self.claim(last, 2) > 0 {
            for group in self.had[&last].clone() {
                self.complete(last, group);
            }
        }
        assert!(self.queue.progress(CLASS).unwrap().is_over());
        for group in 0..GROUPS {
            assert!(self.finished.contains_key(&group) || self.is_given_up(group), "group {group} was lost");
        }
    }
}
