//! The fields of the JSON document of targets, under names that stay.

use super::{TargetResult, bound_name};
use crate::{Data, RunView};
use bench_model::Arguments;
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    run: RunJson<'a>,
    targets: Vec<TargetJson<'a>>,
}

#[derive(Serialize)]
struct RunJson<'a> {
    id: &'a str,
    directory: String,
}

#[derive(Serialize)]
struct TargetJson<'a> {
    set: &'a str,
    name: &'a str,
    summary: &'a str,
    scenario: &'a str,
    arm: &'a str,
    /// Of the cell that is worst; null where nothing was measured, as everything else that was found.
    arguments: Option<Arguments>,
    /// Which of several cells that is.
    at: Option<&'a str>,
    verdict: &'static str,
    /// Why nothing was measured.
    reason: Option<&'a str>,
    unit: String,
    value: Option<f64>,
    bound_kind: &'static str,
    bound: f64,
    margin: Option<f64>,
    samples: Option<u64>,
}

/// The fields of what was held against `view`.
pub(super) fn data(view: &RunView, judged: &[TargetResult]) -> Data {
    let run = RunJson { id: &view.id, directory: view.directory.display().to_string() };
    Data::of(&Document { run, targets: judged.iter().map(target).collect() })
}

fn target(judged: &TargetResult) -> TargetJson<'_> {
    let held = judged.held.as_ref();
    TargetJson {
        set: &judged.set,
        name: &judged.name,
        summary: &judged.summary,
        scenario: &judged.scenario,
        arm: &judged.arm,
        arguments: held.ok().map(|held| held.arguments.clone()),
        at: held.ok().and_then(|held| held.at.as_deref()),
        verdict: judged.verdict().as_str(),
        reason: held.err().map(String::as_str),
        unit: judged.quantity.unit(),
        value: held.ok().map(|held| held.value),
        bound_kind: bound_name(judged.direction),
        bound: judged.bound,
        margin: judged.margin(),
        samples: held.ok().map(|held| held.samples),
    }
}
