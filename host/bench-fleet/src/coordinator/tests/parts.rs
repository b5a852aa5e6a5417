//! Messages of several agents that arrive in any order among each other, and again: each part is kept once, and the first to finish a group
//! counts.

use super::*;
use crate::queue::Blocks;
use proptest::sample::Index;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

const AGENTS: u32 = 3;
const GROUPS: u32 = 4;
const PROCESSES: u32 = 2;

/// Keeps blocks in memory.
#[derive(Debug, Default)]
struct Kept(Vec<(AgentId, Vec<u8>)>);

impl Blocks for Kept {
    fn append(&mut self, agent: AgentId, block: &[u8]) -> io::Result<()> {
        self.0.push((agent, block.to_vec()));
        Ok(())
    }
}

/// A message with its block.
type Sent = (FromAgent, Vec<u8>);

fn part(part: Part, block: Vec<u8>) -> Sent {
    (FromAgent::Block { part, bytes: block.len() as u64, sha256: String::new() }, block)
}

/// What an agent sends that measures all groups, beginning with another one than the others do.
fn script(agent: u32) -> Vec<Sent> {
    let run = made_up::run(made_up::spec(), made_up::planned(GROUPS, PROCESSES));
    let mut sent = vec![part(Part::Note(0), encode(&[Record::Run(run)]))];
    for group in (0..GROUPS).map(|group| (group + agent) % GROUPS) {
        for process in 0..PROCESSES {
            // Each agent has measured something else.
            let cell = Record::Cell(made_up::cell(group, process, &format!("{agent}.wasm")));
            let records = [cell, Record::Outcome(OutcomeRecord::ok(group, process))];
            sent.push(part(Part::Repetition { cell: group, process }, encode(&records)));
        }
        sent.push((FromAgent::Completed { groups: vec![group] }, Vec::new()));
    }
    sent
}

/// A coordinator, what each agent sends, and how much of it has arrived.
struct Arrivals {
    coordinator: Coordinator<Embedded<Kept>>,
    scripts: Vec<Vec<Sent>>,
    arrived: Vec<usize>,
    /// The first to finish each group.
    first: BTreeMap<u32, AgentId>,
    now_ns: u64,
}

impl Arrivals {
    fn new() -> Self {
        let queue = Embedded::new(Kept::default());
        let classes = vec![ClassId(0); AGENTS as usize];
        let mut coordinator = Coordinator::new(queue, &classes, GROUPS, false).unwrap();
        let programs = vec![None; AGENTS as usize];
        let cells = (0..GROUPS).map(made_up::planned_cell).collect();
        coordinator.inspect(Inspector::new(&made_up::spec(), made_up::planned(GROUPS, PROCESSES), cells, programs));
        let scripts: Vec<_> = (0..AGENTS).map(script).collect();
        Self { coordinator, arrived: vec![0; scripts.len()], scripts, first: BTreeMap::new(), now_ns: 0 }
    }

    /// Has the next message of an agent arrive, or one again that it has sent.
    fn arrive(&mut self, agent: u32, again: Option<Index>) {
        let (script, arrived) = (&self.scripts[agent as usize], &mut self.arrived[agent as usize]);
        let nth = match again.filter(|_| *arrived > 0) {
            Some(again) => again.index(*arrived),
            None if *arrived < script.len() => {
                *arrived += 1;
                *arrived - 1
            }
            None => return,
        };
        let (message, block) = &script[nth];
        if let FromAgent::Completed { groups } = message {
            self.first.entry(groups[0]).or_insert(AgentId(agent));
        }
        self.now_ns += 1;
        self.coordinator.handle(AgentId(agent), message, block, self.now_ns).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn parts_that_come_again_and_in_any_order_are_kept_once(
        steps in prop::collection::vec((0..AGENTS, prop::option::of(any::<Index>())), 0..120),
    ) {
        let mut arrivals = Arrivals::new();
        steps.iter().for_each(|(agent, again)| arrivals.arrive(*agent, *again));
        // What is under way still arrives.
        for agent in 0..AGENTS {
            (0..arrivals.scripts[agent as usize].len()).for_each(|_| arrivals.arrive(agent, None));
        }
        let Arrivals { mut coordinator, scripts, first, .. } = arrivals;
        prop_assert!(!coordinator.has_contradiction());
        let is_distrusted = |event: &Event| matches!(event, Event::Distrusted { .. });
        prop_assert!(!coordinator.events().iter().any(is_distrusted), "an honest agent was distrusted");
        let kept = &coordinator.queue().blocks().0;
        let sent = scripts.iter().flatten().filter(|(message, _)| matches!(message, FromAgent::Block { .. }));
        prop_assert_eq!(kept.len(), sent.count(), "each block of each agent once");
        for group in 0..GROUPS {
            let owner = coordinator.owner(ClassId(0), group);
            prop_assert_eq!(owner, first.get(&group).copied());
            // Of the owner alone, each repetition is there once.
            let parts: Vec<_> = (0..PROCESSES).map(|process| Part::Repetition { cell: group, process }).collect();
            let script = &scripts[owner.unwrap().0 as usize];
            let is_of_group = |sent: &&Sent| matches!(&sent.0, FromAgent::Block { part, .. } if parts.contains(part));
            let blocks: BTreeSet<_> = script.iter().filter(is_of_group).map(|(_, block)| block).collect();
            let counted = kept.iter().filter(|(agent, block)| Some(*agent) == owner && blocks.contains(block));
            prop_assert_eq!(counted.count(), PROCESSES as usize);
        }
    }
}
