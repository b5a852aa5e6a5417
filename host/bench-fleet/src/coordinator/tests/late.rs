//! Agents that send something after they have ended, that ask for too long a lease, or that are not there when a run is gone on with.

use super::*;
use crate::protocol::LEASE_MAX;

#[test]
fn agent_that_has_left_or_was_lost_gets_nothing_more_and_counts_once() {
    let mut coordinator = measuring();
    let (a, b) = (AgentId(0), AgentId(1));
    say(&mut coordinator, 1, &completed(1));
    let (part, block) = repetition(1);
    assert!(send(&mut coordinator, 1, part, &block).is_empty());
    coordinator.gone(a, 1).unwrap();
    assert_eq!(say(&mut coordinator, 1, &FromAgent::Claim), [(b, ToAgent::Measure { groups: vec![0] })]);
    // It was on its way when the connection of `a` ended.
    let (part, block) = repetition(0);
    assert!(send(&mut coordinator, 0, part, &block).is_empty());
    for message in [FromAgent::Ready { lease_ns: 5 }, FromAgent::Claim, FromAgent::Leaving, FromAgent::Claim] {
        assert!(say(&mut coordinator, 0, &message).is_empty());
        assert_eq!(coordinator.state(a).0, &AgentState::Lost, "{message:?}");
    }
    say(&mut coordinator, 0, &completed(0));
    assert_eq!(coordinator.owner(ClassId(0), 0), Some(a), "it was the first to finish");
    say(&mut coordinator, 1, &completed(0));
    assert_eq!(say(&mut coordinator, 1, &FromAgent::Claim), [(b, ToAgent::Leave)]);
    say(&mut coordinator, 1, &FromAgent::Leaving);
    assert!(coordinator.is_over(2).unwrap());
    lines(&mut coordinator);
    let (part, block) = repetition(1);
    let late = [FromAgent::Claim, completed(0), FromAgent::Leaving, FromAgent::Failed { reason: "late".to_owned() }];
    for agent in [0, 1] {
        assert!(send(&mut coordinator, agent, part, &block).is_empty());
        assert!(late.iter().all(|message| say(&mut coordinator, agent, message).is_empty()));
    }
    assert!(coordinator.is_over(3).unwrap());
    assert_eq!((coordinator.state(a).2, coordinator.state(b).2), (1, 1), "each group counts once");
    assert_eq!(coordinator.queue().blocks().0, 3, "two of `a`, one of `b`");
    assert!(!coordinator.has_contradiction());
    // It is counted as there once, however often its end was told.
    coordinator.expect(a, 4);
    assert_eq!(coordinator.class(ClassId(0)).alive, 1);
}

#[test]
fn lease_is_bounded() {
    let longest = u64::try_from(LEASE_MAX.as_nanos()).unwrap();
    for lease_ns in [longest + 1, u64::MAX] {
        let mut coordinator = measuring();
        say(&mut coordinator, 1, &FromAgent::Ready { lease_ns: longest });
        assert_eq!(coordinator.lease(AgentId(1)), LEASE_MAX);
        say(&mut coordinator, 0, &FromAgent::Ready { lease_ns });
        assert_eq!(coordinator.state(AgentId(0)).0, &AgentState::Excluded);
        let told = lines(&mut coordinator);
        let begin = "agent a sent a lease that is too long: a repetition may take ";
        assert!(told.len() == 1 && told[0].starts_with(begin) && told[0].contains("at most 21600 s"), "{told:?}");
        assert_eq!(coordinator.progress(ClassId(0)).unwrap().waiting, 1, "what it held is for others");
    }
}

#[test]
fn agent_that_is_not_there_is_waited_for_only_while_something_is_left() {
    let mut coordinator = Coordinator::new(Embedded::new(Counted::default()), &[ClassId(0); 2], 2, true).unwrap();
    coordinator.decide_classes();
    let (a, b) = (AgentId(0), AgentId(1));
    coordinator.absent(b, 0);
    assert_eq!(say(&mut coordinator, 0, &FromAgent::Claim), [(a, ToAgent::Measure { groups: vec![COMMON_GROUP] })]);
    say(&mut coordinator, 0, &completed(COMMON_GROUP));
    assert_eq!(coordinator.undecided(), Some(ClassId(0)), "its class is decided without it");
    assert!(coordinator.decide(ClassId(0), false, 1).unwrap().is_empty());
    assert_eq!(say(&mut coordinator, 0, &FromAgent::Claim), [(a, ToAgent::Measure { groups: vec![1] })]);
    coordinator.expect(b, 2);
    assert_eq!(coordinator.state(b).0, &AgentState::Preparing, "it came");
    assert_eq!(say(&mut coordinator, 1, &FromAgent::Claim), [(b, ToAgent::Measure { groups: vec![COMMON_GROUP] })]);
    coordinator.absent(b, 3);
    say(&mut coordinator, 0, &completed(1));
    assert_eq!(say(&mut coordinator, 0, &FromAgent::Claim), [(a, ToAgent::Leave)]);
    say(&mut coordinator, 0, &FromAgent::Leaving);
    assert!(coordinator.is_over(3).unwrap());
    assert_eq!(lines(&mut coordinator), [""; 0]);
}
