//! Which cells of a run a target applies to, and which one a baseline is. Knows names and arguments, not a single sample.

use bench_model::{Arguments, Value};
use bench_registry::{Scalar, SeriesName, Target};
use bench_report::{CellView, RunView};

/// What is judged as one: a cell, or the cells that a slope is laid through.
pub(super) type Subject<'a> = Vec<&'a CellView>;

/// Everything in `view` that `target` applies to; for each combination of arguments that it names and the run lacks, why it
/// is not there.
pub(super) fn subjects<'a>(view: &'a RunView, target: &Target) -> Vec<Result<Subject<'a>, String>> {
    let over = target.slope_over.as_deref();
    let named = target.series.arguments.iter().filter(|(name, _)| Some(name.as_str()) != over);
    let mut subjects = Vec::new();
    for combination in combinations(named) {
        let is_wanted = |cell: &&CellView| is_of(&target.series, cell) && has_all(cell, &combination);
        let cells = view.cells.iter().filter(is_wanted);
        let found: Vec<_> = match over {
            None => cells.map(|cell| Ok(vec![cell])).collect(),
            Some(over) => slopes(view, target, over, cells),
        };
        if found.is_empty() {
            let first = over.and_then(|over| Some((over, target.series.arguments.get(over)?.first()?)));
            let lacking: Vec<_> = combination.into_iter().chain(first).collect();
            subjects.push(Err(no_cell(view, &target.series, &lacking)));
        }
        subjects.extend(found);
    }
    subjects
}

/// The cells that differ in the argument `over` alone, together; only those with the values that the target lists, and none
/// of those may be missing.
fn slopes<'a>(
    view: &RunView,
    target: &Target,
    over: &str,
    cells: impl Iterator<Item = &'a CellView>,
) -> Vec<Result<Subject<'a>, String>> {
    let listed = target.series.arguments.get(over).map_or(&[][..], Vec::as_slice);
    let mut groups: Vec<(Arguments, Subject<'a>)> = Vec::new();
    for cell in cells.filter(|cell| listed.is_empty() || listed.iter().any(|value| has(cell, over, value))) {
        let others = without(&cell.arguments, over);
        match groups.iter_mut().find(|(known, _)| *known == others) {
            Some((_, group)) => group.push(cell),
            None => groups.push((others, vec![cell])),
        }
    }
    let whole = |(_, group): (Arguments, Subject<'a>)| {
        let missing = listed.iter().find(|value| !group.iter().any(|cell| has(cell, over, value)));
        match missing {
            Some(value) => Err(no_cell(view, &target.series, &[(over, value)])),
            None => Ok(group),
        }
    };
    groups.into_iter().map(whole).collect()
}

/// The one cell that `baseline` is for `cell` of `target`.
pub(super) fn baseline_cell<'a>(
    view: &'a RunView,
    cell: &CellView,
    target: &SeriesName,
    baseline: &SeriesName,
) -> Result<&'a CellView, String> {
    let is_at_home = baseline.scenario == target.scenario;
    let named: Vec<_> = combinations(baseline.arguments.iter()).pop().unwrap_or_default();
    let is_same = |other: &CellView| {
        let mut inherited = cell.arguments.iter().filter(|(name, _)| !baseline.arguments.contains_key(*name));
        !is_at_home || inherited.all(|(name, value)| other.arguments.get(name) == Some(value))
    };
    let is_wanted = |other: &&CellView| is_of(baseline, other) && has_all(other, &named) && is_same(other);
    let cells: Vec<_> = view.cells.iter().filter(is_wanted).collect();
    match cells[..] {
        [cell] => Ok(cell),
        [] => Err(format!("{} to be held against", no_cell(view, baseline, &named))),
        _ => Err(format!(
            "the run has {} cells {} {}, and a baseline is one; the target must name more of their arguments",
            cells.len(),
            baseline.scenario,
            baseline.arm
        )),
    }
}

/// The names of arguments in which `cells` differ.
pub(super) fn varying<'a>(cells: &[&'a CellView]) -> Vec<&'a str> {
    let Some(first) = cells.first() else { return Vec::new() };
    let differs = |name: &str, value: &Value| cells.iter().any(|cell| cell.arguments.get(name) != Some(value));
    first.arguments.iter().filter(|(name, value)| differs(name, value)).map(|(name, _)| name).collect()
}

/// `arguments` without the one of this name.
pub(super) fn without(arguments: &Arguments, name: &str) -> Arguments {
    arguments.iter().filter(|(known, _)| *known != name).map(|(name, value)| (name, value.clone())).collect()
}

fn is_of(series: &SeriesName, cell: &CellView) -> bool {
    cell.scenario == series.scenario && cell.arm_label() == series.arm
}

type Combination<'a> = Vec<(&'a str, &'a Scalar)>;

fn has_all(cell: &CellView, combination: &Combination<'_>) -> bool {
    combination.iter().all(|(name, value)| has(cell, name, value))
}

/// Whether the cell's argument is what is written, which is read as what the argument is: `1Ki` may be 1024.
fn has(cell: &CellView, name: &str, written: &Scalar) -> bool {
    cell.arguments
        .get(name)
        .is_some_and(|value| Value::parse(value.kind(), &written.to_string()).is_ok_and(|written| written == *value))
}

/// One value of each argument, in every combination.
fn combinations<'a>(named: impl Iterator<Item = (&'a String, &'a Vec<Scalar>)>) -> Vec<Combination<'a>> {
    named.fold(vec![Vec::new()], |combinations, (name, values)| {
        let with = |combination: &Combination<'a>, value| {
            let mut combination = combination.clone();
            combination.push((name.as_str(), value));
            combination
        };
        combinations.iter().flat_map(|combination| values.iter().map(|value| with(combination, value))).collect()
    })
}

fn no_cell(view: &RunView, series: &SeriesName, combination: &[(&str, &Scalar)]) -> String {
    let arguments: String = combination.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    let early = view.missing().map(|missing| format!("; it ended early: {}", missing.reason)).unwrap_or_default();
    format!("the run has no cell {} {}{arguments}{early}", series.scenario, series.arm)
}
