//! Makes of what agents measured one run for each class of machines.

use super::{Measured, Submission};
use crate::commands::fleet::{agreement, worse};
use crate::{Exit, output};
use bench_fleet::{
    AgentId, COMMON_GROUP, Checks, ClassId, Collected, HostCard, Progress, ShardOf, contradiction, has_head,
    merge_stopped, write_shard,
};
use bench_sink::runfile::ClockRecord;
use std::collections::HashMap;
use std::path::PathBuf;

/// An agent that has sent the head of its run file.
struct Member<'a> {
    agent: AgentId,
    name: &'a str,
    card: &'a HostCard,
    clock: &'a [ClockRecord],
    /// Where what it sent is kept.
    directory: PathBuf,
}

impl Submission<'_> {
    /// Merges what counts of each class into a run. Returns the exit status so far, and the run directories.
    pub(super) fn merge_classes(&self, measured: &Measured) -> anyhow::Result<(Exit, Vec<PathBuf>)> {
        let mut exit = if measured.is_stopped { Exit::NotMeasured } else { Exit::Done };
        if measured.coordinator.has_contradiction() {
            // It was told when it happened.
            exit = worse(Exit::Finding, exit);
        }
        let (mut directories, mut collected) = (Vec::new(), Vec::new());
        for class in 0..measured.coordinator.classes() {
            let missing = missing(measured.coordinator.progress(ClassId(class))?, ClassId(class), measured.is_stopped);
            if let Some(missing) = &missing {
                exit = Exit::NotMeasured;
                output::line(&format!("bench-host: {missing}"));
            }
            let members = self.members(measured, ClassId(class))?;
            if members.is_empty() {
                continue;
            }
            self.say_agreement(ClassId(class), &members)?;
            let shards = self.shards(measured, ClassId(class), &members, &mut collected)?;
            let out = match measured.coordinator.classes() {
                1 => self.run.common.shown.out.clone(),
                _ => self.run.common.shown.out.join(format!("class-{}", class + 1)),
            };
            // Who may share a machine was decided when the agents had joined.
            let checks = Checks { across_machines: false, share_machine: true };
            directories.push(merge_stopped(&shards, &out, checks, missing)?.directory);
        }
        if let Some((cell, first, other)) = contradiction(&collected) {
            let cell = self.plan.cell(cell);
            output::line(&format!(
                "bench-host: {} {} has different results on {first} and {other}: equal arguments must yield equal results",
                self.plan.full_name(cell),
                cell.arguments
            ));
            exit = worse(Exit::Finding, exit);
        }
        Ok((exit, directories))
    }

    /// The agents of a class of which there is anything.
    fn members<'a>(&self, measured: &'a Measured, class: ClassId) -> anyhow::Result<Vec<Member<'a>>> {
        let mut members = Vec::new();
        for (number, (name, card)) in (0..).zip(measured.names.iter().zip(&measured.cards)) {
            let (agent, directory) = (AgentId(number), self.folder.collected().join(name));
            if measured.coordinator.class_of(agent) == class && has_head(&directory)? {
                let clock = measured.clocks[number as usize].as_slice();
                members.push(Member { agent, name, card, clock, directory });
            }
        }
        Ok(members)
    }

    /// Says how far the agents of a class lie apart, if there are several.
    fn say_agreement(&self, class: ClassId, members: &[Member<'_>]) -> anyhow::Result<()> {
        let directories: Vec<_> = members.iter().map(|member| member.directory.clone()).collect();
        let Some(common) = self.groups.get(COMMON_GROUP as usize) else { return Ok(()) };
        if let Some(agreement) = agreement::describe(self.plan, common, &directories)? {
            output::line(&format!("bench-host: class {}: {agreement}", class.0 + 1));
        }
        Ok(())
    }

    /// Writes what counts of each agent of a class as a shard.
    fn shards(
        &self,
        measured: &Measured,
        class: ClassId,
        members: &[Member<'_>],
        collected: &mut Vec<(String, Collected)>,
    ) -> anyhow::Result<Vec<PathBuf>> {
        let mut group_of: HashMap<u32, u32> = HashMap::new();
        for (number, group) in (0..).zip(self.groups) {
            group_of.extend(group.cells.iter().map(|cell| (*cell, number)));
        }
        let finished = jiff::Timestamp::now().to_string();
        let mut shards = Vec::new();
        for (number, member) in (1..).zip(members) {
            let of = members.len() as u32;
            let shard =
                ShardOf { agent: member.name, card: member.card, clock: member.clock, number, of, finished: &finished };
            let out = self.folder.shards().join(member.name);
            let counts = |cell| {
                let group = group_of.get(&cell);
                group.is_some_and(|group| measured.coordinator.owner(class, *group) == Some(member.agent))
            };
            let found = write_shard(&member.directory, &out, &shard, counts)?;
            collected.push((member.name.to_owned(), found));
            shards.push(out);
        }
        Ok(shards)
    }
}

/// Why groups of a class are missing, if some are.
fn missing(progress: Progress, class: ClassId, is_stopped: bool) -> Option<String> {
    let left = progress.waiting + progress.leased;
    Some(match (is_stopped, progress.given_up, left) {
        (_, 0, 0) => return None,
        (true, _, _) => "interrupted".to_owned(),
        (false, given_up, 0) => {
            format!(
                "two agents were lost while they measured {given_up} of the groups of cells; measure these alone to see why"
            )
        }
        (false, _, left) => {
            let groups = if left == 1 { "last group".to_owned() } else { format!("last {left} groups") };
            format!(
                "no agent of class {} is left that can measure its {groups} of cells; start a new run, with other machines",
                class.0 + 1
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_without_agents_is_told_from_other_reasons() {
        let check = |[waiting, leased, given_up]: [u32; 3], is_stopped: bool, expect: Option<&str>| {
            let progress = Progress { waiting, leased, finished: 3, given_up };
            let found = missing(progress, ClassId(1), is_stopped);
            assert_eq!(found.as_deref(), expect, "{progress:?}");
        };
        check([0, 0, 0], false, None);
        check([0, 0, 0], true, None);
        check([1, 0, 0], true, Some("interrupted"));
        let alone = "two agents were lost while they measured 2 of the groups of cells; measure these alone to see why";
        check([0, 0, 2], false, Some(alone));
        let none = "no agent of class 2 is left that can measure its last 2 groups of cells; start a new run, with other machines";
        check([1, 1, 0], false, Some(none));
        let one = "no agent of class 2 is left that can measure its last group of cells; start a new run, with other machines";
        check([1, 0, 1], false, Some(one));
    }
}
