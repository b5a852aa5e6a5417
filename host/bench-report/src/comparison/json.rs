//! The fields of the JSON document of a comparison, under names that stay.

use super::ladder::p50;
use super::notes::comparison_notes;
use super::{
    Candidate, Comparison, ComparisonReport, Figures, Label, LadderView, LedgerTerm, LedgerView, Mean, OneSided,
    RungView, Runs, SubjectAccount,
};
use crate::json::{self, AccountJson, RunJson, figure, significant};
use crate::{AccountView, Data};
use bench_model::{Arguments, Checksum};
use bench_sink::runfile::{ModuleRef, Status};
use bench_stats::{LEVEL, RatioEstimate, Verdict};
use serde::Serialize;
use serde_json::Number;

/// The fields of `comparison`. What is absent is null.
pub(super) fn data(comparison: &ComparisonReport) -> Data {
    Data::of(&Document {
        run: match &comparison.runs {
            Runs::Paired(run) => RunsJson::Paired(Box::new(json::run(run))),
            Runs::Sides { a, b } => {
                RunsJson::Sides { a: a.iter().map(json::run).collect(), b: b.iter().map(json::run).collect() }
            }
        },
        delta: comparison.options.delta,
        level: LEVEL,
        seed: comparison.options.seed,
        across_machines: comparison.across_machines.as_deref(),
        comparisons: comparison.comparisons.iter().map(|one| compared(comparison, one)).collect(),
        one_sided: comparison.one_sided.iter().map(one_sided).collect(),
        ladders: comparison.ladders.iter().map(|one| ladder(one, &comparison.comparisons)).collect(),
        ledgers: comparison.ledgers.iter().map(ledger).collect(),
        accounts: comparison.accounts.iter().map(account).collect(),
        notes: comparison_notes(comparison, false),
    })
}

#[derive(Serialize)]
struct Document<'a> {
    run: RunsJson<'a>,
    delta: f64,
    level: f64,
    seed: u64,
    /// Null where both sides were measured on one machine.
    across_machines: Option<&'a str>,
    comparisons: Vec<ComparisonJson<'a>>,
    one_sided: Vec<OneSidedJson<'a>>,
    /// Left out where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ladders: Vec<LadderJson<'a>>,
    ledgers: Vec<LedgerJson<'a>>,
    accounts: Vec<SubjectJson<'a>>,
    notes: Vec<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RunsJson<'a> {
    Paired(Box<RunJson<'a>>),
    Sides { a: Vec<RunJson<'a>>, b: Vec<RunJson<'a>> },
}

#[derive(Serialize)]
struct LabelJson<'a> {
    arm: &'static str,
    variant: Option<&'a str>,
    /// Left out where one run was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<String>,
}

#[derive(Serialize)]
struct CandidateJson<'a> {
    #[serde(flatten)]
    label: LabelJson<'a>,
    module: Option<&'a ModuleRef>,
    /// Left out where the file does not name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    compiler: Option<&'a str>,
    checksum: Option<Checksum>,
    samples: Option<u64>,
    batch: Option<u64>,
    p50_ns: Option<Number>,
    mean_ns: Option<Number>,
    /// What the machine did meanwhile that makes the figures doubtful; left out where nothing was seen.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    disturbances: &'a [String],
}

#[derive(Serialize)]
struct ComparisonJson<'a> {
    scenario: &'a str,
    family: &'a str,
    arguments: Arguments,
    baseline: CandidateJson<'a>,
    #[serde(rename = "contender")]
    candidate: CandidateJson<'a>,
    status: Status,
    reason: Option<&'a str>,
    pairs: Option<u64>,
    processes: Option<u32>,
    ratio_of_medians: Option<RatioJson>,
    ratio_of_means: Option<RatioJson>,
    aa: Vec<AaJson<'a>>,
    band: Option<BandJson>,
    p_different: Option<Number>,
    p_equivalent: Option<Number>,
    verdict: Option<&'static str>,
    /// Of the intervals, where it is not that of the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_level: Option<Number>,
    more_pairs: Option<u64>,
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct RatioJson {
    ratio: Option<Number>,
    low: Option<Number>,
    high: Option<Number>,
}

#[derive(Serialize)]
struct AaJson<'a> {
    #[serde(flatten)]
    label: LabelJson<'a>,
    #[serde(flatten)]
    ratio: RatioJson,
}

#[derive(Serialize)]
struct BandJson {
    low: Option<Number>,
    high: Option<Number>,
}

#[derive(Serialize)]
struct OneSidedJson<'a> {
    scenario: &'a str,
    arguments: Arguments,
    #[serde(flatten)]
    label: LabelJson<'a>,
    reason: &'a str,
}

#[derive(Serialize)]
struct LadderJson<'a> {
    scenario: &'a str,
    arguments: Arguments,
    /// The rung that the others are compared with.
    baseline: Option<&'a str>,
    rungs: Vec<RungJson<'a>>,
}

/// Null where the rung was skipped, and of the first rung.
#[derive(Serialize)]
struct RungJson<'a> {
    rung: &'a str,
    step: &'a str,
    p50_ns: Option<Number>,
    ratio_to_previous: Option<RatioJson>,
    verdict_to_previous: Option<&'static str>,
    ratio_to_baseline: Option<RatioJson>,
    verdict_to_baseline: Option<&'static str>,
    /// The same, where native code is the baseline.
    ratio_to_native: Option<RatioJson>,
    verdict_to_native: Option<&'static str>,
    skipped: Option<&'a str>,
}

#[derive(Serialize)]
struct LedgerJson<'a> {
    scenario: &'a str,
    arguments: Arguments,
    #[serde(flatten)]
    label: LabelJson<'a>,
    total_ns: MeanJson,
    terms: Vec<TermJson<'a>>,
    residual_share: Option<Number>,
    once: Vec<TermJson<'a>>,
    boundary: Vec<TermJson<'a>>,
    observed_ns: MeanJson,
    event_ns: MeanJson,
    events: Option<Number>,
    batch: Option<u64>,
    operations: u64,
    processes: u32,
}

/// Without bounds where there is one process.
#[derive(Serialize)]
struct MeanJson {
    mean: Option<Number>,
    low: Option<Number>,
    high: Option<Number>,
}

#[derive(Serialize)]
struct TermJson<'a> {
    name: &'a str,
    ns: MeanJson,
    /// Left out where the time is not part of an operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<Number>,
}

#[derive(Serialize)]
struct SubjectJson<'a> {
    scenario: &'a str,
    arguments: Arguments,
    #[serde(flatten)]
    label: LabelJson<'a>,
    #[serde(flatten)]
    account: AccountJson,
}

fn label(label: &Label) -> LabelJson<'_> {
    LabelJson {
        arm: label.arm.as_str(),
        variant: label.variant.as_deref(),
        side: label.side.map(|side| side.to_string()),
    }
}

fn compared<'a>(comparison: &'a ComparisonReport, compared: &'a Comparison) -> ComparisonJson<'a> {
    let figures = compared.figures.as_ref();
    let number = |of: fn(&Figures) -> Option<f64>| figures.and_then(of).and_then(significant);
    ComparisonJson {
        scenario: &compared.scenario,
        family: &compared.family,
        arguments: compared.arguments.clone(),
        baseline: candidate(comparison, &compared.baseline),
        candidate: candidate(comparison, &compared.candidate),
        status: compared.status,
        reason: compared.reason.as_deref(),
        pairs: compared.pairs,
        processes: compared.processes,
        ratio_of_medians: figures.map(|figures| ratio(&figures.ratios.medians, figures.level)),
        ratio_of_means: figures.map(|figures| ratio(&figures.ratios.means, figures.level)),
        aa: figures.map(with_themselves).unwrap_or_default(),
        band: figures
            .and_then(|figures| figures.band)
            .map(|band| BandJson { low: significant(band.low()), high: significant(band.high()) }),
        p_different: number(|figures| figures.p_different),
        p_equivalent: number(|figures| figures.p_equivalent),
        verdict: compared.verdict().map(verdict),
        interval_level: number(|figures| Some(figures.level).filter(|level| *level != LEVEL)),
        more_pairs: figures.and_then(|figures| match figures.verdict {
            Verdict::Undecided { more_pairs } => Some(more_pairs),
            _ => None,
        }),
        note: compared.note.as_deref(),
    }
}

fn with_themselves(figures: &Figures) -> Vec<AaJson<'_>> {
    figures.aa.iter().map(|(of, estimate)| AaJson { label: label(of), ratio: ratio(estimate, LEVEL) }).collect()
}

fn candidate<'a>(comparison: &'a ComparisonReport, candidate: &'a Candidate) -> CandidateJson<'a> {
    let summary = candidate.summary.as_ref();
    CandidateJson {
        label: label(&candidate.label),
        module: candidate.module.as_ref(),
        compiler: comparison.compiler(candidate),
        checksum: candidate.checksum,
        samples: summary.map(|summary| summary.count),
        batch: candidate.batch,
        p50_ns: summary.and_then(|summary| summary.p50).and_then(figure),
        mean_ns: summary.and_then(|summary| figure(summary.mean)),
        disturbances: &candidate.disturbances,
    }
}

fn ratio(estimate: &RatioEstimate, level: f64) -> RatioJson {
    let interval = estimate.interval(level);
    RatioJson {
        ratio: significant(interval.estimate),
        low: significant(interval.low),
        high: significant(interval.high),
    }
}

/// As documents name it.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Different => "different",
        Verdict::Equivalent => "equivalent",
        Verdict::Undecided { .. } => "undecided",
        Verdict::Withheld => "withheld",
    }
}

fn one_sided(alone: &OneSided) -> OneSidedJson<'_> {
    OneSidedJson {
        scenario: &alone.scenario,
        arguments: alone.arguments.clone(),
        label: label(&alone.label),
        reason: &alone.reason,
    }
}

fn ladder<'a>(ladder: &'a LadderView, comparisons: &[Comparison]) -> LadderJson<'a> {
    let medians = |index: Option<usize>| {
        let figures = comparisons.get(index?)?.figures.as_ref()?;
        Some(ratio(&figures.ratios.medians, figures.level))
    };
    let judged = |index: Option<usize>| comparisons.get(index?)?.verdict().map(verdict);
    let rung = |rung: &'a RungView| RungJson {
        rung: &rung.name,
        step: &rung.step,
        p50_ns: p50(rung, ladder, comparisons).and_then(figure),
        ratio_to_previous: medians(rung.to_previous),
        verdict_to_previous: judged(rung.to_previous),
        ratio_to_baseline: medians(rung.to_baseline),
        verdict_to_baseline: judged(rung.to_baseline),
        ratio_to_native: medians(rung.to_baseline.filter(|_| ladder.is_to_native())),
        verdict_to_native: judged(rung.to_baseline.filter(|_| ladder.is_to_native())),
        skipped: rung.skipped.as_deref(),
    };
    LadderJson {
        scenario: &ladder.scenario,
        arguments: ladder.arguments.clone(),
        baseline: ladder.baseline.as_deref(),
        rungs: ladder.rungs.iter().map(rung).collect(),
    }
}

fn ledger(ledger: &LedgerView) -> LedgerJson<'_> {
    LedgerJson {
        scenario: &ledger.scenario,
        arguments: ledger.arguments.clone(),
        label: label(&ledger.label),
        total_ns: mean(ledger.total),
        terms: ledger.terms.iter().map(term).collect(),
        residual_share: ledger.residual_share().and_then(significant),
        once: ledger.once.iter().map(term).collect(),
        boundary: ledger.boundary.iter().map(term).collect(),
        observed_ns: mean(ledger.observed),
        event_ns: mean(ledger.event),
        events: significant(ledger.events),
        batch: ledger.batch,
        operations: ledger.operations,
        processes: ledger.processes,
    }
}

fn term(term: &LedgerTerm) -> TermJson<'_> {
    TermJson { name: &term.name, ns: mean(term.ns), share: term.share.and_then(significant) }
}

fn mean(mean: Mean) -> MeanJson {
    MeanJson {
        mean: figure(mean.mean),
        low: mean.bounds.and_then(|(low, _)| figure(low)),
        high: mean.bounds.and_then(|(_, high)| figure(high)),
    }
}

fn account(subject: &SubjectAccount) -> SubjectJson<'_> {
    SubjectJson {
        scenario: &subject.scenario,
        arguments: subject.arguments.clone(),
        label: label(&subject.label),
        account: AccountJson::of(AccountView::clone(&subject.account)),
    }
}
