//! Simulates fleets with a clock of their own.

use super::silence::PREPARING_NS;
use super::simulation::{Counted, PROCESSES, REPETITION_NS, Simulation};
use super::*;
use crate::made_up;
use crate::queue::{Embedded, Part};
use bench_sink::runfile::{OutcomeRecord, Record, encode};
use proptest::prelude::*;

mod late;
mod parts;

/// The work for each repetition, and the entries in memory for each, of a fleet in which each agent measures 100 repetitions.
fn per_repetition(agents: u32) -> (f64, f64) {
    let groups = agents * 10;
    let mut fleet = Simulation::new(&vec![ClassId(0); agents as usize], groups).unwrap();
    fleet.run().unwrap();
    assert!(fleet.coordinator.is_over(fleet.now_ns).unwrap());
    assert!((0..groups).all(|group| fleet.coordinator.owner(ClassId(0), group).is_some()));
    let Simulated { repetitions, steps, entries, shown } = fleet.simulated();
    assert_eq!(repetitions, u64::from((groups + agents - 1) * PROCESSES), "each once, but for the common group");
    let shown_max = fleet.now_ns / 100_000 + u64::from(agents);
    assert!(shown > 0 && shown <= shown_max, "{shown} agents are written, where ten thousand a second are the most");
    let repetitions = f64::from(groups * PROCESSES);
    (steps as f64 / repetitions, entries as f64 / repetitions)
}

#[test]
fn work_of_the_coordinator_grows_linearly_up_to_ten_thousand_agents() {
    let (work, entries) = per_repetition(100);
    let (work_of_large, entries_of_large) = per_repetition(10_000);
    eprintln!("100 agents, 10^4 repetitions: {work:.2} steps and {entries:.2} entries each");
    eprintln!("10,000 agents, 10^6 repetitions: {work_of_large:.2} steps and {entries_of_large:.2} entries each");
    assert!(work_of_large <= 1.01 * work, "{work_of_large} steps a repetition, {work} in a fleet of a hundredth");
    assert!(entries_of_large <= 1.01 * entries, "{entries_of_large} entries a repetition, {entries} in a small fleet");
}

#[test]
fn fleets_that_take_turns_do_the_work_of_each() {
    let one = simulate(1, 10).unwrap();
    let three = simulate(3, 10).unwrap();
    let times = |Simulated { repetitions, steps, entries, shown }: Simulated| Simulated {
        repetitions: 3 * repetitions,
        steps: 3 * steps,
        entries: 3 * entries,
        shown: 3 * shown,
    };
    assert_eq!(three, times(one));
    assert_eq!(one.repetitions, u64::from((100 + 10 - 1) * PROCESSES));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn killed_agents_lose_no_group(
        classes in prop::collection::vec(0u32..2, 2..8),
        groups in 1u32..30,
        killed in prop::collection::btree_map(1u32..8, 0u64..60 * REPETITION_NS, 0..4),
    ) {
        // One agent of each class survives.
        let classes: Vec<_> = [0, 1].into_iter().chain(classes).map(ClassId).collect();
        let mut fleet = Simulation::new(&classes, groups).unwrap();
        fleet.killed = killed.into_iter().filter(|(agent, _)| (2..classes.len() as u32).contains(agent)).collect();
        fleet.run().unwrap();
        prop_assert!(fleet.coordinator.is_over(fleet.now_ns).unwrap());
        for class in [ClassId(0), ClassId(1)] {
            let progress = fleet.coordinator.progress(class).unwrap();
            prop_assert_eq!(progress.finished + progress.given_up, groups);
            for group in 0..groups {
                let owner = fleet.coordinator.owner(class, group);
                prop_assert!(owner.is_none_or(|owner| classes[owner.0 as usize] == class));
            }
            let owned = (0..groups).filter(|group| fleet.coordinator.owner(class, *group).is_some()).count();
            prop_assert_eq!(owned as u32, progress.finished);
        }
    }
}

/// A coordinator of two agents of one class that both are measuring one of two groups.
fn measuring() -> Coordinator<Embedded<Counted>> {
    let mut coordinator = Coordinator::new(Embedded::new(Counted::default()), &[ClassId(0); 2], 2, false).unwrap();
    for agent in 0..2 {
        let orders = coordinator.handle(AgentId(agent), &FromAgent::Claim, b"", 0).unwrap();
        assert_eq!(orders, [(AgentId(agent), ToAgent::Measure { groups: vec![agent] })]);
    }
    coordinator
}

fn lines(coordinator: &mut Coordinator<Embedded<Counted>>) -> Vec<String> {
    let name = |agent: AgentId| ["a", "b"][agent.0 as usize].to_owned();
    coordinator.events().iter().map(|event| event.line(name)).collect()
}

#[test]
fn agent_that_falls_silent_while_it_prepares_holds_up_nobody() {
    let classes = [ClassId(0); 2];
    let mut coordinator = Coordinator::new(Embedded::new(Counted::default()), &classes, 2, true).unwrap();
    coordinator.decide_classes();
    let (a, b) = (AgentId(0), AgentId(1));
    let mut say = |agent, message, now_ns| coordinator.handle(agent, &message, b"", now_ns).unwrap();
    say(b, FromAgent::Ready { lease_ns: 10 }, 5);
    say(a, FromAgent::Claim, 6);
    say(a, FromAgent::Completed { groups: vec![COMMON_GROUP] }, 7);
    assert!(say(a, FromAgent::Claim, 8).is_empty(), "the class waits for both");
    assert!(coordinator.expire(4 + PREPARING_NS).unwrap().is_empty());
    assert_eq!(coordinator.wake_ns(), Some(5 + PREPARING_NS));
    assert_eq!(coordinator.undecided(), None);
    assert_eq!(coordinator.state(b).0, &AgentState::Preparing);
    coordinator.expire(5 + PREPARING_NS).unwrap();
    assert_eq!(
        lines(&mut coordinator),
        ["agent b has not answered for longer than what it does may take; it held nothing"]
    );
    assert_eq!(coordinator.state(b).0, &AgentState::Silent);
    assert_eq!(coordinator.undecided(), Some(ClassId(0)));
    let orders = coordinator.decide(ClassId(0), false, 6 + PREPARING_NS).unwrap();
    assert_eq!(orders, [(a, ToAgent::Measure { groups: vec![1] })]);
    // It comes back, and measures what every agent does.
    let orders = coordinator.handle(b, &FromAgent::Claim, b"", 7 + PREPARING_NS).unwrap();
    assert_eq!(orders, [(b, ToAgent::Measure { groups: vec![COMMON_GROUP] })]);
    assert_eq!(coordinator.wake_ns(), Some(17 + PREPARING_NS), "its lease is the first to end");
}

#[test]
fn idle_agent_gets_what_a_lost_one_held() {
    let mut coordinator = measuring();
    let (a, b) = (AgentId(0), AgentId(1));
    coordinator.handle(b, &FromAgent::Completed { groups: vec![1] }, b"", 1).unwrap();
    assert!(coordinator.handle(b, &FromAgent::Claim, b"", 1).unwrap().is_empty(), "it waits");
    assert_eq!(coordinator.state(b), (&AgentState::Idle, 1, 1));
    let orders = coordinator.gone(a, 2).unwrap();
    assert_eq!(orders, [(b, ToAgent::Measure { groups: vec![0] })]);
    assert_eq!(lines(&mut coordinator), ["agent a was lost; the group of cells that it held is measured anew"]);
    coordinator.handle(b, &FromAgent::Completed { groups: vec![0] }, b"", 3).unwrap();
    assert_eq!(coordinator.handle(b, &FromAgent::Claim, b"", 3).unwrap(), [(b, ToAgent::Leave)]);
    assert!(!coordinator.is_over(3).unwrap());
    coordinator.handle(b, &FromAgent::Leaving, b"", 4).unwrap();
    coordinator.gone(b, 5).unwrap();
    assert!(coordinator.is_over(5).unwrap());
    assert_eq!((coordinator.owner(ClassId(0), 0), coordinator.owner(ClassId(0), 1)), (Some(b), Some(b)));
    assert_eq!(lines(&mut coordinator), [""; 0]);
}

#[test]
fn group_of_agents_that_were_ended_from_outside_is_not_given_up() {
    let mut coordinator = measuring();
    let (a, b) = (AgentId(0), AgentId(1));
    let again = ToAgent::Measure { groups: vec![0] };
    coordinator.disrupted(a, 1).unwrap();
    assert_eq!(lines(&mut coordinator), ["agent a was lost; the group of cells that it held is measured anew"]);
    coordinator.handle(b, &FromAgent::Completed { groups: vec![1] }, b"", 2).unwrap();
    let orders = coordinator.handle(b, &FromAgent::Claim, b"", 2).unwrap();
    assert_eq!(orders, [(b, again.clone())]);
    coordinator.disrupted(b, 3).unwrap();
    assert!(coordinator.disrupted(b, 3).unwrap().is_empty(), "it has ended already");
    coordinator.expect(a, 4);
    let orders = coordinator.handle(a, &FromAgent::Claim, b"", 4).unwrap();
    assert_eq!(orders, [(a, again)]);
}

#[test]
fn lost_agent_that_is_started_again_gets_groups() {
    let mut coordinator = measuring();
    let (a, b) = (AgentId(0), AgentId(1));
    coordinator.expect(b, 1);
    assert_eq!(coordinator.state(b).0, &AgentState::Measuring(vec![1]), "it was not lost");
    coordinator.gone(a, 1).unwrap();
    coordinator.gone(b, 1).unwrap();
    assert!(coordinator.is_over(1).unwrap());
    coordinator.expect(a, 1);
    assert!(!coordinator.is_over(1).unwrap());
    assert_eq!(coordinator.state(a), (&AgentState::Preparing, 1, 0));
    let lost = |agent| format!("agent {agent} was lost; the group of cells that it held is measured anew");
    let restarted = "agent a is started again; it goes on from its own run file".to_owned();
    assert_eq!(lines(&mut coordinator), [lost("a"), lost("b"), restarted]);
    for group in [1, 0] {
        let orders = coordinator.handle(a, &FromAgent::Claim, b"", 2).unwrap();
        assert_eq!(orders, [(a, ToAgent::Measure { groups: vec![group] })]);
        coordinator.handle(a, &FromAgent::Completed { groups: vec![group] }, b"", 3).unwrap();
    }
    assert_eq!(coordinator.handle(a, &FromAgent::Claim, b"", 4).unwrap(), [(a, ToAgent::Leave)]);
}

#[test]
fn class_without_agents_keeps_no_other_class_waiting() {
    let classes = [ClassId(0), ClassId(1)];
    let mut coordinator = Coordinator::new(Embedded::new(Counted::default()), &classes, 2, false).unwrap();
    let (a, b) = (AgentId(0), AgentId(1));
    assert!(coordinator.gone(b, 0).unwrap().is_empty(), "what it would have measured is not for another class");
    for group in 0..2 {
        let orders = coordinator.handle(a, &FromAgent::Claim, b"", 1).unwrap();
        assert_eq!(orders, [(a, ToAgent::Measure { groups: vec![group] })]);
        coordinator.handle(a, &FromAgent::Completed { groups: vec![group] }, b"", 1).unwrap();
    }
    assert_eq!(coordinator.handle(a, &FromAgent::Claim, b"", 1).unwrap(), [(a, ToAgent::Leave)]);
    coordinator.handle(a, &FromAgent::Leaving, b"", 1).unwrap();
    assert!(coordinator.is_over(1).unwrap());
    assert_eq!(coordinator.progress(ClassId(0)).unwrap(), Progress { finished: 2, ..Progress::default() });
    assert_eq!(coordinator.progress(ClassId(1)).unwrap(), Progress { waiting: 2, ..Progress::default() });
}

#[test]
fn silent_agent_that_comes_back_is_second() {
    let mut coordinator = measuring();
    let (a, b) = (AgentId(0), AgentId(1));
    coordinator.handle(b, &FromAgent::Completed { groups: vec![1] }, b"", 1).unwrap();
    coordinator.handle(b, &FromAgent::Claim, b"", 1).unwrap();
    assert!(coordinator.expire(LEASE_NS - 1).unwrap().is_empty());
    assert_eq!(coordinator.expire(LEASE_NS).unwrap(), [(b, ToAgent::Measure { groups: vec![0] })]);
    coordinator.handle(b, &FromAgent::Completed { groups: vec![0] }, b"", LEASE_NS).unwrap();
    assert_eq!(coordinator.state(a).0, &AgentState::Silent);
    coordinator.handle(a, &FromAgent::Completed { groups: vec![0] }, b"", LEASE_NS + 1).unwrap();
    let expect = [
        "agent a has not answered for longer than what it does may take; the group of cells that it held is measured anew",
        "agent a has measured group 0 too, which b had finished before; that of b counts",
    ];
    assert_eq!(lines(&mut coordinator), expect);
    assert_eq!(coordinator.owner(ClassId(0), 0), Some(b));
}

#[test]
fn fleet_does_not_wait_for_a_silent_agent_without_work() {
    let mut coordinator = measuring();
    let (a, b) = (AgentId(0), AgentId(1));
    coordinator.handle(b, &FromAgent::Completed { groups: vec![1] }, b"", 1).unwrap();
    coordinator.handle(b, &FromAgent::Claim, b"", 1).unwrap();
    coordinator.expire(LEASE_NS).unwrap();
    coordinator.handle(b, &FromAgent::Completed { groups: vec![0] }, b"", LEASE_NS).unwrap();
    coordinator.handle(b, &FromAgent::Claim, b"", LEASE_NS).unwrap();
    assert!(!coordinator.is_over(LEASE_NS).unwrap(), "b still measures the rooflines");
    coordinator.handle(b, &FromAgent::Leaving, b"", LEASE_NS).unwrap();
    assert!(coordinator.is_over(LEASE_NS).unwrap());
    assert_eq!(coordinator.state(a).0, &AgentState::Silent);
}

#[test]
fn first_group_is_measured_by_every_agent_and_counts_once() {
    let queue = Embedded::new(Counted::default());
    let mut coordinator = Coordinator::new(queue, &[ClassId(0), ClassId(0), ClassId(1)], 2, true).unwrap();
    let claim = |coordinator: &mut Coordinator<Embedded<Counted>>, agent| {
        let orders = coordinator.handle(AgentId(agent), &FromAgent::Claim, b"", 0).unwrap();
        orders.into_iter().map(|(_, order)| order).collect::<Vec<_>>()
    };
    let common = [ToAgent::Measure { groups: vec![COMMON_GROUP] }];
    assert_eq!(claim(&mut coordinator, 0), common);
    assert_eq!(claim(&mut coordinator, 1), common);
    assert_eq!(claim(&mut coordinator, 2), common, "alone in its class, it measures the groups in their order");
    let completed = FromAgent::Completed { groups: vec![COMMON_GROUP] };
    for agent in [1, 0, 0] {
        coordinator.handle(AgentId(agent), &completed, b"", 1).unwrap();
    }
    assert_eq!(coordinator.owner(ClassId(0), COMMON_GROUP), Some(AgentId(1)));
    assert_eq!(claim(&mut coordinator, 0), [ToAgent::Measure { groups: vec![1] }]);
    assert!(claim(&mut coordinator, 1).is_empty(), "nothing is left for it while the other measures");
    coordinator.handle(AgentId(0), &FromAgent::Completed { groups: vec![1, 7] }, b"", 2).unwrap();
    assert!(coordinator.progress(ClassId(0)).unwrap().is_over());
    let lines: Vec<_> = coordinator.events().iter().map(|event| event.line(|agent| agent.0.to_string())).collect();
    let late = "agent 0 has measured group 0 too, which 1 had finished before; that of 1 counts";
    let foreign = "agent 0 reported group 7, which the plan does not have; the report is ignored";
    assert_eq!(lines, [late, foreign], "the common group is late only if it is reported again");
}

#[test]
fn other_block_of_the_same_repetition_is_reported() {
    let mut coordinator = measuring();
    let part = Part::Repetition { cell: 3, process: 1 };
    let message = FromAgent::Block { part, bytes: 1, sha256: String::new() };
    for block in [b"a", b"a"] {
        coordinator.handle(AgentId(0), &message, block, 0).unwrap();
    }
    assert!(!coordinator.has_contradiction(), "it was delivered twice");
    coordinator.handle(AgentId(0), &message, b"b", 0).unwrap();
    let expect =
        "agent a sent two different blocks of cell 3, process 1; the first one counts, and its own run file has both";
    assert_eq!(lines(&mut coordinator), [expect]);
    assert_eq!(coordinator.queue().blocks().0, 1);
    assert!(coordinator.has_contradiction());
}

/// A coordinator of three agents of one class that wait after the common group, and of one alone.
fn undecided() -> Coordinator<Embedded<Counted>> {
    let queue = Embedded::new(Counted::default());
    let classes = [ClassId(0), ClassId(0), ClassId(0), ClassId(1)];
    let mut coordinator = Coordinator::new(queue, &classes, 3, true).unwrap();
    coordinator.decide_classes();
    coordinator
}

fn say(coordinator: &mut Coordinator<Embedded<Counted>>, agent: u32, message: &FromAgent) -> Vec<Order> {
    coordinator.handle(AgentId(agent), message, b"", 1).unwrap()
}

fn completed(group: u32) -> FromAgent {
    FromAgent::Completed { groups: vec![group] }
}

/// Has the agents measure the common group, up to the point at which their class can be decided.
fn measure_common(coordinator: &mut Coordinator<Embedded<Counted>>) {
    for agent in 0..3 {
        let common = ToAgent::Measure { groups: vec![COMMON_GROUP] };
        assert_eq!(say(coordinator, agent, &FromAgent::Claim), [(AgentId(agent), common)]);
    }
    for agent in [1, 0, 2] {
        assert_eq!(coordinator.undecided(), None, "agent {agent} is awaited");
        assert!(say(coordinator, agent, &completed(COMMON_GROUP)).is_empty());
        assert!(say(coordinator, agent, &FromAgent::Claim).is_empty(), "agent {agent} waits for the others");
    }
    assert_eq!(coordinator.undecided(), Some(ClassId(0)));
    assert_eq!(coordinator.undecided(), None);
}

#[test]
fn class_of_equal_machines_is_spread_after_the_common_group() {
    let mut coordinator = undecided();
    let alone = say(&mut coordinator, 3, &FromAgent::Claim);
    assert_eq!(alone, [(AgentId(3), ToAgent::Measure { groups: vec![0] })], "alone in its class, it waits for nothing");
    measure_common(&mut coordinator);
    let measure = |agent, group| (AgentId(agent), ToAgent::Measure { groups: vec![group] });
    assert_eq!(coordinator.decide(ClassId(0), false, 2).unwrap(), [measure(1, 1), measure(0, 2)]);
}

#[test]
fn class_of_different_machines_is_measured_by_one() {
    let mut coordinator = undecided();
    measure_common(&mut coordinator);
    let measure = |agent, group| (AgentId(agent), ToAgent::Measure { groups: vec![group] });
    assert_eq!(coordinator.decide(ClassId(0), true, 2).unwrap(), [measure(1, 1)], "it was the first to finish");
    let lines = |coordinator: &mut Coordinator<Embedded<Counted>>| -> Vec<String> {
        coordinator.events().iter().map(|event| event.line(|agent| agent.0.to_string())).collect()
    };
    let alone = |agent| format!("agent {agent} measures alone what is left, because the machines of its class differ");
    assert_eq!(lines(&mut coordinator), [alone(1)]);
    // Another one goes on, with what that one held.
    assert_eq!(coordinator.gone(AgentId(1), 3).unwrap(), [measure(0, 1)]);
    let lost = "agent 1 was lost; the group of cells that it held is measured anew".to_owned();
    assert_eq!(lines(&mut coordinator), [lost, alone(0)]);
    assert!(say(&mut coordinator, 0, &completed(1)).is_empty());
    assert_eq!(say(&mut coordinator, 0, &FromAgent::Claim), [measure(0, 2)]);
    let left = say(&mut coordinator, 0, &completed(2));
    assert_eq!(left, [(AgentId(2), ToAgent::Leave)], "nothing is left for it");
    assert_eq!(say(&mut coordinator, 0, &FromAgent::Claim), [(AgentId(0), ToAgent::Leave)]);
}

#[test]
fn silent_agent_that_comes_back_goes_on_alone_if_no_other_is_left() {
    let mut coordinator = undecided();
    measure_common(&mut coordinator);
    let measure = |agent, group| (AgentId(agent), ToAgent::Measure { groups: vec![group] });
    assert_eq!(coordinator.decide(ClassId(0), true, 2).unwrap(), [measure(1, 1)]);
    coordinator.gone(AgentId(2), 2).unwrap();
    assert_eq!(coordinator.expire(2 + LEASE_NS).unwrap(), [measure(0, 1)]);
    assert!(coordinator.gone(AgentId(0), 3 + LEASE_NS).unwrap().is_empty());
    assert!(!coordinator.is_over(3 + LEASE_NS).unwrap());
    say(&mut coordinator, 1, &completed(1));
    assert_eq!(say(&mut coordinator, 1, &FromAgent::Claim), [measure(1, 2)]);
}

#[test]
fn class_is_decided_without_an_agent_that_was_lost() {
    let mut coordinator = undecided();
    for agent in 0..2 {
        say(&mut coordinator, agent, &FromAgent::Claim);
        say(&mut coordinator, agent, &completed(COMMON_GROUP));
    }
    assert_eq!(coordinator.undecided(), None);
    coordinator.gone(AgentId(2), 2).unwrap();
    assert_eq!(coordinator.undecided(), Some(ClassId(0)));
    coordinator.expect(AgentId(2), 3);
    assert_eq!(coordinator.undecided(), None, "it is awaited again");
}

#[test]
fn queue_of_a_coordinator_that_was_lost_is_gone_on_with() {
    // The classes that the agents 0 and 1 have for themselves.
    let (class, own) = (ClassId(0), [ClassId(1), ClassId(2)]);
    let measure = |agent, group| (AgentId(agent), ToAgent::Measure { groups: vec![group] });
    let begun = |finished: &[u32]| {
        let mut queue = Embedded::new(Counted::default());
        queue.submit(class, 3).unwrap();
        for agent in finished {
            queue.submit(own[*agent as usize], 1).unwrap();
            queue.complete(own[*agent as usize], COMMON_GROUP, AgentId(*agent)).unwrap();
            queue.complete(class, COMMON_GROUP, AgentId(*agent)).unwrap();
        }
        let mut coordinator = Coordinator::new(queue, &[class; 2], 3, true).unwrap();
        coordinator.decide_classes();
        coordinator
    };
    let mut coordinator = begun(&[1]);
    assert_eq!((coordinator.owner(class, COMMON_GROUP), coordinator.state(AgentId(1)).2), (Some(AgentId(1)), 1));
    assert!(say(&mut coordinator, 1, &FromAgent::Claim).is_empty(), "it waits for the other");
    assert_eq!(say(&mut coordinator, 0, &FromAgent::Claim), [measure(0, COMMON_GROUP)]);
    say(&mut coordinator, 0, &completed(COMMON_GROUP));
    assert_eq!(coordinator.undecided(), Some(class));
    assert_eq!(coordinator.decide(class, false, 2).unwrap(), [measure(1, 1)]);
    let mut coordinator = begun(&[1, 0]);
    assert_eq!(coordinator.undecided(), Some(class), "all have measured what it depends on");
    assert!(say(&mut coordinator, 0, &FromAgent::Claim).is_empty());
    assert!(say(&mut coordinator, 1, &FromAgent::Claim).is_empty());
    assert_eq!(coordinator.decide(class, true, 2).unwrap(), [measure(1, 1)], "it was the first to finish");
}

/// A coordinator of two agents of one class, whose groups have one cell and one repetition each, and which checks what they send.
fn inspecting() -> Coordinator<Embedded<Counted>> {
    let mut coordinator = measuring();
    let cells = vec![made_up::planned_cell(0), made_up::planned_cell(1)];
    coordinator.inspect(Inspector::new(&made_up::spec(), made_up::planned(2, 1), cells, vec![None, None]));
    coordinator
}

/// Sends the head of a run file as the agent, with this name of the run.
fn send_head(coordinator: &mut Coordinator<Embedded<Counted>>, agent: u32, run: &str) -> Vec<Order> {
    let head = format!(
        "{{\"v\":1,\"record\":\"run\",\"id\":\"{run}\",\"started\":\"1\",\"seed\":1,\"command\":[],\"planned\":{{\"cells\":2,\"processes\":1}},\"fingerprint\":{{\"host_version\":\"1\",\"os\":\"\",\"kernel\":\"\",\"architecture\":\"\",\"cpus\":1}}}}\n"
    );
    let message = FromAgent::Block { part: Part::Note(0), bytes: head.len() as u64, sha256: String::new() };
    coordinator.handle(AgentId(agent), &message, head.as_bytes(), 1).unwrap()
}

fn send(coordinator: &mut Coordinator<Embedded<Counted>>, agent: u32, part: Part, block: &[u8]) -> Vec<Order> {
    let message = FromAgent::Block { part, bytes: block.len() as u64, sha256: String::new() };
    coordinator.handle(AgentId(agent), &message, block, 1).unwrap()
}

fn repetition(cell: u32) -> (Part, Vec<u8>) {
    let records = [Record::Cell(made_up::cell(cell, 0, "m.wasm")), Record::Outcome(OutcomeRecord::ok(cell, 0))];
    (Part::Repetition { cell, process: 0 }, encode(&records))
}

#[test]
fn agent_that_sends_what_cannot_be_so_is_excluded_and_others_measure_what_it_held() {
    let mut coordinator = inspecting();
    let (a, b) = (AgentId(0), AgentId(1));
    assert!(send_head(&mut coordinator, 1, "r").is_empty());
    let (part, block) = repetition(1);
    assert!(send(&mut coordinator, 1, part, &block).is_empty());
    assert!(say(&mut coordinator, 1, &completed(1)).is_empty());
    assert!(say(&mut coordinator, 1, &FromAgent::Claim).is_empty(), "it waits");
    let orders = send_head(&mut coordinator, 0, "other");
    assert_eq!(orders, [(b, ToAgent::Measure { groups: vec![0] })]);
    let expect = "agent a sent a block of part 0 of its notes that cannot be so: it is of another run; nothing more is taken of it, and others \
                  measure what it held";
    assert_eq!(lines(&mut coordinator), [expect]);
    assert_eq!(coordinator.state(a).0, &AgentState::Excluded);
    // It has yet to notice.
    assert!(send_head(&mut coordinator, 0, "r").is_empty());
    assert!(say(&mut coordinator, 0, &completed(0)).is_empty());
    assert!(say(&mut coordinator, 0, &FromAgent::Claim).is_empty());
    assert_eq!(coordinator.owner(ClassId(0), 0), None);
    assert!(coordinator.gone(a, 2).unwrap().is_empty());
    coordinator.expect(a, 2);
    assert_eq!(coordinator.state(a).0, &AgentState::Excluded, "it is not started again");
    let (part, block) = repetition(0);
    assert!(send(&mut coordinator, 1, part, &block).is_empty());
    assert!(say(&mut coordinator, 1, &completed(0)).is_empty());
    assert_eq!(say(&mut coordinator, 1, &FromAgent::Claim), [(b, ToAgent::Leave)]);
    say(&mut coordinator, 1, &FromAgent::Leaving);
    assert!(coordinator.is_over(3).unwrap());
    assert_eq!(coordinator.queue().blocks().0, 3, "the head and two repetitions, all of the other agent");
    assert_eq!(lines(&mut coordinator), [""; 0]);
}

#[test]
fn group_that_was_not_sent_is_not_measured() {
    let mut coordinator = inspecting();
    send_head(&mut coordinator, 0, "r");
    assert!(say(&mut coordinator, 0, &completed(0)).is_empty(), "the other agent is not idle");
    let expect = "agent a sent word that it has measured group 0, but not repetitions of cell 0; nothing more is taken of it, and others measure \
                  what it held";
    assert_eq!(lines(&mut coordinator), [expect]);
    assert_eq!(coordinator.owner(ClassId(0), 0), None);
    assert_eq!(coordinator.progress(ClassId(0)).unwrap(), Progress { waiting: 1, leased: 1, ..Progress::default() });
}

#[test]
fn agent_that_cannot_measure_the_run_is_no_loss() {
    let mut coordinator = undecided();
    for agent in 0..2 {
        say(&mut coordinator, agent, &FromAgent::Claim);
        say(&mut coordinator, agent, &completed(COMMON_GROUP));
    }
    assert!(coordinator.exclude(AgentId(2), 2).unwrap().is_empty());
    assert_eq!(coordinator.undecided(), Some(ClassId(0)), "its class is decided without it");
    assert!(coordinator.exclude(AgentId(2), 2).unwrap().is_empty());
    assert!(coordinator.events().is_empty());
    coordinator.exclude(AgentId(3), 2).unwrap();
    assert_eq!(coordinator.progress(ClassId(1)).unwrap().waiting, 3, "no other class measures for it");
}
