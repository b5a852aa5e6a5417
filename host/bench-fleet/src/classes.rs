//! Sorts the machines of a fleet into classes. Figures of one class are measured by equal machines with equal programs; between classes
//! there are none that could be compared.

use crate::protocol::{HostCard, PROTOCOL};
use crate::queue::ClassId;
use std::collections::HashMap;

/// The reason why a fleet cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassError {
    /// Another version of bench-host.
    #[error("agent {agent} is bench-host {found}, but this is {expected}; install the same version on both machines")]
    Version {
        /// The agent.
        agent: String,
        /// Its version.
        found: String,
        /// The version of the coordinator.
        expected: String,
    },
    /// Two agents run on one machine.
    #[error(
        "agents {first} and {other} run on the same machine, so they would disturb each other; leave one out, or give --share-machine"
    )]
    SharedMachine {
        /// The first agent.
        first: String,
        /// The other agent.
        other: String,
    },
}

/// The class of each agent, in the order of `agents`, which are names and machines. Agents are of one class if nothing distinguishes
/// their machines and programs. Two agents run on one machine only if they `may_share` it, which is asked with their numbers.
pub fn classify(
    agents: &[(&str, &HostCard)],
    host_version: &str,
    may_share: &dyn Fn(usize, usize) -> bool,
) -> Result<Vec<ClassId>, ClassError> {
    for (agent, card) in agents {
        if card.host_version != host_version || card.protocol != PROTOCOL {
            let found = match card.protocol {
                PROTOCOL => card.host_version.clone(),
                other => format!("{} with version {other} of the messages of fleets", card.host_version),
            };
            let (agent, expected) = ((*agent).to_owned(), host_version.to_owned());
            return Err(ClassError::Version { agent, found, expected });
        }
    }
    let mut kernels: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, (agent, card)) in agents.iter().enumerate() {
        let Some(boot_id) = card.boot_id.as_deref() else { continue };
        let there = kernels.entry(boot_id).or_default();
        if let Some(first) = there.iter().find(|first| !may_share(**first, number)) {
            return Err(ClassError::SharedMachine { first: agents[*first].0.to_owned(), other: (*agent).to_owned() });
        }
        there.push(number);
    }
    let mut classes: Vec<&HostCard> = Vec::new();
    let found = agents.iter().map(|(_, card)| {
        let known = classes.iter().position(|class| is_same_class(class, card));
        let number = known.unwrap_or_else(|| {
            classes.push(card);
            classes.len() - 1
        });
        ClassId(number as u32)
    });
    Ok(found.collect())
}

/// Whether nothing distinguishes two machines and their programs.
pub(crate) fn is_same_class(a: &HostCard, b: &HostCard) -> bool {
    // A program whose file cannot be read may be any.
    let is_same_program = a.program_sha256.is_some() && a.program_sha256 == b.program_sha256;
    is_same_program && a.fingerprint.unlike(&b.fingerprint).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_sink::fingerprint::Fingerprint;

    fn card(cpu: &str, program: &str, boot_id: &str) -> HostCard {
        HostCard {
            protocol: PROTOCOL,
            host_version: "1".to_owned(),
            program_sha256: Some(program.to_owned()).filter(|program| !program.is_empty()),
            fingerprint: Fingerprint { cpu_model: Some(cpu.to_owned()), ..Fingerprint::default() },
            boot_id: Some(boot_id.to_owned()),
        }
    }

    #[track_caller]
    fn check(cards: &[HostCard], share_machine: bool, expect: Result<&[u32], &str>) {
        check_sharing(cards, &|_, _| share_machine, expect);
    }

    #[track_caller]
    fn check_sharing(cards: &[HostCard], may_share: &dyn Fn(usize, usize) -> bool, expect: Result<&[u32], &str>) {
        let names = ["a", "b", "c", "d"];
        let agents: Vec<_> = names.into_iter().zip(cards).collect();
        match (classify(&agents, "1", may_share), expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found.iter().map(|class| class.0).collect::<Vec<_>>(), expect),
            (Err(error), Err(text)) => assert_eq!(error.to_string(), text),
            (found, expect) => panic!("{found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn class_is_of_equal_machines_and_programs() {
        let cards = [card("x", "p", "1"), card("y", "p", "2"), card("x", "p", "3"), card("x", "q", "4")];
        check(&cards, false, Ok(&[0, 1, 0, 2]));
        check(&[card("x", "", "1"), card("x", "", "2")], false, Ok(&[0, 1]));
    }

    #[test]
    fn agents_on_one_kernel_need_an_option() {
        let cards = [card("x", "p", "1"), card("x", "p", "2"), card("x", "p", "1")];
        let refused = "agents a and c run on the same machine, so they would disturb each other; leave one out, or give --share-machine";
        check(&cards, false, Err(refused));
        check(&cards, true, Ok(&[0, 0, 0]));
        let unknown = HostCard { boot_id: None, ..card("x", "p", "1") };
        check(&[unknown.clone(), unknown], false, Ok(&[0, 0]));
        // The first two may share the machine, but none with the third.
        let refused = refused.replace("agents a and c", "agents a and d");
        let cards = [card("x", "p", "1"), card("x", "p", "1"), card("x", "p", "2"), card("x", "p", "1")];
        check_sharing(&cards[..3], &|a, b| a < 2 && b < 2, Ok(&[0, 0, 0]));
        check_sharing(&cards, &|a, b| a < 2 && b < 2, Err(&refused));
    }

    #[test]
    fn other_version_is_refused() {
        let other = HostCard { host_version: "2".to_owned(), ..card("x", "p", "2") };
        let refused = "agent b is bench-host 2, but this is 1; install the same version on both machines";
        check(&[card("x", "p", "1"), other], false, Err(refused));
        let other = HostCard { protocol: PROTOCOL + 1, ..card("x", "p", "1") };
        let refused = format!(
            "agent a is bench-host 1 with version {} of the messages of fleets, but this is 1; install the same version on both machines",
            PROTOCOL + 1
        );
        check(&[other], true, Err(&refused));
    }
}
