//! A cell of a comparison, from one run or from several runs of a side: its labels and figures, without samples.

use super::compared::{Draft, Measured};
use super::{Candidate, Comparison, Label, LedgerView, SubjectAccount};
use crate::cell::Identity;
use crate::environment::Disturbed;
use crate::{AccountView, CellView, account};
use bench_model::{Arguments, Checksum};
use bench_sink::runfile::{AccountRecord, LedgerRecord, ModuleRef, Status};
use bench_stats::{PROCESSES_MIN, Summary};

#[derive(Clone, Debug)]
pub(super) struct ComparedCell {
    pub(super) scenario: String,
    pub(super) family: String,
    pub(super) arguments: Arguments,
    pub(super) label: Label,
    /// Failed where any run's cell failed, otherwise ok where any is.
    pub(super) status: Status,
    /// Why it is not ok.
    pub(super) reason: Option<String>,
    /// Every module it was executed from.
    pub(super) modules: Vec<ModuleRef>,
    /// Every checksum it had.
    pub(super) checksums: Vec<Checksum>,
    /// Operations a sample spans, by run; nothing in one where its processes differ in it.
    batches: Vec<Option<u64>>,
    account: Option<AccountRecord>,
    ledgers: Vec<LedgerRecord>,
    disturbed: Disturbed,
}

/// What the samples of two subjects say.
pub(super) struct Measurement {
    /// The ratio; none of a single process.
    pub(super) measured: Option<Measured>,
    /// Of the baseline and of the candidate.
    pub(super) summaries: [Option<Summary>; 2],
    pub(super) pairs: u64,
    pub(super) processes: u32,
    /// What a reader must know of it, where there is something.
    pub(super) reason: Option<String>,
}

/// Why a single process has no ratio, and what to do.
pub(super) fn single_process() -> String {
    format!(
        "a ratio needs two processes and a verdict {PROCESSES_MIN}; measure with `--processes {PROCESSES_MIN}` or more"
    )
}

impl ComparedCell {
    pub(super) fn of(cell: &CellView, label: Label) -> Self {
        Self {
            scenario: cell.scenario.clone(),
            family: cell.family.clone(),
            arguments: cell.arguments.clone(),
            label,
            status: cell.status,
            reason: cell.reason.clone().filter(|_| cell.status != Status::Ok),
            modules: vec![cell.module.clone()],
            checksums: cell.checksum.into_iter().collect(),
            batches: cell.timed().map(|timed| timed.batch).into_iter().collect(),
            account: cell.account.clone(),
            ledgers: cell.ledgers.clone(),
            disturbed: Disturbed::of(cell),
        }
    }

    /// Takes what a further run of the same side says of the cell.
    pub(super) fn add(&mut self, cell: &CellView) {
        if rank(cell.status) > rank(self.status) {
            self.status = cell.status;
            self.reason = cell.reason.clone().filter(|_| cell.status != Status::Ok);
        }
        if !self.modules.contains(&cell.module) {
            self.modules.push(cell.module.clone());
        }
        if let Some(checksum) = cell.checksum.filter(|checksum| !self.checksums.contains(checksum)) {
            self.checksums.push(checksum);
        }
        self.batches.extend(cell.timed().map(|timed| timed.batch));
        self.account = account::merge(self.account.take().into_iter().chain(cell.account.clone()));
        self.ledgers.extend(cell.ledgers.iter().cloned());
        self.disturbed.add(&Disturbed::of(cell));
    }

    pub(super) fn identity(&self) -> Identity<'_> {
        (&self.scenario, &self.arguments, self.label.arm, self.label.variant.as_deref())
    }

    /// Its ledger, where it has one and its figures count.
    pub(super) fn ledger(&self) -> Option<LedgerView> {
        let ledgers = Some(&self.ledgers).filter(|_| self.status == Status::Ok)?;
        LedgerView::of(&self.scenario, &self.arguments, self.label.clone(), ledgers)
    }

    /// Its account, where it has one and its figures count.
    pub(super) fn account(&self) -> Option<SubjectAccount> {
        let account = self.account.as_ref().filter(|_| self.status == Status::Ok)?;
        Some(SubjectAccount {
            scenario: self.scenario.clone(),
            arguments: self.arguments.clone(),
            label: self.label.clone(),
            account: AccountView::of(account),
        })
    }

    fn candidate(&self, summary: Option<Summary>) -> Candidate {
        let batch = self.batches.first().copied().flatten();
        let only = |all: &[ModuleRef]| (all.len() == 1).then(|| all[0].clone());
        Candidate {
            label: self.label.clone(),
            status: self.status,
            module: only(&self.modules),
            checksum: self.checksums.first().filter(|_| self.checksums.len() == 1).copied(),
            batch: batch.filter(|batch| self.batches.iter().all(|other| *other == Some(*batch))),
            summary,
            disturbances: self.disturbed.texts(),
        }
    }
}

/// The compared of two subjects. Where both are ok, `measure` finds the ratio, or says how it ends without one and why.
pub(super) fn draft(
    baseline: &ComparedCell,
    candidate: &ComparedCell,
    measure: impl FnOnce() -> Result<Measurement, (Status, String)>,
) -> Draft {
    let ended = match worse(baseline.status, candidate.status) {
        Status::Ok => measure(),
        status => Err((status, why_not_ok(&[baseline, candidate]))),
    };
    let (status, reason, found) = match ended {
        Ok(found) => (Status::Ok, found.reason.clone(), Some(found)),
        Err((status, reason)) => (status, Some(reason), None),
    };
    let counts = found.as_ref().map(|found| (found.pairs, found.processes));
    let (measured, [of_baseline, of_contender]) =
        found.map_or((None, [None, None]), |found| (found.measured, found.summaries));
    let compared = Comparison {
        scenario: candidate.scenario.clone(),
        family: candidate.family.clone(),
        arguments: candidate.arguments.clone(),
        baseline: baseline.candidate(of_baseline),
        candidate: candidate.candidate(of_contender),
        status,
        reason,
        pairs: counts.map(|(pairs, _)| pairs),
        processes: counts.map(|(_, processes)| processes),
        figures: None,
        note: None,
    };
    Draft { compared, measured, moved: None }
}

/// What decides the status of several cells ranks higher.
fn rank(status: Status) -> u8 {
    match status {
        Status::Skipped => 0,
        Status::Void => 1,
        Status::Ok => 2,
        Status::Failed => 3,
    }
}

/// Of two that are both needed.
fn worse(a: Status, b: Status) -> Status {
    let order = [Status::Failed, Status::Void, Status::Skipped];
    order.into_iter().find(|status| [a, b].contains(status)).unwrap_or(Status::Ok)
}

/// The reasons of those that are not ok, each once.
fn why_not_ok(subjects: &[&ComparedCell]) -> String {
    let mut reasons: Vec<(String, &str)> = Vec::new();
    for subject in subjects.iter().filter(|subject| subject.status != Status::Ok) {
        let reason = subject.reason.as_deref().unwrap_or("no reason was given");
        match reasons.iter_mut().find(|(_, known)| *known == reason) {
            Some((labels, _)) => labels.push_str(&format!(", {}", subject.label)),
            None => reasons.push((subject.label.to_string(), reason)),
        }
    }
    let texts: Vec<String> = reasons.into_iter().map(|(labels, reason)| format!("{labels}: {reason}")).collect();
    texts.join("; ")
}
