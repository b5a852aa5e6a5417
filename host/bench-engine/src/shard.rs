//! Divides a plan into shards, so that several machines measure one run. A comparison group is never divided: all arms of a scenario
//! with equal arguments are measured by the same machine.

use crate::Plan;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// One of several shards of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `of`.
    pub number: u32,
    /// The number of shards.
    pub of: u32,
}

/// More shards than any plan has groups.
const SHARDS_MAX: u32 = 10_000;

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let (number, of) = parts.ok_or("expected K/N, such as 1/4 for the first of four shards")?;
        if of > SHARDS_MAX {
            return Err(format!("there can be at most {SHARDS_MAX} shards"));
        }
        if number == 0 || number > of {
            return Err(format!("there is no shard {number} of {of}; the shards are 1/{of} to {of}/{of}"));
        }
        Ok(Self { number, of })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Plan {
    /// The numbers of the cells in a shard. Every cell is in exactly one shard. The largest groups are given out first, each to the
    /// shard with the fewest cells so far; a shard may be empty where there are fewer groups than shards.
    pub fn cells_of(&self, shard: Shard) -> BTreeSet<u32> {
        let mut groups = self.comparison_groups(|_| false);
        groups.sort_by_key(|group| Reverse(group.cells.len()));
        let mut shards = vec![BTreeSet::new(); shard.of as usize];
        for group in groups {
            if let Some(smallest) = shards.iter_mut().min_by_key(|cells| cells.len()) {
                smallest.extend(group.cells);
            }
        }
        shards.swap_remove(shard.number as usize - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{loaded, plan_of};
    use bench_model::{Arm, Descriptor, Parameter, Scenario};
    use proptest::prelude::*;

    fn plan(sizes: i64) -> Plan {
        let size = Parameter::new("size", 1, "").sweep(1..=sizes);
        let only_wasm = Scenario::new("alone", "f", "").in_arms([Arm::Wasm]);
        let descriptor =
            Descriptor::new("m", "1", "").scenario(Scenario::new("s", "f", "").parameter(size)).scenario(only_wasm);
        plan_of(vec![loaded(Arm::Wasm, &descriptor), loaded(Arm::Native, &descriptor)], 2, 7)
    }

    proptest! {
        #[test]
        fn every_cell_is_in_one_shard_with_its_whole_group(sizes in 1i64..20, of in 1u32..12) {
            let plan = plan(sizes);
            let shards: Vec<_> = (1..=of).map(|number| plan.cells_of(Shard { number, of })).collect();
            let mut all: Vec<_> = shards.iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..plan.cells.len() as u32).collect::<Vec<_>>());
            for group in plan.comparison_groups(|_| false) {
                let holders = shards.iter().filter(|shard| group.cells.iter().any(|cell| shard.contains(cell))).count();
                prop_assert_eq!(holders, 1);
            }
            let sizes = shards.iter().map(BTreeSet::len);
            prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 2, "balanced to within one group");
        }
    }

    #[test]
    fn text_is_a_number_out_of_a_number() {
        let check = |text: &str, expect: Result<(u32, u32), &str>| match (text.parse::<Shard>(), expect) {
            (Ok(shard), Ok((number, of))) => {
                assert_eq!((shard.number, shard.of), (number, of));
                assert_eq!(shard.to_string(), text);
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check("1/1", Ok((1, 1)));
        check("3/4", Ok((3, 4)));
        check("9/8", Err("no shard 9 of 8; the shards are 1/8 to 8/8"));
        check("0/8", Err("no shard 0 of 8"));
        check("1/20000", Err("at most 10000"));
        for text in ["", "1", "1/", "/2", "a/b", "-1/2", "1/2/3"] {
            check(text, Err("expected K/N"));
        }
    }
}
