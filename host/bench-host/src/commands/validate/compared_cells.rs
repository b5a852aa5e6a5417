//! Finds the cells of a run that a target applies to, and the cell that is their baseline, by names and arguments.

use bench_model::{Arguments, Value};
use bench_registry::{SeriesName, Target};
use bench_report::{CellView, RunView};

/// Why a target has no value.
#[derive(Clone, Debug)]
pub(super) struct Unmeasured {
    pub(super) reason: String,
    /// The run has no cell of what the target is about; another run may.
    pub(super) lacks_cell: bool,
}

impl From<String> for Unmeasured {
    fn from(reason: String) -> Self {
        Self { reason, lacks_cell: false }
    }
}

/// What has one value: a cell, or the cells of a slope.
pub(super) type ComparedCells<'a> = Vec<&'a CellView>;

/// All subjects in `view` that `target` applies to; for each combination of arguments that the run lacks, the reason.
pub(super) fn subjects<'a>(view: &'a RunView, target: &Target) -> Vec<Result<ComparedCells<'a>, Unmeasured>> {
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

/// Groups the cells that differ only in the argument `over`. Only values that the target lists are taken, and none of them may
/// be missing.
fn slopes<'a>(
    view: &RunView,
    target: &Target,
    over: &str,
    cells: impl Iterator<Item = &'a CellView>,
) -> Vec<Result<ComparedCells<'a>, Unmeasured>> {
    let listed = target.series.arguments.get(over).map_or(&[][..], Vec::as_slice);
    let mut groups: Vec<(Arguments, ComparedCells<'a>)> = Vec::new();
    for cell in cells.filter(|cell| listed.is_empty() || listed.iter().any(|value| has(cell, over, value))) {
        let others = without(&cell.arguments, over);
        match groups.iter_mut().find(|(known, _)| *known == others) {
            Some((_, group)) => group.push(cell),
            None => groups.push((others, vec![cell])),
        }
    }
    let whole = |(_, group): (Arguments, ComparedCells<'a>)| {
        let missing = listed.iter().find(|value| !group.iter().any(|cell| has(cell, over, value)));
        match missing {
            Some(value) => Err(no_cell(view, &target.series, &[(over, value)])),
            None => Ok(group),
        }
    };
    groups.into_iter().map(whole).collect()
}

/// The cell that is the `baseline` of `cell` for `target`.
pub(super) fn baseline_cell<'a>(
    view: &'a RunView,
    cell: &CellView,
    target: &SeriesName,
    baseline: &SeriesName,
) -> Result<&'a CellView, Unmeasured> {
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
        [] => {
            let lacking = no_cell(view, baseline, &named);
            Err(Unmeasured { reason: format!("{} as baseline", lacking.reason), ..lacking })
        }
        _ => Err(Unmeasured::from(format!(
            "the run has {} cells {} {}, but a baseline is one cell; name more of its arguments in the target",
            cells.len(),
            baseline.scenario,
            baseline.arm
        ))),
    }
}

/// The names of arguments in which `cells` differ.
pub(super) fn varying<'a>(cells: &[&'a CellView]) -> Vec<&'a str> {
    Arguments::varying(&cells.iter().map(|cell| &cell.arguments).collect::<Vec<_>>())
}

/// `arguments` without the argument of this name.
pub(super) fn without(arguments: &Arguments, name: &str) -> Arguments {
    arguments.iter().filter(|(known, _)| *known != name).map(|(name, value)| (name, value.clone())).collect()
}

fn is_of(series: &SeriesName, cell: &CellView) -> bool {
    cell.scenario == series.scenario && cell.arm_label() == series.arm
}

type Combination<'a> = Vec<(&'a str, &'a Value)>;

fn has_all(cell: &CellView, combination: &Combination<'_>) -> bool {
    combination.iter().all(|(name, value)| has(cell, name, value))
}

/// Whether the text denotes the cell's argument, parsed as the argument's kind: `1Ki` is 1024 if it is a number.
fn has(cell: &CellView, name: &str, written: &Value) -> bool {
    cell.arguments
        .get(name)
        .is_some_and(|value| Value::parse(value.kind(), &written.to_string()).is_ok_and(|written| written == *value))
}

/// All combinations of one value per argument.
fn combinations<'a>(named: impl Iterator<Item = (&'a String, &'a Vec<Value>)>) -> Vec<Combination<'a>> {
    named.fold(vec![Vec::new()], |combinations, (name, values)| {
        let with = |combination: &Combination<'a>, value| {
            let mut combination = combination.clone();
            combination.push((name.as_str(), value));
            combination
        };
        combinations.iter().flat_map(|combination| values.iter().map(|value| with(combination, value))).collect()
    })
}

fn no_cell(view: &RunView, series: &SeriesName, combination: &[(&str, &Value)]) -> Unmeasured {
    let arguments: String = combination.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    let early = view.missing().map(|missing| format!("; it ended early: {}", missing.reason)).unwrap_or_default();
    let reason = format!("the run has no cell {} {}{arguments}{early}", series.scenario, series.arm);
    Unmeasured { reason, lacks_cell: true }
}
