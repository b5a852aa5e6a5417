//! Tracks finished repetitions, so that an interrupted run can resume.

use crate::runner::{Results, cell_record};
use crate::{Plan, Repetition};
use bench_sink::runfile::{CellRecord, OutcomeRecord, Record, Status};
use std::collections::BTreeSet;

/// The finished repetitions, and their checksums, with which later ones are compared.
#[derive(Default)]
pub struct Done {
    repetitions: BTreeSet<Repetition>,
    given_up: BTreeSet<u32>,
    /// The cells whose resource usage was counted, or that have the reason why it cannot be.
    counted: BTreeSet<u32>,
    pub(crate) results: Results,
}

/// A record that does not belong to the plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cell {cell}, process {process} is {found} in the run file, which differs from the plan")]
pub struct Misfit {
    /// The number of the cell.
    pub cell: u32,
    /// The number of the repetition.
    pub process: u32,
    /// The cell that the record names.
    pub found: String,
}

impl Done {
    /// The finished repetitions according to `records`, which are whole blocks of a run of `plan`.
    pub fn of(plan: &Plan, records: &[Record]) -> Result<Self, Misfit> {
        let mut done = Self::default();
        let planned: BTreeSet<Repetition> = plan.order.iter().copied().collect();
        let mut counted = Vec::new();
        for record in records {
            match record {
                Record::Cell(record) => fits(plan, record)?,
                Record::Outcome(outcome) => {
                    let repetition = Repetition { cell: outcome.cell, process: outcome.process };
                    if !planned.contains(&repetition) {
                        return Err(misfit(outcome.cell, outcome.process, "a repetition".to_owned()));
                    }
                    if let Some(checksum) = outcome.checksum.filter(|_| outcome.status == Status::Ok) {
                        done.results.note(plan, repetition, checksum);
                    }
                    done.take(outcome);
                }
                Record::Account(usage) => counted.push(Repetition { cell: usage.cell, process: usage.process }),
                _ => {}
            }
        }
        // What was counted for a repetition without an outcome is no part of the run.
        counted.retain(|repetition| done.repetitions.contains(repetition));
        done.counted = counted.iter().map(|repetition| repetition.cell).collect();
        Ok(done)
    }

    /// Adds the outcome of a repetition.
    pub(crate) fn take(&mut self, outcome: &OutcomeRecord) {
        self.repetitions.insert(Repetition { cell: outcome.cell, process: outcome.process });
        if !is_tried_again(outcome.status) {
            self.given_up.insert(outcome.cell);
        }
    }

    /// Whether the resource usage of `cell` has yet to be counted, which is noted as done from now on.
    pub(crate) fn begins_to_count(&mut self, cell: u32) -> bool {
        self.counted.insert(cell)
    }

    /// Leaves out the cells for which `is_left_out`, because another run measures them.
    #[must_use]
    pub fn without(mut self, plan: &Plan, is_left_out: impl Fn(u32) -> bool) -> Self {
        self.given_up.extend((0..plan.cells.len() as u32).filter(|cell| is_left_out(*cell)));
        self
    }

    /// Whether `repetition` has yet to be executed.
    pub fn is_left(&self, repetition: Repetition) -> bool {
        !self.repetitions.contains(&repetition) && !self.given_up.contains(&repetition.cell)
    }
}

/// Whether a cell is executed in later rounds after a repetition with this status. After a void one it is, because the machine may
/// be faster the next time.
pub(crate) fn is_tried_again(status: Status) -> bool {
    matches!(status, Status::Ok | Status::Void)
}

/// Checks that `record` matches the cell that has its number in the plan.
fn fits(plan: &Plan, record: &CellRecord) -> Result<(), Misfit> {
    let repetition = Repetition { cell: record.cell, process: record.process };
    let planned = plan.cells.get(record.cell as usize).map(|_| cell_record(plan, repetition, None, Vec::new()));
    let is_same = |planned: &CellRecord| {
        (&planned.scenario, &planned.arm, &planned.variant, &planned.arguments, &planned.module.sha256)
            == (&record.scenario, &record.arm, &record.variant, &record.arguments, &record.module.sha256)
    };
    if planned.as_ref().is_some_and(is_same) {
        return Ok(());
    }
    let found = format!("{} {} {}", record.scenario, record.arm, record.arguments);
    Err(misfit(record.cell, record.process, found.trim_end().to_owned()))
}

fn misfit(cell: u32, process: u32, found: String) -> Misfit {
    Misfit { cell, process, found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::Nobody;
    use crate::{Executor, Interrupt, LoadedModule, RepetitionEnd, Report, RunEnd, Selection, run};
    use bench_model::{Arm, Checksum, Descriptor, Parameter, Scenario};
    use bench_sink::runfile::{AccountRecord, FILE_NAME, LockedRun, RunFile, RunWriter};
    use std::fs;
    use std::path::{Path, PathBuf};

    /// A deterministic executor: two scenarios succeed, in one the arms disagree, one fails, one is skipped after its first repetition.
    #[derive(Default)]
    struct Mock {
        executed: Vec<Repetition>,
        /// The number of repetitions after which the run is interrupted.
        patience: Option<usize>,
    }

    impl Executor for Mock {
        fn execute(&mut self, plan: &Plan, repetition: Repetition) -> RepetitionEnd {
            if self.patience == Some(self.executed.len()) {
                return RepetitionEnd::Interrupted;
            }
            self.executed.push(repetition);
            let cell = plan.cell(repetition.cell);
            let arm = plan.offer(cell).arm;
            let report = match cell.scenario.name.as_str() {
                "failing" => Report::without_figures(repetition, Status::Failed, "why"),
                "lacking" if repetition.process > 0 => Report::without_figures(repetition, Status::Skipped, "no more"),
                name => {
                    let differs = name == "differing" && arm == Arm::Native && repetition.process > 0;
                    let checksum = Some(Checksum(differs.into()));
                    let end = OutcomeRecord::ok(repetition.cell, repetition.process);
                    Report::ok(Vec::new(), OutcomeRecord { recorded: 10, checksum, ..end })
                }
            };
            RepetitionEnd::Done(Box::new(report))
        }

        fn count_usage(&mut self, _: &Plan, _: Repetition) -> Option<AccountRecord> {
            Some(AccountRecord::default())
        }
    }

    fn plan_of(sizes: &[i64]) -> Plan {
        let mut descriptor = Descriptor::new("m", "1", "");
        for name in ["good", "differing", "failing", "lacking"] {
            let size = Parameter::new("size", sizes[0], "").sweep(sizes.iter().copied());
            descriptor = descriptor.scenario(Scenario::new(name, "f", "").parameter(size));
        }
        let (file, sha256, variant) = (PathBuf::new(), String::new(), None);
        let offer = |arm| LoadedModule {
            file: file.clone(),
            sha256: sha256.clone(),
            arm,
            variant: variant.clone(),
            descriptor: descriptor.clone(),
        };
        let all = Selection { pattern: "*".to_owned(), arms: None, axes: Vec::new() };
        Plan::build(vec![offer(Arm::Wasm), offer(Arm::Native)], &[all], 3, 5).unwrap()
    }

    fn plan() -> Plan {
        plan_of(&[1])
    }

    /// The outcome of each cell in each process, as readers take it: the last record wins.
    fn outcomes(records: &[Record]) -> Vec<(Repetition, Status, u64)> {
        let mut found = std::collections::BTreeMap::new();
        for record in records {
            if let Record::Outcome(outcome) = record {
                let repetition = Repetition { cell: outcome.cell, process: outcome.process };
                found.insert(repetition, (outcome.status, outcome.recorded));
            }
        }
        found.into_iter().map(|(repetition, (status, recorded))| (repetition, status, recorded)).collect()
    }

    /// The cells whose resource usage was counted, in the order of the records.
    fn counted(records: &[Record]) -> Vec<u32> {
        let cell = |record: &Record| if let Record::Account(account) = record { Some(account.cell) } else { None };
        records.iter().filter_map(cell).collect()
    }

    /// Resumes the run in `directory` until it has ended or `patience` repetitions were executed.
    fn go_on(directory: &Path, patience: Option<usize>) -> (RunEnd, Mock) {
        let plan = plan();
        let held = LockedRun::open(directory).unwrap();
        let done = Done::of(&plan, &held.run().records).unwrap();
        let mut writer = held.resume().unwrap();
        let mut mock = Mock { patience, ..Mock::default() };
        let ended = run(&plan, done, &mut mock, &mut writer, &mut Nobody, &Interrupt::new()).unwrap();
        (ended, mock)
    }

    /// A run that was not interrupted, in a folder of its own.
    fn whole(folder: &Path) -> (PathBuf, Mock) {
        let directory = folder.join("run");
        drop(RunWriter::create(&directory).unwrap());
        let (ended, mock) = go_on(&directory, None);
        assert_eq!(ended, RunEnd::Complete);
        (directory, mock)
    }

    #[test]
    fn run_cut_at_any_byte_resumes_to_the_same_result() {
        let folder = tempfile::tempdir().unwrap();
        let (directory, uncut) = whole(folder.path());
        let path = directory.join(FILE_NAME);
        let bytes = fs::read(&path).unwrap();
        let expect = outcomes(&RunFile::read(&directory).unwrap().records);
        // Every byte around each end of a line, and others between.
        let is_near_end = |cut: &usize| bytes[cut.saturating_sub(3)..(cut + 3).min(bytes.len())].contains(&b'\n');
        for cut in (0..=bytes.len()).filter(|cut| is_near_end(cut) || cut % 37 == 0) {
            fs::write(&path, &bytes[..cut]).unwrap();
            let before = outcomes(&LockedRun::open(&directory).unwrap().run().records).len();
            let (_, mock) = go_on(&directory, None);
            let file = RunFile::read(&directory).unwrap();
            assert_eq!((outcomes(&file.records), file.torn), (expect.clone(), None), "cut at {cut}");
            assert!(uncut.executed.ends_with(&mock.executed), "cut at {cut}: the order is the same");
            assert_eq!(
                before + mock.executed.len(),
                uncut.executed.len(),
                "cut at {cut}: finished repetitions are not executed again"
            );
        }
    }

    #[test]
    fn run_interrupted_repeatedly_executes_each_unit_once() {
        let folder = tempfile::tempdir().unwrap();
        let (uncut, all) = whole(folder.path());
        let expect = outcomes(&RunFile::read(&uncut).unwrap().records);
        let directory = folder.path().join("stopped");
        drop(RunWriter::create(&directory).unwrap());
        let mut executed = Vec::new();
        loop {
            let (ended, mock) = go_on(&directory, Some(2));
            executed.extend(mock.executed);
            if ended == RunEnd::Complete {
                break;
            }
        }
        assert_eq!(executed, all.executed);
        let (once, resumed) = (RunFile::read(&uncut).unwrap().records, RunFile::read(&directory).unwrap().records);
        assert_eq!(outcomes(&resumed), expect);
        assert_eq!(counted(&resumed), counted(&once), "usage is not counted again");
        assert_eq!(counted(&once).iter().collect::<BTreeSet<_>>().len(), counted(&once).len());
    }

    #[test]
    fn records_of_another_plan_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (directory, _) = whole(folder.path());
        let records = RunFile::read(&directory).unwrap().records;
        assert!(Done::of(&plan(), &records).is_ok());
        let misfit = Done::of(&plan_of(&[2]), &records).err().unwrap();
        assert!(misfit.to_string().contains("is m/") && misfit.to_string().contains("size=1"), "{misfit}");
        let fewer =
            Plan { order: plan().order.into_iter().filter(|repetition| repetition.process == 0).collect(), ..plan() };
        assert!(Done::of(&fewer, &records).is_err());
        let none = plan().only(&[true]);
        assert!(Done::of(&none, &records).is_err());
    }
}
