//! Agents as processes that kill or freeze themselves at every step of their work: what they finished counts, what they held is measured
//! by others, and one that is started again goes on from its own run file.

mod fake;
#[path = "../made_up/mod.rs"]
mod made_up;
#[cfg(feature = "nats")]
#[path = "../nats_server/mod.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod nats_server;
#[cfg(all(feature = "nats", target_os = "linux"))]
mod networks;
#[cfg(feature = "nats")]
mod over_nats;
#[cfg(feature = "nats")]
mod quiet;
mod whole;

use bench_fleet::{
    AgentId, AgentState, Checks, ClassId, Collected, Collector, Coordinator, Embedded, Fleet, FleetFolder,
    FleetObserver, HostCard, Inspector, JOIN, Queue, ShardOf, classify, has_head, merge, own_blocks, write_shard,
};
use bench_sink::digest;
use bench_sink::runfile::{ClockRecord, RawLine, Record};
use fake::{Fate, GROUPS, PROCESSES, SHORT_LEASE, command, planned, skew_s};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Notes which agents ended early.
#[derive(Default)]
struct Failures(Vec<String>);

impl<Q> FleetObserver<Q> for Failures {
    fn changed(&mut self, _: &mut Coordinator<Q>, _: u64) {}

    fn failed(&mut self, agent: &str, _: &str) {
        self.0.push(agent.to_owned());
    }
}

/// The lines of outcomes and cells in a run directory, which are nowhere twice.
fn lines(directory: &Path) -> Vec<Vec<u8>> {
    let is_of_cell = |line: &RawLine| matches!(line.record, Some(Record::Cell(_) | Record::Outcome(_)));
    RawLine::read_all(directory).unwrap().into_iter().filter(is_of_cell).map(|line| line.text).collect()
}

fn outcomes(directory: &Path) -> BTreeMap<(u32, u32), u32> {
    let mut found = BTreeMap::new();
    for line in RawLine::read_all(directory).unwrap() {
        if let Some(Record::Outcome(outcome)) = line.record {
            *found.entry((outcome.cell, outcome.process)).or_default() += 1;
        }
    }
    found
}

/// The digests of the blocks of a run file, sorted.
fn digests(directory: &Path) -> Vec<String> {
    let blocks = own_blocks(directory).unwrap();
    let mut digests: Vec<_> = blocks.map(|block| digest::of_bytes(&block.unwrap().1)).collect();
    digests.sort_unstable();
    digests
}

/// Measures with the agents `a`, `b` and `c`, of which the last two kill themselves at the given steps and are not started again.
#[track_caller]
fn check(dies_at: [Option<u32>; 2]) {
    let [b, c] = dies_at.map(|step| step.map_or(Fate::Lives, Fate::DiesAt));
    let (given_up, failures) = measure(&[("a", Fate::Lives), ("b", b), ("c", c)], &[]);
    assert!(given_up == 0 || failures == 2, "{dies_at:?}: a group is given up after two losses only");
}

/// Measures with one agent that kills itself at the given step, and is started again.
#[track_caller]
fn check_again(step: u32) {
    let (given_up, failures) = measure(&[("a", Fate::DiesAt(step))], &[Duration::ZERO]);
    assert_eq!((given_up, failures), (0, 1), "{step}: it measures the rest itself");
}

/// Measures with agents, given with what happens to each, and checks what comes of it. Returns the number of groups that
/// were given up, and that of agents that ended early.
#[track_caller]
fn measure(agents: &[(&str, Fate)], restarts: &[Duration]) -> (u32, usize) {
    let fates = format!("{agents:?}");
    let out = tempfile::tempdir().unwrap();
    let folder = FleetFolder::new(out.path(), "r");
    let _lock = folder.begin().unwrap();
    let own = folder.agents();
    let commands: Vec<_> = agents.iter().map(|(name, fate)| command(name, &own, *fate)).collect();
    let fleet = Fleet::launch(commands, folder.path(), restarts).unwrap();
    measure_with(&fates, &folder, (fleet, GROUPS), |collector, _| Box::new(Embedded::new(collector)))
}

/// Checks what the agents send. None of them lies, whatever happens to them.
fn inspector(cards: &[HostCard], groups: u32) -> Inspector {
    let programs = cards.iter().map(|card| card.program_sha256.clone()).collect();
    Inspector::new(&made_up::spec(), planned(groups), (0..groups).map(made_up::planned_cell).collect(), programs)
}

/// Measures so many groups with the agents of `fleet`, whose own run files are in the folder of agents, and with the queue that `queue` makes
/// of their names. Checks what comes of it, for agents to which `fates` happens. Returns the number of groups that were given up, and that of
/// agents that ended early.
#[track_caller]
fn measure_with(
    fates: &str,
    folder: &FleetFolder,
    (mut fleet, groups): (Fleet, u32),
    queue: impl FnOnce(Collector, &[String]) -> Box<dyn Queue>,
) -> (u32, usize) {
    let own = folder.agents();
    let cards = fleet.join(JOIN, &|| false).unwrap();
    let names = fleet.names();
    let agents: Vec<_> = names.iter().map(String::as_str).zip(&cards).collect();
    let classes = classify(&agents, "1", &|_, _| false).unwrap();
    assert!(classes.iter().all(|class| *class == ClassId(0)));
    let collector = Collector::create(&folder.collected(), &names).unwrap();
    let mut coordinator = Coordinator::new(queue(collector, &names), &classes, groups, true).unwrap();
    coordinator.inspect(inspector(&cards, groups));
    let mut failures = Failures::default();
    assert!(!fleet.drive(&mut coordinator, &made_up::spec(), &mut failures, &|| false).unwrap());
    let clocks: Vec<_> = (0..names.len() as u32).map(|agent| fleet.clock(AgentId(agent))).collect();
    drop(fleet);
    for (name, clock) in names.iter().zip(&clocks) {
        assert!(!clock.is_empty(), "{name}: its clock was compared when it joined");
        let is_right =
            |(clock, seconds): (&ClockRecord, i64)| clock.offset_ns.abs_diff(seconds * 1_000_000_000) <= clock.error_ns;
        assert!(clock.iter().zip(skew_s(name)).all(is_right), "{name}: {clock:?}");
        let [joined, left] = skew_s(name);
        assert!(joined == left || clock.len() == 2, "{name}: its clock was compared again when it left: {clock:?}");
    }
    let with_head: Vec<usize> =
        (0..names.len()).filter(|agent| has_head(&folder.collected().join(&names[*agent])).unwrap()).collect();
    let mut shards = Vec::new();
    for (number, agent) in with_head.iter().copied().enumerate() {
        let (name, card) = (names[agent].as_str(), &cards[agent]);
        let shard = ShardOf {
            agent: name,
            card,
            clock: &clocks[agent],
            number: number as u32 + 1,
            of: with_head.len() as u32,
            finished: "9",
        };
        let is_official = |cell| coordinator.owner(ClassId(0), cell) == Some(AgentId(agent as u32));
        let directory = folder.shards().join(name);
        let collected = folder.collected().join(name);
        let Collected { counted, .. } = write_shard(&collected, &directory, &shard, is_official).unwrap();
        let owned = (0..groups).filter(|group| is_official(*group)).count();
        assert_eq!(counted, owned * PROCESSES as usize, "{fates}: no repetition of a finished group is lost");
        if *coordinator.state(AgentId(agent as u32)).0 == AgentState::Left {
            let sent = digests(&own.join(name));
            assert_eq!(digests(&collected), sent, "{fates}: every block of {name} has arrived once, and no other");
        }
        // The agent's own run file has every line of it.
        let repeated = outcomes(&own.join(name)).into_values().any(|times| times > 1);
        assert!(!repeated, "{fates}: an agent measures no repetition twice");
        let own = lines(&own.join(name));
        assert!(lines(&collected).iter().all(|line| own.contains(line)), "{fates}");
        shards.push(directory);
    }
    let merged = merge(&shards, folder.out(), Checks::default()).unwrap();
    let given_up = coordinator.progress(ClassId(0)).unwrap().given_up;
    let found = outcomes(&merged.directory);
    assert_eq!(found.len() as u32, (groups - given_up) * PROCESSES, "{fates}: {found:?}");
    assert!(found.values().all(|times| *times == 1), "{fates}: each repetition once: {found:?}");
    let all: Vec<_> = with_head.iter().flat_map(|agent| lines(&own.join(&names[*agent]))).collect();
    assert!(lines(&merged.directory).iter().all(|line| all.contains(line)), "{fates}: each line as it was written");
    (given_up, failures.0.len())
}

#[test]
fn agent_killed_at_any_step_loses_nothing_that_it_finished() {
    check([None, None]);
    for step in 1..=24 {
        check([Some(step), None]);
    }
}

#[test]
fn two_agents_killed_at_different_steps_leave_the_rest_to_the_third() {
    for step in [1, 4, 5, 9, 13, 18] {
        check([Some(step), Some(step * 7 % 24 + 1)]);
    }
}

#[test]
fn agent_that_is_started_again_goes_on_from_its_own_run_file() {
    for step in 1..=24 {
        check_again(step);
    }
}

#[test]
fn agent_that_is_started_again_after_its_lease_measures_nothing_twice() {
    // Every agent measures the common group, so it comes as far as this.
    for step in [1, 4, 6, 9, 15] {
        let agents = [("a", Fate::Lives), ("b", Fate::DiesWithShortLeaseAt(step))];
        let (given_up, failures) = measure(&agents, &[2 * SHORT_LEASE]);
        assert_eq!((given_up, failures), (0, 1), "{step}: what it held is measured by the other, or by itself later");
    }
}

#[test]
fn agent_that_is_frozen_for_longer_than_its_lease_loses_nothing_and_counts_nothing_twice() {
    for step in [4, 6, 7, 16] {
        let (given_up, failures) = measure(&[("a", Fate::Lives), ("b", Fate::FreezesAt(step))], &[]);
        assert_eq!((given_up, failures), (0, 0), "{step}: a freeze is no end");
    }
}

#[test]
fn agent_that_sends_every_block_twice_counts_once() {
    let agents = [("a", Fate::Lives), ("b", Fate::SendsTwice), ("c", Fate::DiesAt(9))];
    assert_eq!(measure(&agents, &[Duration::ZERO]), (0, 1));
}

#[test]
fn clocks_that_are_off_are_recorded_and_change_nothing() {
    let agents = [("a", Fate::Lives), ("b@300", Fate::Lives), ("c@-300", Fate::DiesAt(9))];
    let (given_up, failures) = measure(&agents, &[Duration::ZERO]);
    assert_eq!((given_up, failures), (0, 1));
}

#[test]
fn clock_that_steps_during_the_run_is_recorded_and_changes_nothing() {
    // One clock steps back by ten minutes, the other ahead by five. No order of groups, lease or figure depends on either.
    let agents = [("a", Fate::Lives), ("b@300@-300", Fate::Lives), ("c@0@300", Fate::SendsTwice)];
    assert_eq!(measure(&agents, &[Duration::ZERO]), (0, 0));
}
