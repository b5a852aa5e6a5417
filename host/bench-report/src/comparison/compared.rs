//! One candidate against its baseline, and the verdict.

use crate::cell::arm_label;
use crate::environment;
use bench_model::{Arguments, Arm, Checksum};
use bench_sink::runfile::{ModuleRef, Status};
use bench_stats::{Band, Claim, LEVEL, Look, LookLevels, RatioEstimate, Ratios, Summary, Verdict, holm};
use std::fmt;

/// One of two sides that were run apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The baseline.
    A,
    /// What is compared with it.
    B,
}

/// Who is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// How it was executed.
    pub arm: Arm,
    /// What is unlike the arm's default settings, where something is.
    pub variant: Option<String>,
    /// The module's file, where only that tells it from another.
    pub file: Option<String>,
    /// Of which side, where there are two.
    pub side: Option<Side>,
}

/// One of the two cells that are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its name and arm in tables.
    pub label: Label,
    /// How its cell ended.
    pub status: Status,
    /// Where the code came from, where that is one file.
    pub module: Option<ModuleRef>,
    /// Of one operation's result, where it is the same in every process.
    pub checksum: Option<Checksum>,
    /// Operations a sample spans, or nothing where the processes differ in it.
    pub batch: Option<u64>,
    /// The samples that count, in nanoseconds an operation; none where the compared is not ok.
    pub summary: Option<Summary>,
    /// What disturbed its repetitions, a text each. Not escaped.
    pub disturbances: Vec<String>,
}

/// A candidate against its baseline: the same scenario with the same arguments.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// `module/scenario`.
    pub scenario: String,
    /// Groups scenarios.
    pub family: String,
    /// With what both were executed.
    pub arguments: Arguments,
    /// What the other is compared with.
    pub baseline: Candidate,
    /// Who is compared.
    pub candidate: Candidate,
    /// Ok where both were measured together, failed where either failed, otherwise skipped.
    pub status: Status,
    /// Why it is not ok; or, of one that is, why it has no ratio or why fewer processes count than both have.
    pub reason: Option<String>,
    /// How many pairs of samples count; of two sides, how many samples the side with fewer has. None where it is not ok.
    pub pairs: Option<u64>,
    /// How many processes count; of two sides, how many the side with fewer has. None where it is not ok.
    pub processes: Option<u32>,
    /// The ratio and the verdict; none where it is not ok, and none of a single process.
    pub figures: Option<Figures>,
    /// What the counts of both say of the ratio.
    pub note: Option<String>,
}

/// How candidate and baseline differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Candidate over baseline, in the time of an operation.
    pub ratios: Ratios,
    /// Each against itself, where it had two interleaved sessions.
    pub aa: Vec<(Label, RatioEstimate)>,
    /// How far from 1 the same code comes out.
    pub band: Option<Band>,
    /// Of the ratio of medians being 1, adjusted for all that are judged; none where the verdict is withheld, or was found by looks.
    pub p_different: Option<f64>,
    /// Of the ratio of medians lying outside the margin, adjusted in the same way.
    pub p_equivalent: Option<f64>,
    /// What may be claimed of the ratio of medians.
    pub verdict: Verdict,
    /// The level of its intervals: of a comparison that was measured until it was decided, one that holds at every look.
    pub level: f64,
}

/// What a compared's samples say, before there is a verdict.
pub(super) struct Measured {
    pub(super) ratios: Ratios,
    pub(super) aa: Vec<(Label, RatioEstimate)>,
    pub(super) band: Option<Band>,
}

/// A compared without its verdict.
pub(super) struct Draft {
    pub(super) compared: Comparison,
    pub(super) measured: Option<Measured>,
    /// The counts that are not the same on both sides, where any were counted on both.
    pub(super) moved: Option<Vec<String>>,
}

/// The comparisons with their verdicts, which depend on how many there are.
pub(super) fn judge(drafts: Vec<Draft>, delta: f64) -> Vec<Comparison> {
    let claims: Vec<Claim> = drafts.iter().filter_map(|draft| draft.measured.as_ref()).map(claim).collect();
    let verdicts = bench_stats::judge(&claims, delta);
    let p_different = adjusted(&claims, &verdicts, RatioEstimate::p_different);
    let p_equivalent = adjusted(&claims, &verdicts, |estimate| estimate.p_equivalent(delta));
    let mut judged = p_different.into_iter().zip(p_equivalent).zip(verdicts);
    let mut figures = |Measured { ratios, aa, band }| {
        let ((p_different, p_equivalent), verdict) = judged.next()?;
        Some(Figures { ratios, aa, band, p_different, p_equivalent, verdict, level: LEVEL })
    };
    let judged = drafts.into_iter().map(|draft| {
        let figures = draft.measured.and_then(&mut figures);
        let note = note(figures.as_ref().map(|figures| figures.verdict), draft.moved.as_deref());
        Comparison { figures, note, ..draft.compared }
    });
    judged.collect()
}

/// The compared with the verdict at the last of its `looks`, one of `rows` that are judged in the same way.
pub(super) fn judge_look(draft: Draft, delta: f64, looks: &[Look], rows: usize) -> Comparison {
    let figures = draft.measured.map(|measured| {
        let levels = LookLevels::at_last(looks, rows);
        let (verdict, level) = (bench_stats::judge_look(&claim(&measured), delta, &levels), levels.of_interval());
        let Measured { ratios, aa, band } = measured;
        Figures { ratios, aa, band, p_different: None, p_equivalent: None, verdict, level }
    });
    let note = note(figures.as_ref().map(|figures| figures.verdict), draft.moved.as_deref());
    Comparison { figures, note, ..draft.compared }
}

/// The p values of the claims that are judged, by which their verdicts were found: the others do not count among how many
/// there are.
fn adjusted(claims: &[Claim], verdicts: &[Verdict], p: impl Fn(&RatioEstimate) -> f64) -> Vec<Option<f64>> {
    let is_judged = |verdict: &Verdict| *verdict != Verdict::Withheld;
    let judged = claims.iter().zip(verdicts).filter(|(_, verdict)| is_judged(verdict));
    let mut adjusted = holm(&judged.map(|(claim, _)| p(&claim.estimate)).collect::<Vec<_>>()).into_iter();
    verdicts.iter().map(|verdict| is_judged(verdict).then(|| adjusted.next()).flatten()).collect()
}

/// What counts that moved, or did not, say of the time.
fn note(verdict: Option<Verdict>, moved: Option<&[String]>) -> Option<String> {
    match (verdict, moved?) {
        (Some(Verdict::Different), []) => Some("time moved and counts did not: environment or layout".to_owned()),
        (_, []) => None,
        (_, moved) => Some(format!("{} an operation", moved.join(", "))),
    }
}

fn claim(measured: &Measured) -> Claim {
    Claim {
        estimate: measured.ratios.medians,
        band: measured.band,
        pairs: measured.ratios.pairs,
        processes: measured.ratios.processes,
    }
}

impl Comparison {
    /// Who is compared with whom: `wasm / native`, or `wasm: B / A`. Not escaped.
    pub fn title(&self) -> String {
        match (self.candidate.label.side, self.baseline.label.side) {
            (Some(candidate), Some(baseline)) => {
                format!("{}: {candidate} / {baseline}", arm_label(self.candidate.label.arm, self.variant()))
            }
            _ => format!("{} / {}", self.candidate.label, self.baseline.label),
        }
    }

    /// What may be claimed; of a single process, nothing. None where it is not ok.
    pub fn verdict(&self) -> Option<Verdict> {
        match (&self.figures, self.status) {
            (Some(figures), _) => Some(figures.verdict),
            (None, Status::Ok) => Some(Verdict::Withheld),
            (None, _) => None,
        }
    }

    /// What disturbed the repetitions of both, or those of one, which is then named. Not escaped.
    pub fn disturbances(&self) -> Vec<String> {
        let both = [&self.baseline, &self.candidate];
        if both[0].disturbances == both[1].disturbances {
            return both[0].disturbances.clone();
        }
        let of = |one: &Candidate| -> Vec<String> {
            one.disturbances.iter().map(|what| format!("{}: {what}", one.label)).collect()
        };
        both.into_iter().flat_map(of).collect()
    }

    /// What follows the verdict on a ratio that carries a warning; empty where there is no ratio, or nothing disturbed it.
    pub(crate) fn mark(&self) -> String {
        let is_disturbed = [&self.baseline, &self.candidate].iter().any(|one| !one.disturbances.is_empty());
        if self.figures.is_some() && is_disturbed { format!(", {}", environment::MARK) } else { String::new() }
    }

    fn variant(&self) -> Option<&str> {
        self.candidate.label.variant.as_deref()
    }

    /// Why there is no figure, or fewer than there could be, beyond what the cells say of themselves.
    pub(super) fn own_reason(&self) -> Option<&str> {
        let are_ok = [&self.baseline, &self.candidate].iter().all(|candidate| candidate.status == Status::Ok);
        self.reason.as_deref().filter(|_| are_ok)
    }
}

/// `wasm`, `wasm+fuel`, `wasm (b.wasm)`, `wasm A`; not escaped.
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&arm_label(self.arm, self.variant.as_deref()))?;
        self.file.iter().try_for_each(|file| write!(f, " ({file})"))?;
        self.side.iter().try_for_each(|side| write!(f, " {side}"))
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}
