//! The arms of one run that measured them interleaved: from its records to pairs of samples.

use super::compared::{Comparison, Draft, Measured, judge, judge_look};
use super::compared_cell::{ComparedCell, Measurement, draft, single_process};
use super::ladder::ladders;
use super::samples::Samples;
use super::{ComparisonReport, Label, OneSided, Options, Runs, by_work, counts, equal_range};
use crate::parallel::in_parallel;
use crate::{CellView, ReportError, RunView};
use bench_sink::runfile::{PairingRecord, RunFile, Status};
use bench_stats::{Band, Distribution, Look, Summary, Verdict, paired_ratios};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn compare(file: RunFile, options: &Options) -> Result<ComparisonReport, ReportError> {
    let samples = Samples::in_order(&file);
    let view = RunView::of(file)?;
    if view.pairings.is_empty() && view.cells.chunk_by(is_same_work).any(are_all_well) {
        return Err(ReportError::NotPaired { directory: view.directory });
    }
    let reader = Reader::new(&view, &samples, options.seed);
    let (mut pairs, mut one_sided) = (Vec::new(), Vec::new());
    for cell in &view.cells {
        match reader.baseline(cell) {
            Some(baseline) if baseline.cell == cell.cell && reader.has_contenders(cell) => {}
            Some(baseline) if baseline.cell == cell.cell => one_sided.push(reader.alone(cell)),
            Some(baseline) => pairs.push((baseline.cell, cell.cell)),
            None => one_sided.push(reader.alone(cell)),
        }
    }
    let ladders = ladders(&view, &mut pairs, |cell| reader.baseline(cell).map(|baseline| baseline.cell));
    let cells = |(baseline, candidate): &(u32, u32)| Some((reader.cell(*baseline)?, reader.cell(*candidate)?));
    let pairs: Vec<(&CellView, &CellView)> = pairs.iter().filter_map(cells).collect();
    let comparisons = if view.looks.is_empty() {
        judge(in_parallel(&pairs, |pair| reader.draft(*pair, u32::MAX)), options.delta)
    } else {
        in_parallel(&pairs, |pair| reader.judge_looks(*pair, options.delta, pairs.len()))
    };
    let subjects: Vec<ComparedCell> = view.cells.iter().map(|cell| reader.subject(cell)).collect();
    Ok(ComparisonReport {
        comparisons,
        ledgers: subjects.iter().filter_map(ComparedCell::ledger).collect(),
        accounts: subjects.iter().filter_map(ComparedCell::account).collect(),
        one_sided,
        ladders,
        options: *options,
        across_machines: None,
        runs: Runs::Paired(Box::new(view)),
    })
}

/// The cells that one process measured interleaved, with as many samples of each as all of them have.
struct Round<'a> {
    process: u32,
    cells: &'a [u32],
    sessions: usize,
    samples: Vec<&'a [f64]>,
}

impl<'a> Round<'a> {
    fn samples_of(&self, cell: u32) -> Option<&'a [f64]> {
        self.cells.iter().position(|known| *known == cell).map(|index| self.samples[index])
    }

    /// Sample by sample: the sessions of both arms are interleaved in the same way.
    fn pairs(&self, baseline: u32, candidate: u32) -> Option<Vec<(f64, f64)>> {
        let (baseline, candidate) = (self.samples_of(baseline)?, self.samples_of(candidate)?);
        Some(baseline.iter().copied().zip(candidate.iter().copied()).collect())
    }

    /// The first session of a cell against its second, in every whole block.
    fn with_itself(&self, cell: u32) -> Option<Vec<(f64, f64)>> {
        let blocks = self.samples_of(cell)?.chunks_exact(self.sessions.max(1));
        blocks.map(|block| Some((*block.first()?, *block.get(1)?))).collect()
    }
}

struct Reader<'a> {
    view: &'a RunView,
    samples: &'a Samples,
    seed: u64,
    cells: BTreeMap<u32, &'a CellView>,
    /// The turns that each cell took part in.
    pairings: BTreeMap<u32, Vec<&'a PairingRecord>>,
    /// The place of each cell in the order in which they were first written.
    written: BTreeMap<u32, usize>,
}

impl<'a> Reader<'a> {
    fn new(view: &'a RunView, samples: &'a Samples, seed: u64) -> Self {
        let mut pairings: BTreeMap<u32, Vec<&PairingRecord>> = BTreeMap::new();
        for record in &view.pairings {
            for cell in record.cells.iter().collect::<BTreeSet<_>>() {
                pairings.entry(*cell).or_default().push(record);
            }
        }
        let cells = view.cells.iter().map(|cell| (cell.cell, cell)).collect();
        let written = view.written.iter().enumerate().map(|(place, cell)| (*cell, place)).collect();
        Self { view, samples, seed, cells, pairings, written }
    }

    /// The turns that both cells took part in.
    fn turns(&self, baseline: u32, candidate: u32) -> impl Iterator<Item = &'a PairingRecord> {
        let of_baseline = self.pairings.get(&baseline).into_iter().flatten().copied();
        of_baseline.filter(move |record| record.cells.contains(&candidate))
    }

    /// What `cell` is compared with: the first cell of the turns it took part in. A cell that took part in none, because one
    /// of them failed before, is compared with what was written first, which is the same.
    fn baseline(&self, cell: &CellView) -> Option<&'a CellView> {
        let group = self.group(cell);
        let of_turns = |cell: &CellView| {
            let first = self.pairings.get(&cell.cell)?.first()?.cells.first()?;
            group.iter().find(|other| other.cell == *first)
        };
        let place = |cell: &&CellView| self.written.get(&cell.cell).copied();
        let written_first = || group.iter().min_by_key(place).filter(|_| group.len() > 1);
        of_turns(cell).or_else(|| group.iter().find_map(of_turns)).or_else(written_first)
    }

    /// The cells that do the same work as `cell`, itself among them. They stand next to each other.
    fn group(&self, cell: &CellView) -> &'a [CellView] {
        let work = (cell.scenario.as_str(), &cell.arguments);
        equal_range(&self.view.cells, |other| by_work((other.scenario.as_str(), &other.arguments), work))
    }

    fn has_contenders(&self, baseline: &CellView) -> bool {
        self.group(baseline).len() > 1
    }

    /// The compared without its verdict, by the processes below `processes`.
    fn draft(&self, (baseline, candidate): (&CellView, &CellView), processes: u32) -> Draft {
        let drafted = draft(&self.subject(baseline), &self.subject(candidate), || {
            let mut rounds = self.rounds(baseline.cell, candidate.cell);
            rounds.retain(|round| round.process < processes);
            let none = || self.why_none(baseline, candidate);
            let mut measured = self.measure(&rounds, baseline, candidate).ok_or_else(none)?;
            measured.reason = measured.reason.or_else(|| left_out(rounds.len(), baseline, candidate, processes));
            Ok(measured)
        });
        Draft { moved: self.moved(baseline, candidate), ..drafted }
    }

    /// The compared with the verdict of the first look that decides it, or else of the last one.
    fn judge_looks(&self, (baseline, candidate): (&CellView, &CellView), delta: f64, rows: usize) -> Comparison {
        let counted: Vec<u32> = self.rounds(baseline.cell, candidate.cell).iter().map(|round| round.process).collect();
        let mut looks: Vec<Look> = Vec::new();
        let mut judged = None;
        for record in &self.view.looks {
            let information = counted.iter().filter(|process| **process < record.processes).count() as f64;
            // A group that is not measured further is not looked at again.
            // The machine may have stood still in all of its processes so far.
            if looks.last().map_or(0.0, |last| last.information) >= information {
                continue;
            }
            looks.push(Look { spent: record.spent, information });
            let compared = judge_look(self.draft((baseline, candidate), record.processes), delta, &looks, rows);
            if matches!(compared.verdict(), Some(Verdict::Different | Verdict::Equivalent)) {
                return compared;
            }
            judged = Some(compared);
        }
        judged.unwrap_or_else(|| judge_look(self.draft((baseline, candidate), u32::MAX), delta, &[], rows))
    }

    /// The counts that moved from one build of a component to another. That none did says nothing: its code is another.
    fn moved(&self, baseline: &CellView, candidate: &CellView) -> Option<Vec<String>> {
        let are_builds = baseline.arm == candidate.arm && baseline.module.sha256 != candidate.module.sha256;
        let accounts = [baseline, candidate].map(|cell| self.subject(cell).account());
        let [Some(baseline), Some(candidate)] = accounts else { return None };
        counts::moved(&baseline.account, &candidate.account).filter(|moved| are_builds && !moved.is_empty())
    }

    fn measure(&self, rounds: &[Round<'_>], baseline: &CellView, candidate: &CellView) -> Option<Measurement> {
        let pairs: Vec<_> = rounds.iter().filter_map(|round| round.pairs(baseline.cell, candidate.cell)).collect();
        let measured = self.ratios(rounds, &pairs, [baseline, candidate]);
        let count = pairs.iter().map(Vec::len).sum::<usize>();
        // A single process has figures to show, though no ratio; what has neither was not measured together.
        let is_shown = measured.is_some() || (rounds.len() == 1 && count > 0);
        let summary = |cell: &CellView| {
            let samples = rounds.iter().filter_map(|round| round.samples_of(cell.cell)).flatten().copied();
            Summary::of(&Distribution::of_samples(samples))
        };
        is_shown.then(|| Measurement {
            reason: measured.is_none().then(single_process),
            summaries: [summary(baseline), summary(candidate)],
            pairs: measured.as_ref().map_or(count as u64, |measured| measured.ratios.pairs),
            processes: measured.as_ref().map_or(1, |measured| measured.ratios.processes),
            measured,
        })
    }

    fn ratios(&self, rounds: &[Round<'_>], pairs: &[Vec<(f64, f64)>], cells: [&CellView; 2]) -> Option<Measured> {
        let ratios = paired_ratios(pairs, self.seed)?;
        let with_itself = |cell: &CellView| {
            let turns: Option<Vec<_>> = rounds.iter().map(|round| round.with_itself(cell.cell)).collect();
            Some((self.label(cell), paired_ratios(&turns?, self.seed)?.medians))
        };
        let aa: Vec<_> = cells.into_iter().filter_map(with_itself).collect();
        let band = Band::of(&aa.iter().map(|(_, estimate)| *estimate).collect::<Vec<_>>());
        Some(Measured { ratios, aa, band })
    }

    /// What counts: the processes in which every cell of the turns ended well.
    fn rounds(&self, baseline: u32, candidate: u32) -> Vec<Round<'a>> {
        self.turns(baseline, candidate).filter_map(|record| self.round(record)).collect()
    }

    fn round(&self, record: &'a PairingRecord) -> Option<Round<'a>> {
        let samples = |cell: &u32| {
            let ended_well = self.cell(*cell)?.ended_well.contains(&record.process);
            self.samples.of(*cell, record.process).filter(|_| ended_well)
        };
        let all: Vec<&[f64]> = record.cells.iter().map(samples).collect::<Option<_>>()?;
        let shortest = all.iter().map(|samples| samples.len()).min()?;
        let samples = all.into_iter().map(|samples| &samples[..shortest]).collect();
        Some(Round { process: record.process, cells: &record.cells, sessions: record.sessions as usize, samples })
    }

    /// Why two cells that are well have no ratio.
    fn why_none(&self, baseline: &CellView, candidate: &CellView) -> (Status, String) {
        let records = || self.turns(baseline.cell, candidate.cell);
        let is_well = |cell: &u32, process| self.cell(*cell).is_some_and(|cell| cell.ended_well.contains(&process));
        if records().next().is_none() {
            return (Status::Skipped, format!("it was not interleaved with {}", self.label(baseline)));
        }
        let mut well =
            records().filter(|record| record.cells.iter().all(|cell| is_well(cell, record.process))).peekable();
        if well.peek().is_none() {
            let reason = "there is no process in which all interleaved arms ended well";
            return (Status::Skipped, reason.to_owned());
        }
        let keeps_all =
            |record: &PairingRecord| record.cells.iter().all(|c| self.samples.of(*c, record.process).is_some());
        let (status, reason) = match well.any(keeps_all) {
            true => (Status::Void, "there are too few pairs with a time above 0; measure for longer (`--time`)"),
            false => (
                Status::Skipped,
                "there are too many samples for their order to be kept; measure for a shorter time (`--time`)",
            ),
        };
        (status, reason.to_owned())
    }

    fn cell(&self, number: u32) -> Option<&'a CellView> {
        self.cells.get(&number).copied()
    }

    fn alone(&self, cell: &CellView) -> OneSided {
        let cut = || self.view.missing().map(|missing| format!("no other arm of it was run: {}", missing.reason));
        OneSided {
            scenario: cell.scenario.clone(),
            arguments: cell.arguments.clone(),
            label: self.label(cell),
            reason: cut().unwrap_or_else(|| "no other arm of it was run; add one with `--arm`".to_owned()),
        }
    }

    fn label(&self, cell: &CellView) -> Label {
        let file = self.view.has_twin(cell).then(|| cell.module.file.clone());
        Label { arm: cell.arm, variant: cell.variant.clone(), file, side: None }
    }

    fn subject(&self, cell: &CellView) -> ComparedCell {
        ComparedCell::of(cell, self.label(cell))
    }
}

/// Such cells are paired where they were interleaved; where one of them did not end well they never are.
fn are_all_well(cells: &[CellView]) -> bool {
    cells.iter().all(|cell| cell.status == Status::Ok)
}

fn is_same_work(a: &CellView, b: &CellView) -> bool {
    a.scenario == b.scenario && a.arguments == b.arguments
}

/// Said where a third candidate is why processes of two that are well do not count.
fn left_out(counted: usize, baseline: &CellView, candidate: &CellView, processes: u32) -> Option<String> {
    let both = baseline.ended_well.intersection(&candidate.ended_well).filter(|process| **process < processes).count();
    (counted < both).then(|| {
        format!(
            "{counted} of {both} processes count: in the others a candidate that was interleaved with them did not end well"
        )
    })
}
