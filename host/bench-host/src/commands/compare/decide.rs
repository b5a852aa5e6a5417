//! `--decide`: measures comparisons in rounds until each is decided or the time is spent. The time goes to those that are not.

use crate::output;
use bench_engine::{ComparisonGroup, Plan, Schedule};
use bench_model::Arguments;
use bench_report::{ComparisonReport, Options};
use bench_sink::runfile::{LookRecord, Record, RunFile, Status};
use bench_stats::{PROCESSES_MIN, Verdict};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The rounds before the first look: few processes have a wide interval, whatever the difference.
const FIRST_LOOK: u32 = 5;

/// Looks get rarer, because each one costs a little of the error rate.
fn next_look(process: u32) -> u32 {
    process + process.div_ceil(2)
}

/// Schedules the groups that are not decided yet.
pub(super) struct UntilDecided {
    directory: PathBuf,
    options: Options,
    begun: Instant,
    within: Duration,
    /// The scenario and the arguments of each group.
    groups: Vec<(String, Arguments)>,
    undecided: Vec<usize>,
    next_look: u32,
    /// Whether each look is shown.
    is_watched: bool,
}

impl UntilDecided {
    pub(super) fn new(
        plan: &Plan,
        groups: &[ComparisonGroup],
        within_ns: u64,
        directory: &Path,
        options: Options,
        is_watched: bool,
    ) -> Self {
        let name = |group: &ComparisonGroup| {
            let cell = plan.cell(group.cells[0]);
            (plan.full_name(cell), cell.arguments.clone())
        };
        Self {
            directory: directory.to_owned(),
            options,
            begun: Instant::now(),
            within: Duration::from_nanos(within_ns),
            groups: groups.iter().map(name).collect(),
            undecided: (0..groups.len()).collect(),
            next_look: FIRST_LOOK,
            is_watched,
        }
    }

    /// Leaves out the groups that are decided by the run file and `look`.
    fn look(&mut self, look: LookRecord) -> anyhow::Result<()> {
        let mut file = RunFile::read(&self.directory)?;
        file.records.push(Record::Look(look));
        let comparison = ComparisonReport::of_pairs(file, &self.options)?;
        let is_open = |group: &usize| {
            let (scenario, arguments) = &self.groups[*group];
            let of_group = |one: &&bench_report::Comparison| one.scenario == *scenario && one.arguments == *arguments;
            let mut of_group = comparison.comparisons.iter().filter(of_group);
            of_group.any(|one| match one.verdict() {
                Some(verdict) => matches!(verdict, Verdict::Undecided { .. } | Verdict::Withheld),
                // The machine stood still, which says nothing about later processes.
                None => one.status == Status::Void,
            })
        };
        let undecided: Vec<usize> = self.undecided.iter().copied().filter(is_open).collect();
        self.undecided = undecided;
        Ok(())
    }
}

impl Schedule for UntilDecided {
    fn round(&mut self, process: u32) -> (Vec<usize>, Vec<Record>) {
        let spent = (self.begun.elapsed().as_secs_f64() / self.within.as_secs_f64()).min(1.0);
        // Even if the time is spent: fewer processes have no verdict.
        if process < self.next_look && (spent < 1.0 || process < PROCESSES_MIN) {
            return (self.undecided.clone(), Vec::new());
        }
        self.next_look = next_look(process);
        let look = LookRecord { processes: process, spent };
        if let Err(error) = self.look(look) {
            tracing::warn!(%error, "the comparisons cannot be looked at; they are measured further");
        }
        if self.is_watched {
            output::line(&format!(
                "bench-host: {} of {} comparisons are not decided after {process} processes and {:.0} % of the time",
                self.undecided.len(),
                self.groups.len(),
                spent * 100.0
            ));
        }
        let groups = if spent < 1.0 { self.undecided.clone() } else { Vec::new() };
        (groups, vec![Record::Look(look)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_get_rarer() {
        let mut looks = vec![FIRST_LOOK];
        (0..6).for_each(|_| looks.push(next_look(looks[looks.len() - 1])));
        assert_eq!(looks, [5, 8, 12, 18, 27, 41, 62]);
    }
}
