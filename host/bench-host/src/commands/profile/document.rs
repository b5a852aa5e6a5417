//! The tables of profiled cells: the functions of each, and which of them take longer in one arm than in another.

use super::recorder::Recorder;
use bench_model::{Arguments, Arm};
use bench_profile::{Owner, Profile, difference, functions};
use bench_report::{Body, Column, Data, Datum, Document, Measure, Rank, Section, Table, scale};
use serde::Serialize;
use std::path::Path;

/// Functions of a cell that people are shown; formats for programs have all.
const FUNCTIONS_SHOWN: usize = 12;

/// A function with a smaller share of the time of both arms is not shown to people.
const SHARE_MIN: f64 = 0.005;

/// A cell, and what the profiler found.
#[derive(Debug)]
pub(super) struct ProfiledCell {
    /// Scenario, arm and arguments.
    pub(super) name: String,
    pub(super) scenario: String,
    pub(super) arm: Arm,
    pub(super) arguments: Arguments,
    /// The samples, or why there are none.
    pub(super) profile: Result<Profile, String>,
    /// The operations that the samples span.
    pub(super) operations: u64,
    /// The names of the files that were written.
    pub(super) files: Vec<String>,
}

#[derive(Serialize)]
struct CellFields<'a> {
    scenario: &'a str,
    arm: Arm,
    arguments: &'a Arguments,
    reason: Option<&'a str>,
    samples: usize,
    operations: u64,
    total_ns: u64,
    own_ns: Vec<(&'static str, u64)>,
    functions: Vec<FunctionFields>,
    files: &'a [String],
}

#[derive(Serialize)]
struct FunctionFields {
    name: String,
    owner: &'static str,
    own_ns: u64,
    total_ns: u64,
    samples: u64,
}

#[derive(Serialize)]
struct DifferenceFields<'a> {
    scenario: &'a str,
    arguments: &'a Arguments,
    baseline: Arm,
    candidate: Arm,
    baseline_matched: f64,
    candidate_matched: f64,
    functions: Vec<DifferenceRow>,
}

#[derive(Serialize)]
struct DifferenceRow {
    name: String,
    baseline_ns: Option<f64>,
    candidate_ns: Option<f64>,
    ratio: Option<f64>,
}

/// The document of the cells whose files are in `directory`.
pub(super) fn document(cells: &[ProfiledCell], recorder: &Recorder, directory: &Path) -> Document {
    let pairs = pairs(cells);
    let fields = serde_json::json!({
        "directory": directory.display().to_string(),
        "method": recorder.about(),
        "cells": cells.iter().map(cell_fields).collect::<Vec<_>>(),
        "differences": pairs.iter().map(|pair| difference_fields(*pair)).collect::<Vec<_>>(),
    });
    let mut sections: Vec<Section> = cells.iter().filter_map(cell_section).collect();
    sections.extend(pairs.iter().map(|pair| difference_section(*pair)));
    let skipped =
        cells.iter().filter_map(|cell| cell.profile.as_ref().err().map(|why| format!("{}: {why}", cell.name)));
    let restriction = recorder.restriction().map(|why| format!("only components are profiled: {why}"));
    sections.push(Section::warnings(restriction.into_iter().chain(skipped).collect()));
    sections.push(Section::footer(vec![
        recorder.about(),
        format!("flame graphs (.svg), stacks (.folded) and files for profiler.firefox.com: {}", directory.display()),
    ]));
    Document { data: Data::of(&fields), records: None, sections }
}

/// Cells of the same scenario and arguments in two arms: the arm wasm last, as the candidate.
fn pairs(cells: &[ProfiledCell]) -> Vec<(&ProfiledCell, &ProfiledCell)> {
    let candidates = cells.iter().filter(|cell| is_of_arm(cell, true));
    let pairs = candidates.flat_map(|candidate| {
        let baselines = cells.iter().filter(move |cell| is_of_arm(cell, false) && is_same(cell, candidate));
        baselines.map(move |baseline| (baseline, candidate))
    });
    pairs.collect()
}

/// Whether the cell has samples, and is of the arm wasm or not.
fn is_of_arm(cell: &ProfiledCell, is_wasm: bool) -> bool {
    (cell.arm == Arm::Wasm) == is_wasm && cell.profile.is_ok()
}

fn is_same(a: &ProfiledCell, b: &ProfiledCell) -> bool {
    a.scenario == b.scenario && a.arguments == b.arguments
}

fn cell_fields(cell: &ProfiledCell) -> CellFields<'_> {
    let profile = cell.profile.as_ref().ok();
    let function = |time: bench_profile::FunctionTime| FunctionFields {
        name: time.function.name,
        owner: time.function.owner.as_str(),
        own_ns: time.own_ns,
        total_ns: time.total_ns,
        samples: time.samples,
    };
    CellFields {
        scenario: &cell.scenario,
        arm: cell.arm,
        arguments: &cell.arguments,
        reason: cell.profile.as_ref().err().map(String::as_str),
        samples: profile.map_or(0, |profile| profile.samples.len()),
        operations: cell.operations,
        total_ns: profile.map_or(0, Profile::total_ns),
        own_ns: profile.map_or_else(Vec::new, |profile| {
            Owner::ALL.iter().map(|owner| (owner.as_str(), profile.own_ns(*owner))).collect()
        }),
        functions: profile.map_or_else(Vec::new, |profile| functions(profile).into_iter().map(function).collect()),
        files: &cell.files,
    }
}

/// The functions that ran most; none where the cell has no profile.
fn cell_section(cell: &ProfiledCell) -> Option<Section> {
    let profile = cell.profile.as_ref().ok()?;
    let total = profile.total_ns().max(1) as f64;
    let columns = vec![
        Column::figures("own"),
        Column::figures("total"),
        Column::figures("n"),
        Column::words("code"),
        Column::words("function"),
    ];
    let rows = functions(profile).into_iter().filter(|time| time.own_ns > 0).take(FUNCTIONS_SHOWN).map(|time| {
        vec![
            Datum::number(time.own_ns as f64 / total, Measure::Share),
            Datum::number(time.total_ns as f64 / total, Measure::Share),
            Datum::count(time.samples as f64),
            Datum::text(time.function.owner.as_str()),
            Datum::text(time.function.name),
        ]
    });
    let shares: Vec<String> = Owner::ALL
        .iter()
        .map(|owner| format!("{} {}", owner.as_str(), scale::percent(profile.own_ns(*owner) as f64 / total)))
        .collect();
    let remark = format!(
        "{} of processor time, n {} samples, {} operations: {}",
        scale::nanoseconds(total),
        profile.samples.len(),
        scale::count(cell.operations as f64),
        shares.join(", ")
    );
    let table = Table::plain(columns, rows.collect());
    Some(Section::new("functions", cell.name.clone(), Body::Table(table)).in_data().with_remarks(vec![remark]))
}

fn compared((baseline, candidate): (&ProfiledCell, &ProfiledCell)) -> Option<bench_profile::Difference> {
    let of = |cell: &ProfiledCell| cell.operations.max(1) as f64;
    let (below, above) = (baseline.profile.as_ref().ok()?, candidate.profile.as_ref().ok()?);
    Some(difference((below, of(baseline)), (above, of(candidate))))
}

fn difference_fields<'a>(pair: (&'a ProfiledCell, &'a ProfiledCell)) -> Option<DifferenceFields<'a>> {
    let found = compared(pair)?;
    let row = |one: bench_profile::FunctionDifference| DifferenceRow {
        ratio: one.ratio(),
        name: one.name,
        baseline_ns: one.baseline_ns,
        candidate_ns: one.candidate_ns,
    };
    Some(DifferenceFields {
        scenario: &pair.0.scenario,
        arguments: &pair.0.arguments,
        baseline: pair.0.arm,
        candidate: pair.1.arm,
        baseline_matched: found.baseline_matched,
        candidate_matched: found.candidate_matched,
        functions: found.functions.into_iter().map(row).collect(),
    })
}

fn difference_section(pair: (&ProfiledCell, &ProfiledCell)) -> Section {
    let (baseline, candidate) = pair;
    let name = format!("{} {}", baseline.scenario, baseline.arguments);
    let title = format!("{}: {} / {}, by function", name.trim_end(), candidate.arm, baseline.arm);
    let found = compared(pair);
    let per_operation =
        |cell: &ProfiledCell| cell.profile.as_ref().map_or(0, Profile::total_ns) as f64 / cell.operations.max(1) as f64;
    let floor = SHARE_MIN * per_operation(baseline).max(per_operation(candidate));
    let nanoseconds = |ns: Option<f64>| ns.map_or(Datum::Absent, Datum::nanoseconds);
    let columns = vec![
        Column::figures("ratio"),
        Column::figures(baseline.arm.to_string()).key("baseline"),
        Column::figures(candidate.arm.to_string()).key("candidate"),
        Column::figures("more").key("change").rank(Rank::Extra(1)),
        Column::words("function"),
    ];
    let shown = found.iter().flat_map(|found| &found.functions);
    let shown =
        shown.filter(|one| one.baseline_ns.unwrap_or_default().max(one.candidate_ns.unwrap_or_default()) >= floor);
    let rows = shown.take(FUNCTIONS_SHOWN).map(|one| {
        vec![
            Datum::or_absent(one.ratio().map(|ratio| Datum::number(ratio, Measure::Ratio))),
            nanoseconds(one.baseline_ns),
            nanoseconds(one.candidate_ns),
            Datum::nanoseconds(one.change_ns()),
            Datum::text(&one.name),
        ]
    });
    let table = Table::plain(columns, rows.collect());
    let remarks = found.as_ref().map(|found| {
        format!(
            "own time of an operation; matched by name: {} of the time of {}, {} of that of {}; the rest is in functions that only one arm \
             has, or that were inlined in one",
            scale::percent(found.baseline_matched),
            baseline.arm,
            scale::percent(found.candidate_matched),
            candidate.arm
        )
    });
    Section::new("difference", title, Body::Table(table)).in_data().with_remarks(remarks.into_iter().collect())
}
