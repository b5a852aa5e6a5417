//! Executes comparisons: each process measures all cells of a comparison group interleaved, and its result is written before the next
//! process starts. Verdicts are computed from the run file.

use crate::runner::{Results, block, usage_of};
use crate::{Finished, Interrupt, Journal, Observer, Plan, Repetition, Report, RunEnd, done, void};
use bench_sink::runfile::{AccountRecord, LedgerRecord, PairingRecord, Record, Status, WriteError};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Cells that are measured interleaved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparisonGroup {
    /// The numbers of the cells in the plan. The first is the baseline.
    pub cells: Vec<u32>,
}

/// The result of one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PairedReport {
    /// The report of each cell, in the order of the group.
    pub reports: Vec<Report>,
    /// The number of sessions of each cell, whose samples are interleaved.
    pub sessions: u32,
    /// The cost breakdowns, of the cells that have one.
    pub ledgers: Vec<LedgerRecord>,
}

/// Executes comparison groups.
pub trait PairedExecutor {
    /// Executes one repetition of all cells of `group` in one process, in an order drawn from `seed`. `None` if
    /// interrupted.
    fn execute(&mut self, plan: &Plan, group: &ComparisonGroup, process: u32, seed: u64) -> Option<PairedReport>;

    /// Counts the resource usage of the cell of `repetition`, which is of the first process whose figures of the whole group the run keeps.
    /// `None` if it is not meant to be counted.
    fn count_usage(&mut self, plan: &Plan, repetition: Repetition) -> Option<AccountRecord> {
        let _ = (plan, repetition);
        None
    }
}

/// Decides before each round which groups are measured in it.
pub trait Schedule {
    /// The numbers of the groups that round `process` measures; none ends the run. The records are stored before the round.
    fn round(&mut self, process: u32) -> (Vec<usize>, Vec<Record>);
}

/// All groups in each of a fixed number of rounds.
#[derive(Clone, Copy, Debug)]
pub struct FixedRounds {
    /// The number of rounds.
    pub processes: u32,
    /// The number of groups.
    pub groups: usize,
}

impl Schedule for FixedRounds {
    fn round(&mut self, process: u32) -> (Vec<usize>, Vec<Record>) {
        let groups = if process < self.processes { self.groups } else { 0 };
        ((0..groups).collect(), Vec::new())
    }
}

/// Executes comparison groups in rounds. Each round takes every group of the `schedule` once, in an order drawn from `seed`, so that
/// slow changes of the machine affect all groups equally. A group with a failed or skipped cell is not tried again.
pub fn run_paired(
    plan: &Plan,
    groups: &[ComparisonGroup],
    (schedule, seed): (&mut dyn Schedule, u64),
    executor: &mut dyn PairedExecutor,
    journal: &mut dyn Journal,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<RunEnd, WriteError> {
    let (mut given_up, mut counted) = (BTreeSet::new(), BTreeSet::new());
    let mut results = Results::default();
    let mut index = 0;
    for process in 0.. {
        let (scheduled, noted) = schedule.round(process);
        if !noted.is_empty() {
            journal.append(&noted)?;
        }
        if scheduled.iter().all(|number| given_up.contains(number)) {
            break;
        }
        for number in round(groups.len(), process, seed).into_iter().filter(|number| scheduled.contains(number)) {
            if interrupt.is_raised() {
                return Ok(RunEnd::Interrupted);
            }
            index += 1;
            if given_up.contains(&number) {
                continue;
            }
            let group = &groups[number];
            observer.started(plan, Repetition { cell: group.cells[0], process }, index - 1);
            let of_process = seed.wrapping_add(u64::from(process) << 32).wrapping_add(number as u64);
            let begun = Instant::now();
            let Some(mut paired) = executor.execute(plan, group, process, of_process) else {
                return Ok(RunEnd::Interrupted);
            };
            paired.reports = checked(plan, group, process, paired.reports, begun.elapsed());
            let mut judged = Judged::of(plan, paired, &mut results);
            // Not before it is known that the process is kept: a group whose first one is void has another.
            if judged.all(|status| status == Status::Ok) && counted.insert(number) {
                judged.count_usage(plan, executor);
            }
            if !judged.all(done::is_tried_again) {
                given_up.insert(number);
            }
            journal.append(&judged.records(plan, group, process, observer))?;
        }
    }
    Ok(RunEnd::Complete)
}

/// The numbers of the groups in the order of one round.
fn round(groups: usize, process: u32, seed: u64) -> Vec<usize> {
    let mut order: Vec<_> = (0..groups).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(process));
    order.shuffle(&mut random);
    order
}

/// The result of one process, held to the machine and to earlier results.
struct Judged {
    paired: PairedReport,
    /// The failures of cells whose earlier results differ.
    contradicted: Vec<Report>,
}

impl Judged {
    fn of(plan: &Plan, mut paired: PairedReport, results: &mut Results) -> Self {
        let mut contradicted = Vec::new();
        for report in &mut paired.reports {
            void::apply_witness(report);
            contradicted.extend(results.contradicted_by(plan, repetition_of(report), report));
            report.account = None;
        }
        Self { paired, contradicted }
    }

    /// Whether `is` holds for every cell, and no result differs.
    fn all(&self, is: fn(Status) -> bool) -> bool {
        self.contradicted.is_empty() && self.paired.reports.iter().all(|report| is(report.outcome.status))
    }

    /// Has the resource usage of every cell counted.
    fn count_usage(&mut self, plan: &Plan, executor: &mut dyn PairedExecutor) {
        for report in &mut self.paired.reports {
            let repetition = repetition_of(report);
            let usage = executor.count_usage(plan, repetition);
            report.account = usage.map(|usage| usage_of(repetition, usage));
        }
    }

    /// The block of every cell, and the records of the whole group if all cells are ok.
    fn records(self, plan: &Plan, group: &ComparisonGroup, process: u32, observer: &mut dyn Observer) -> Vec<Record> {
        let is_ok = self.all(|status| status == Status::Ok);
        let Self { paired, contradicted } = self;
        let mut records = Vec::new();
        for report in paired.reports {
            let repetition = repetition_of(&report);
            observer.finished(plan, &Finished::of(plan, repetition, &report));
            records.extend(block(plan, repetition, report));
        }
        records.extend(contradicted.into_iter().map(|report| Record::Outcome(report.outcome)));
        if is_ok {
            let pairing = PairingRecord { process, cells: group.cells.clone(), sessions: paired.sessions };
            records.push(Record::Pairing(pairing));
            let is_of_group = |ledger: &LedgerRecord| ledger.process == process && group.cells.contains(&ledger.cell);
            records.extend(paired.ledgers.into_iter().filter(is_of_group).map(Record::Ledger));
        }
        records
    }
}

fn repetition_of(report: &Report) -> Repetition {
    Repetition { cell: report.outcome.cell, process: report.outcome.process }
}

/// One report for each cell of the group: its own, or a failure if the reply has none of it. The worker has replied after `elapsed`.
fn checked(plan: &Plan, group: &ComparisonGroup, process: u32, reports: Vec<Report>, elapsed: Duration) -> Vec<Report> {
    let mut reports = reports.into_iter();
    let report = |cell: &u32| {
        let repetition = Repetition { cell: *cell, process };
        let missing =
            || Report::without_figures(repetition, Status::Failed, "the worker's reply has no report of this cell");
        reports.next().unwrap_or_else(missing).checked(plan, repetition, elapsed)
    };
    group.cells.iter().map(report).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LoadedModule;
    use crate::mock::{Memory, Nobody};
    use crate::plan::tests::{loaded, plan_of};
    use bench_model::{Arm, Checksum, Descriptor, Parameter, Scenario};
    use bench_sink::environment::Witness;
    use bench_sink::runfile::{LookRecord, OutcomeRecord};

    /// Process, cells, seed.
    type Asked = Vec<(u32, Vec<u32>, u64)>;

    /// Notes the requests, and answers with one checksum per arm. The machine stands still in some repetitions.
    struct Mock {
        asked: Asked,
        checksum: fn(cell: u32, process: u32) -> u64,
        stands_still: fn(cell: u32, process: u32) -> bool,
    }

    impl PairedExecutor for Mock {
        fn execute(&mut self, _: &Plan, group: &ComparisonGroup, process: u32, seed: u64) -> Option<PairedReport> {
            self.asked.push((process, group.cells.clone(), seed));
            let report = |cell: &u32| {
                let checksum = Some(Checksum((self.checksum)(*cell, process)));
                let suspended_ns = (self.stands_still)(*cell, process).then_some(1_000_000_000);
                let witness = Some(Witness { wall_ns: 1, suspended_ns, ..Witness::default() });
                Report::ok(Vec::new(), OutcomeRecord { checksum, witness, ..OutcomeRecord::ok(*cell, process) })
            };
            Some(PairedReport { reports: group.cells.iter().map(report).collect(), sessions: 2, ledgers: Vec::new() })
        }

        fn count_usage(&mut self, _: &Plan, repetition: Repetition) -> Option<AccountRecord> {
            // A cell of engine settings is not counted, and a worker may name any cell.
            (repetition.cell > 1).then(|| AccountRecord { cell: 77, ..AccountRecord::default() })
        }
    }

    fn plan() -> Plan {
        let size = Parameter::new("size", 1, "").sweep([1, 2]).between(1, 2);
        let descriptor = Descriptor::new("m", "1", "").scenario(Scenario::new("s", "f", "").parameter(size));
        let [wasm, native] = [Arm::Wasm, Arm::Native].map(|arm| loaded(arm, &descriptor));
        let fuel = LoadedModule { variant: Some("fuel".to_owned()), ..wasm.clone() };
        plan_of(vec![fuel, wasm, native], 1, 7)
    }

    fn check(checksum: fn(u32, u32) -> u64) -> (Asked, Vec<Record>) {
        check_schedule(checksum, &mut FixedRounds { processes: 3, groups: 2 })
    }

    fn check_schedule(checksum: fn(u32, u32) -> u64, schedule: &mut dyn Schedule) -> (Asked, Vec<Record>) {
        check_mock(Mock { asked: Vec::new(), checksum, stands_still: |_, _| false }, schedule)
    }

    fn check_mock(mut mock: Mock, schedule: &mut dyn Schedule) -> (Asked, Vec<Record>) {
        let plan = plan();
        let groups = plan.comparison_groups(|offer| offer.arm == Arm::Native);
        let mut memory = Memory::default();
        let ended =
            run_paired(&plan, &groups, (schedule, 11), &mut mock, &mut memory, &mut Nobody, &Interrupt::new()).unwrap();
        assert_eq!(ended, RunEnd::Complete);
        (mock.asked, memory.blocks.into_iter().flatten().collect())
    }

    #[test]
    fn cells_that_differ_only_in_the_arm_are_grouped_with_the_baseline_first() {
        let plan = plan();
        let cells = |groups: Vec<ComparisonGroup>| groups.into_iter().map(|group| group.cells).collect::<Vec<_>>();
        assert_eq!(cells(plan.comparison_groups(|offer| offer.arm == Arm::Native)), [[4, 2, 0], [5, 3, 1]]);
        assert_eq!(
            cells(plan.comparison_groups(|_| false)),
            [[2, 0, 4], [3, 1, 5]],
            "by arm, the default settings first"
        );
    }

    #[test]
    fn every_process_executes_every_group_once_with_its_own_seed() {
        let (asked, records) = check(|_, _| 1);
        assert_eq!(asked.len(), 6);
        assert!(asked.is_sorted_by_key(|(process, ..)| *process), "a round ends before the next begins");
        let seeds: BTreeSet<_> = asked.iter().map(|(.., seed)| seed).collect();
        assert_eq!(seeds.len(), 6);
        let pairings = records.iter().filter(|record| matches!(record, Record::Pairing(_))).count();
        assert_eq!(pairings, 6);
    }

    /// Three rounds of both groups, then two of the second alone, after a look.
    struct Narrowing;

    impl Schedule for Narrowing {
        fn round(&mut self, process: u32) -> (Vec<usize>, Vec<Record>) {
            match process {
                0..3 => (vec![0, 1], Vec::new()),
                3 => (vec![1], vec![Record::Look(LookRecord { processes: 3, spent: 0.5 })]),
                4 => (vec![1], Vec::new()),
                _ => (Vec::new(), Vec::new()),
            }
        }
    }

    #[test]
    fn round_measures_only_the_scheduled_groups() {
        let (asked, records) = check_schedule(|_, _| 1, &mut Narrowing);
        let of_process = |wanted| asked.iter().filter(|(process, ..)| *process == wanted).count();
        assert_eq!((0..6).map(of_process).collect::<Vec<_>>(), [2, 2, 2, 1, 1, 0]);
        assert!(asked[6..].iter().all(|(_, cells, _)| cells == &[5, 3, 1]), "{asked:?}");
        let looks = records.iter().filter(|record| matches!(record, Record::Look(look) if look.processes == 3)).count();
        assert_eq!(looks, 1);
    }

    #[test]
    fn usage_is_counted_once_with_the_first_process_that_is_kept() {
        let check = |stands_still: fn(u32, u32) -> bool, expect: &[(u32, u32)]| {
            let mock = Mock { asked: Vec::new(), checksum: |_, _| 1, stands_still };
            let (_, records) = check_mock(mock, &mut FixedRounds { processes: 3, groups: 2 });
            let of_account = |r: &Record| if let Record::Account(a) = r { Some((a.cell, a.process)) } else { None };
            let mut counted: Vec<_> = records.iter().filter_map(of_account).collect();
            counted.sort_unstable();
            assert_eq!(counted, expect);
        };
        check(|_, _| false, &[(2, 0), (3, 0), (4, 0), (5, 0)]);
        // Of one group, the second cell is void in the first process, and of the other all are in two.
        check(
            |cell, process| cell == 2 && process == 0 || cell % 2 == 1 && process < 2,
            &[(2, 1), (3, 2), (4, 1), (5, 2)],
        );
        check(|_, _| true, &[]);
    }

    #[test]
    fn group_with_different_results_is_not_tried_again() {
        let (asked, records) = check(|cell, _| u64::from(cell == 4));
        let of_first = asked.iter().filter(|(_, cells, _)| cells.contains(&4)).count();
        assert_eq!((of_first, asked.len()), (1, 4));
        let failed = |record: &&Record| matches!(record, Record::Outcome(o) if o.status == Status::Failed);
        let failed: BTreeSet<_> =
            records.iter().filter(failed).map(|r| if let Record::Outcome(o) = r { o.cell } else { 0 }).collect();
        assert_eq!(failed, BTreeSet::from([0, 2, 4]));
        let paired = records.iter().any(|record| matches!(record, Record::Pairing(p) if p.cells.contains(&4)));
        assert!(!paired);
    }
}
