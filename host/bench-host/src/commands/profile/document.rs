//! The tables of profiled cells: the functions of each, and which of them take longer in one arm than in another.

use super::recorder::Recorder;
use super::source::Source;
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
    pub(super) profile: Result<Profile, NoProfile>,
    /// The operations that the samples span.
    pub(super) operations: u64,
    /// The names of the files that were written.
    pub(super) files: Vec<String>,
}

/// Why a cell has no profile.
#[derive(Clone, Debug)]
pub(super) struct NoProfile {
    pub(super) reason: String,
    /// Whether the cell failed. Otherwise it was not run, or the profiler saw nothing of it.
    pub(super) is_failed: bool,
}

impl NoProfile {
    /// The cell failed.
    pub(super) fn failed(reason: String) -> Self {
        Self { reason, is_failed: true }
    }

    /// The cell was not run, or the profiler saw nothing of it.
    pub(super) fn not_seen(reason: String) -> Self {
        Self { reason, is_failed: false }
    }
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
pub(super) fn document(cells: &[ProfiledCell], recorder: &Recorder, source: &Source, directory: &Path) -> Document {
    let pairs = pairs(cells);
    let fields = serde_json::json!({
        "directory": directory.display().to_string(),
        "method": recorder.about(),
        "fingerprint": source.fingerprint,
        "seed": source.seed,
        "cells": cells.iter().map(cell_fields).collect::<Vec<_>>(),
        "differences": pairs.iter().map(|pair| difference_fields(*pair)).collect::<Vec<_>>(),
    });
    let mut sections: Vec<Section> = cells.iter().filter_map(cell_section).collect();
    sections.extend(pairs.iter().map(|pair| difference_section(*pair)));
    let skipped =
        cells.iter().filter_map(|cell| Some(format!("{}: {}", cell.name, cell.profile.as_ref().err()?.reason)));
    let restriction = recorder.restriction().map(|why| format!("only components are profiled: {why}"));
    sections.push(Section::warnings(restriction.into_iter().chain(skipped).collect()));
    sections.push(Section::footer(vec![
        recorder.about(),
        source.line(),
        format!("flame graphs (.svg), stacks (.folded) and files for profiler.firefox.com: {}", directory.display()),
    ]));
    Document { data: Data::of(&fields), records: None, sections }
}

/// Cells with samples of the same scenario and arguments in two arms: the first of them is the baseline, unless that is the component.
fn pairs(cells: &[ProfiledCell]) -> Vec<(&ProfiledCell, &ProfiledCell)> {
    let sampled: Vec<&ProfiledCell> = cells.iter().filter(|cell| cell.profile.is_ok()).collect();
    let mut pairs = Vec::new();
    for (index, first) in sampled.iter().enumerate() {
        for second in sampled[index + 1..].iter().filter(|cell| cell.arm != first.arm && is_same(cell, first)) {
            pairs.push(if first.arm == Arm::Wasm { (*second, *first) } else { (*first, *second) });
        }
    }
    pairs
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
        reason: cell.profile.as_ref().err().map(|none| none.reason.as_str()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use bench_profile::{Frame, Sample};
    use bench_report::{Json, Layout, Renderer, Text};
    use bench_sink::fingerprint::Fingerprint;
    use std::path::PathBuf;

    /// So many samples of a stack, a millisecond each; the caller first.
    fn samples(count: usize, stack: &[(&str, Owner)]) -> Vec<Sample> {
        let frame = |(name, owner): &(&str, Owner)| Frame { name: (*name).to_owned(), owner: *owner };
        let frames = stack.iter().map(frame).collect();
        vec![Sample { thread: 1, time_ns: 0, weight_ns: 1_000_000, frames }; count]
    }

    fn cell(scenario: &str, arm: Arm, operations: u64, profile: Result<Vec<Sample>, &str>) -> ProfiledCell {
        let arguments: Arguments = [("n", 1_i64)].into_iter().collect();
        ProfiledCell {
            name: format!("{scenario} {arm} {arguments}"),
            scenario: scenario.to_owned(),
            arm,
            arguments,
            profile: profile.map(|samples| Profile { samples }).map_err(|why| NoProfile::not_seen(why.to_owned())),
            operations,
            files: Vec::new(),
        }
    }

    /// A scenario in two arms, and a cell that timed nothing.
    fn cells() -> [ProfiledCell; 3] {
        let (call, parse) = (("call", Owner::Host), ("json::parse", Owner::Guest));
        let wasm = [
            samples(6, &[call, parse]),
            samples(3, &[call, parse, ("json::hash", Owner::Guest)]),
            samples(1, &[call, ("page_fault", Owner::Kernel)]),
        ];
        let native = [samples(8, &[call, parse]), samples(2, &[call, ("memcpy", Owner::Host)])];
        [
            cell("kernels/json-parse", Arm::Wasm, 10, Ok(wasm.concat())),
            cell("kernels/json-parse", Arm::Native, 20, Ok(native.concat())),
            cell("kernels/sort", Arm::Native, 0, Err("it timed no operation")),
        ]
    }

    fn source() -> Source {
        let fingerprint = Fingerprint {
            host_version: "0.1.0".to_owned(),
            os: "linux".to_owned(),
            kernel: "6.1.0".to_owned(),
            cpu_model: Some("A Processor".to_owned()),
            cpus: 2,
            ..Fingerprint::default()
        };
        Source { fingerprint, seed: 7 }
    }

    fn shown(recorder: &Recorder, renderer: &dyn Renderer) -> String {
        let document = document(&cells(), recorder, &source(), Path::new("results/x-profile"));
        renderer.render(&document, &Layout::default())
    }

    #[test]
    fn people_read_functions_and_their_difference() {
        let expect = [
            "kernels/json-parse wasm n=1",
            "   own  total  n  code    function",
            "  60 %   90 %  6  guest   json::parse",
            "  30 %   30 %  3  guest   json::hash",
            "  10 %   10 %  1  kernel  page_fault",
            "  10.0 ms of processor time, n 10 samples, 10 operations: guest 90 %, host 0 %, kernel 10 %",
            "",
            "kernels/json-parse native n=1",
            "   own  total  n  code   function",
            "  80 %   80 %  8  guest  json::parse",
            "  20 %   20 %  2  host   memcpy",
            "  10.0 ms of processor time, n 10 samples, 20 operations: guest 80 %, host 20 %, kernel 0 %",
            "",
            "kernels/json-parse n=1: wasm / native, by function",
            "  ratio  native    wasm     more  function",
            "      –       –  300 µs   300 µs  json::hash",
            "   1.5×  400 µs  600 µs   200 µs  json::parse",
            "      –  100 µs       –  -100 µs  memcpy",
            "      –       –  100 µs   100 µs  page_fault",
            "  own time of an operation; matched by name: 80 % of the time of native, 60 % of that of wasm; \
             the rest is in functions that only one arm has, or that were inlined in one",
            "",
            "kernels/sort native n=1: it timed no operation",
            "",
            "perf, event cpu-clock, 997 samples a second of processor time; loading and warming up are included; \
             stacks can end in host code, which has no frame pointers",
            "A Processor × 2, linux 6.1.0; bench-host 0.1.0; seed 7",
            "flame graphs (.svg), stacks (.folded) and files for profiler.firefox.com: results/x-profile",
        ];
        let text = shown(&Recorder::Perf(PathBuf::from("perf")), &Text);
        assert_eq!(text.lines().collect::<Vec<_>>(), expect, "{text}");
    }

    #[test]
    fn machine_without_perf_is_told_what_is_lacking() {
        let text = shown(&Recorder::Guest("there is no `perf`".to_owned()), &Text);
        assert!(text.lines().any(|line| line == "only components are profiled: there is no `perf`"), "{text}");
        assert!(text.contains("\nthe engine's own samples, one a 1 ms; they see components only"), "{text}");
    }

    #[test]
    fn programs_read_figures_in_base_units_and_where_they_come_from() {
        let text = shown(&Recorder::Perf(PathBuf::from("perf")), &Json);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&document["seed"], &document["fingerprint"]["cpu_model"]), (&7.into(), &"A Processor".into()));
        let cells = document["cells"].as_array().unwrap();
        let parse = serde_json::json!(
            {"name": "json::parse", "owner": "guest", "own_ns": 6_000_000, "total_ns": 9_000_000, "samples": 6});
        assert_eq!((&cells[0]["functions"][0], &cells[0]["total_ns"]), (&parse, &10_000_000.into()));
        assert_eq!((&cells[2]["samples"], &cells[2]["reason"]), (&0.into(), &"it timed no operation".into()));
        let [difference] = &document["differences"].as_array().unwrap()[..] else { panic!("{document:#}") };
        let hash = serde_json::json!(
            {"name": "json::hash", "baseline_ns": null, "candidate_ns": 300_000.0, "ratio": null});
        assert_eq!((&difference["functions"][0], &difference["candidate_matched"]), (&hash, &0.6.into()));
    }
}
