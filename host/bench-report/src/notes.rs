//! The notes below a table: one line for each problem, and then what was measured and on which machine. Not escaped.

use crate::text::number;
use crate::{CellView, Drift, RunView, environment, escape, scale};
use bench_model::Steadiness;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::Status;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// One line for each problem; none if there are none. Cells that share a reason share a line, below which
/// they are listed where `all_cells`.
pub(crate) fn notes(view: &RunView, all_cells: bool) -> Vec<String> {
    let drifts = view.drifts();
    troubles(view, all_cells).into_iter().chain(drifts.iter().map(drift_note)).collect()
}

/// The notes of a run but those on the machine's limits.
pub(crate) fn troubles(view: &RunView, all_cells: bool) -> Vec<String> {
    let disturbances = environment::disturbances(std::slice::from_ref(view), all_cells);
    own_troubles(view, all_cells).into_iter().chain(disturbances).collect()
}

/// The notes of a run but those on the machine's limits, and on repetitions that it disturbed.
pub(crate) fn own_troubles(view: &RunView, all_cells: bool) -> Vec<String> {
    let refused = view
        .modules
        .iter()
        .filter_map(|module| Some(format!("{}: refused: {}", module.file, module.refused.as_deref()?)));
    let missing = missing(view);
    // The note about missing cells says so too, but there is none if only later processes of some cells are missing.
    let cut = cut(view).filter(|_| missing.is_none());
    let torn = view.torn.map(|torn| {
        format!("line {} of the run file was never finished; its {} bytes are left out", torn.line, torn.bytes)
    });
    let cells = cell_notes(view, all_cells);
    refused.chain(cells).chain(missing).chain(cut).chain(torn).chain(environment::warnings(view)).collect()
}

/// Why the run is not whole; nothing of a shard, whose other cells are in other shards.
pub(crate) fn incomplete(view: &RunView) -> Option<String> {
    missing(view).filter(|_| view.interrupted().is_some() || view.elsewhere().is_none()).or_else(|| cut(view))
}

fn missing(view: &RunView) -> Option<String> {
    let missing = view.missing()?;
    Some(format!("{} of {} cells were not run: {}", missing.cells, missing.planned, missing.reason))
}

fn cut(view: &RunView) -> Option<String> {
    view.interrupted().map(|reason| format!("the run did not end: {reason}"))
}

pub(crate) fn drift_note(drift: &Drift) -> String {
    format!(
        "{} drifted by {:+.0} % during the run: {} before, {} after; compare figures with care",
        drift.limit,
        drift.share * 100.0,
        scale::figure(drift.before, &drift.unit),
        scale::figure(drift.after, &drift.unit),
    )
}

/// What has to be said of cells.
fn cell_notes(view: &RunView, all_cells: bool) -> Vec<String> {
    let reasons = view.cells.iter().flat_map(|cell| reasons_of(cell).map(move |reason| (cell, reason)));
    grouped(view, reasons, all_cells)
}

/// Each of `reasons` once, in the order of the first cell that has it. Reasons of void cells, which differ in what was measured, are one.
pub(crate) fn grouped<'a>(
    view: &RunView,
    reasons: impl IntoIterator<Item = (&'a CellView, String)>,
    all_cells: bool,
) -> Vec<String> {
    let keyed = reasons.into_iter().map(|(cell, reason)| {
        let key = if cell.status == Status::Void { without_numbers(&reason) } else { reason.clone() };
        (key, (cell, reason))
    });
    alike(keyed).iter().flat_map(|(_, group)| lines_of_group(view, group, all_cells)).collect()
}

/// The items of equal keys together, in the order of the first of each.
pub(crate) fn alike<K: Clone + Eq + Hash, T>(items: impl IntoIterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    let mut places: HashMap<K, usize> = HashMap::new();
    for (key, item) in items {
        let place = *places.entry(key).or_insert_with_key(|key| {
            groups.push((key.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(item);
    }
    groups
}

/// `text` with `#` in place of each number.
fn without_numbers(text: &str) -> String {
    let is_of_number = |letter: char| letter.is_ascii_digit() || letter == '.';
    let mut shape = String::new();
    for letter in text.chars() {
        match is_of_number(letter) {
            true if shape.ends_with('#') => {}
            true => shape.push('#'),
            false => shape.push(letter),
        }
    }
    shape
}

/// The lines of cells whose reasons are alike: one for all that have the same, or for all unless `all_cells`.
fn lines_of_group(view: &RunView, group: &[(&CellView, String)], all_cells: bool) -> Vec<String> {
    let cells: Vec<&CellView> = group.iter().map(|(cell, _)| *cell).collect();
    let Some((_, first)) = group.first() else { return Vec::new() };
    match group.iter().all(|(_, reason)| reason == first) {
        true => lines_of(view, first, &cells, all_cells),
        false if all_cells => group.iter().flat_map(|(cell, reason)| lines_of(view, reason, &[cell], true)).collect(),
        false => lines_of(view, &format!("{first}, and the like"), &cells, false),
    }
}

fn reasons_of(cell: &CellView) -> impl Iterator<Item = String> {
    let status = match cell.status {
        Status::Ok => "",
        Status::Failed => "failed: ",
        Status::Skipped => "skipped: ",
        Status::Void => "void: ",
    };
    let reason = match (&cell.reason, cell.status) {
        (Some(reason), _) => Some(reason.as_str()),
        (None, Status::Ok) => None,
        (None, _) => Some("no reason was given"),
    };
    let lost = cell
        .lost
        .filter(|lost| *lost > 0)
        .map(|lost| format!("{lost} samples were lost, late or failed; {} were recorded", cell.recorded));
    let unsteady = cell.unsteadiness().map(|(class, count)| unsteady(class, count, cell.steadiness.len()));
    reason
        .map(|reason| format!("{status}{reason}"))
        .into_iter()
        .chain(lost)
        .chain(unsteady)
        .chain(crate::outliers::modes_note(cell))
}

/// What most processes of a cell did instead of being steady, and what to do.
fn unsteady(class: Steadiness, count: usize, of: usize) -> String {
    let of = format!("in {count} of {of} processes");
    match class {
        Steadiness::Flat => format!("flat {of}"),
        Steadiness::WarmUp => {
            format!("warm-up: operations were still getting faster {of}; measure longer (--time), or read only the end")
        }
        Steadiness::SlowDown => {
            format!("slow-down: operations got slower {of}; see whether data grows or the processor is throttled")
        }
        Steadiness::NoSteadyState => {
            format!("no steady state: the time of an operation changed up to the end {of}; measure longer (--time)")
        }
    }
}

/// The line that `cells` share for `reason`, and where `all_cells` a further one for each of several.
pub(crate) fn lines_of(view: &RunView, reason: &str, cells: &[&CellView], all_cells: bool) -> Vec<String> {
    let title = |cell: &CellView| {
        let title = format!("{} {} {}", view.name_of(cell), cell.arm_label(), cell.arguments);
        title.trim_end().to_owned()
    };
    if let [cell] = cells {
        return vec![format!("{}: {reason}", title(cell))];
    }
    let scenarios: BTreeSet<&str> = cells.iter().map(|cell| cell.scenario.as_str()).collect();
    let of = match scenarios.len() {
        few @ 1..=3 => Vec::from_iter(scenarios.into_iter().take(few)).join(", "),
        many => number(many, "scenario"),
    };
    let line = format!("{} cells of {of}: {reason}", cells.len());
    match all_cells {
        true => std::iter::once(line).chain(cells.iter().map(|cell| format!("  {}", title(cell)))).collect(),
        false => vec![line + " (-v lists them)"],
    }
}

/// The machine, the program and the effort, what the figures mean, and that there are `hidden` more series.
pub(crate) fn footer(view: &RunView, hidden: usize) -> Vec<String> {
    let hidden = (hidden > 0).then(|| format!("{} not shown: --all-series", number(hidden, "further series")));
    let lines = [
        machine(view),
        effort(view, " per cell"),
        "per operation; n = samples × operations per sample; –: not measured, or too few samples".to_owned(),
        "limit: how many times what the machine itself takes, see `bench-host doctor`".to_owned(),
    ];
    lines.into_iter().chain(hidden).collect()
}

/// The run, the machine and the effort in a sentence, escaped: what a figure needs that stands alone.
pub(crate) fn source(view: &RunView) -> String {
    escape(&format!("Run {}: {}; {}.", view.id, machine(view), effort(view, " per cell"))).into_owned()
}

/// The machine and how busy it was: `A Processor × 2, linux 6.1.0, load 0.50`.
pub(crate) fn machine(view: &RunView) -> String {
    let load = view.fingerprint.load.map_or_else(String::new, |[minute, ..]| format!(", load {minute:.2}"));
    format!("{}{load}", machine_name(&view.fingerprint))
}

/// The processors and the system: `A Processor × 2, linux 6.1.0`. Not escaped.
pub fn machine_name(machine: &Fingerprint) -> String {
    let cpu = machine.cpu_model.as_deref().unwrap_or(&machine.architecture);
    format!("{cpu} × {}, {} {}", machine.cpus, machine.os, machine.kernel)
}

/// The program and what it was asked for, `of` whatever that is: `bench-host 0.1.0; 2 processes × 1 s per cell; seed 7`.
pub(crate) fn effort(view: &RunView, of: &str) -> String {
    let planned = &view.planned;
    let effort = match (planned.time_ns, planned.iterations) {
        (Some(time), _) => format!(" × {}", effort_time(time)),
        (None, Some(iterations)) => format!(" × {iterations} operations"),
        (None, None) => String::new(),
    };
    let processes = match (planned.within_ns, planned.processes) {
        (Some(within), 0) => format!("until decided within {}, a process", effort_time(within)),
        (Some(_), most) => format!("at most {most} processes"),
        (None, 1) => "1 process".to_owned(),
        (None, more) => format!("{more} processes"),
    };
    let within = planned.within_ns.filter(|_| planned.processes > 0);
    let within = within.map_or_else(String::new, |within| format!(" within {}", effort_time(within)));
    let parts = match view.resumed.len() {
        0 => match &view.parts[..] {
            [] => String::new(),
            [part] => format!(", shard {} of {}", part.record.number, part.record.of),
            parts => format!(", merged from {} shards", parts.len()),
        },
        resumed => format!(", in {} parts", resumed + 1),
    };
    format!("bench-host {}; {processes}{effort}{within}{of}; seed {}{parts}", view.fingerprint.host_version, view.seed)
}

/// A time that a user chose, so without the digits of a measured one.
fn effort_time(nanoseconds: u64) -> String {
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)];
    let fit = units.into_iter().find(|(_, factor)| nanoseconds >= *factor && nanoseconds.is_multiple_of(*factor));
    fit.map_or_else(
        || scale::nanoseconds(nanoseconds as f64),
        |(unit, factor)| format!("{} {unit}", nanoseconds / factor),
    )
}
