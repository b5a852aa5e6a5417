//! Which agents share a machine, or may do so unnoticed, so that they disturb each other.

use crate::output;
use bench_fleet::{HostCard, Place};

/// Says which agents share this machine because several were asked for.
pub(super) fn say_shared(places: &[Place]) {
    for place in places {
        if let Place::Local(number @ 2..) = place {
            output::line(&format!(
                "bench-host: {number} agents share this machine and disturb each other's figures: good for a trial, not for figures to keep"
            ));
        }
    }
}

/// Which agents may share a machine without that it is noticed, in one line; `None` if there are none. Two that `may_share` one, by their
/// numbers, are not among them.
pub(super) fn unknown(
    names: &[String],
    cards: &[HostCard],
    may_share: &dyn Fn(usize, usize) -> bool,
) -> Option<String> {
    let may_be_disturbed = |agent: usize| (0..cards.len()).any(|other| other != agent && !may_share(agent, other));
    let agents = names.iter().zip(cards).enumerate();
    let unknown = agents.filter(|(number, (_, card))| card.boot_id.is_none() && may_be_disturbed(*number));
    let unknown: Vec<_> = unknown.map(|(_, (name, _))| name.as_str()).collect();
    let (who, which) = match unknown.as_slice() {
        [] => return None,
        [one] => (format!("agent {one} shares its machine"), "its system does"),
        several => (format!("agents {} share their machines", several.join(", ")), "their systems do"),
    };
    Some(format!(
        "it is unknown whether {who} with others, which would disturb them: {which} not identify the running kernel; give each agent a \
         machine of its own"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_whose_machines_are_unknown_are_named_unless_they_may_share_them() {
        let card =
            |boot_id: Option<&str>| HostCard { boot_id: boot_id.map(str::to_owned), ..HostCard::of_version("1") };
        let names = ["a", "b", "c"].map(str::to_owned);
        let check = |boot_ids: &[Option<&str>], may_share: &dyn Fn(usize, usize) -> bool, expect: Option<&str>| {
            let cards: Vec<_> = boot_ids.iter().map(|boot_id| card(*boot_id)).collect();
            assert_eq!(unknown(&names[..cards.len()], &cards, may_share).as_deref(), expect, "{boot_ids:?}");
        };
        let nobody = |_: usize, _: usize| false;
        check(&[Some("1"), Some("2"), Some("1")], &nobody, None);
        check(&[None], &nobody, None);
        check(&[None, None, Some("1")], &|_, _| true, None);
        check(&[None, None], &|a, b| a < 2 && b < 2, None);
        let one = "it is unknown whether agent b shares its machine with others, which would disturb them: its system does not identify the \
                   running kernel; give each agent a machine of its own";
        check(&[Some("1"), None], &nobody, Some(one));
        let two = "it is unknown whether agents a, b share their machines with others, which would disturb them: their systems do not identify \
                   the running kernel; give each agent a machine of its own";
        check(&[None, None, Some("1")], &|a, b| a < 2 && b < 2, Some(two));
    }
}
