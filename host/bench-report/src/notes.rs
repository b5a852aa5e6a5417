//! What is said below a table: whatever is not as it should be, one line each, and then what was measured where. Knows what
//! a reader must be told, not how lines are laid out.

use crate::environment::environment;
use crate::{CellView, Drift, RunView, escape, scale};
use bench_sink::runfile::Status;

/// One line for each thing that is not as it should be; none where all is well. Text of modules is escaped.
pub fn notes(view: &RunView) -> Vec<String> {
    let drifts = view.drifts();
    troubles(view).into_iter().chain(drifts.iter().map(drift_note)).collect()
}

/// The notes of a run but those on the machine's limits.
pub(crate) fn troubles(view: &RunView) -> Vec<String> {
    let refused = view.modules.iter().filter_map(|module| {
        Some(format!("{}: refused: {}", escape(&module.file), escape(module.refused.as_deref()?)))
    });
    let cells = view.cells.iter().flat_map(|cell| cell_notes(view, cell));
    let missing = view.missing().map(|missing| {
        let (cells, planned) = (missing.cells, missing.planned);
        format!("{cells} of {planned} cells were not run: {}", escape(&missing.reason))
    });
    // Without a missing cell nobody would learn that the later processes of some are.
    let cut = view
        .interrupted()
        .filter(|_| view.missing().is_none())
        .map(|reason| format!("the run did not end: {}", escape(&reason)));
    let torn = view.torn.map(|torn| {
        format!("line {} of the run file was never finished; its {} bytes are left out", torn.line, torn.bytes)
    });
    refused.chain(cells).chain(missing).chain(cut).chain(torn).chain(environment(view)).collect()
}

pub(crate) fn drift_note(drift: &Drift) -> String {
    format!(
        "{} drifted by {:+.0} % during the run: {} before, {} after; compare figures with care",
        escape(&drift.limit.to_string()),
        drift.share * 100.0,
        scale::figure(drift.before, &drift.unit),
        scale::figure(drift.after, &drift.unit),
    )
}

fn cell_notes(view: &RunView, cell: &CellView) -> Vec<String> {
    let title = format!("{} {} {}", view.name_of(cell), cell.arm_label(), cell.arguments);
    let title = escape(title.trim_end());
    let status = match cell.status {
        Status::Ok => "",
        Status::Failed => "failed: ",
        Status::Skipped => "skipped: ",
        Status::Void => "void: ",
    };
    let reason = match (&cell.reason, cell.status) {
        (Some(reason), _) => Some(escape(reason).into_owned()),
        (None, Status::Ok) => None,
        (None, _) => Some("no reason was given".to_owned()),
    };
    let lost = cell
        .lost
        .filter(|lost| *lost > 0)
        .map(|lost| format!("{title}: {lost} samples were lost, late or failed; {} were recorded", cell.recorded));
    reason.map(|reason| format!("{title}: {status}{reason}")).into_iter().chain(lost).collect()
}

/// Two lines: the machine, the program and the effort; and what the figures mean.
pub(crate) fn footer(view: &RunView) -> [String; 2] {
    [
        format!("{}; {}", machine(view), effort(view, " per cell")),
        "per operation; n = samples × operations per sample; –: not measured, or too few samples; limit: see `bench-host doctor`"
            .to_owned(),
    ]
}

/// The machine and how busy it was: `A Processor × 2, linux 6.1.0, load 0.50`.
pub(crate) fn machine(view: &RunView) -> String {
    let machine = &view.fingerprint;
    let cpu = machine.cpu_model.as_deref().unwrap_or(&machine.architecture);
    let load = machine.load.map_or_else(String::new, |[minute, ..]| format!(", load {minute:.2}"));
    let text = format!("{cpu} × {}, {} {}{load}", machine.cpus, machine.os, machine.kernel);
    escape(&text).into_owned()
}

/// The program and what it was asked for, `of` whatever that is: `bench-host 0.1.0; 2 processes × 1 s per cell; seed 7`.
pub(crate) fn effort(view: &RunView, of: &str) -> String {
    let planned = &view.planned;
    let effort = match (planned.time_ns, planned.iterations) {
        (Some(time), _) => format!(" × {}", effort_time(time)),
        (None, Some(iterations)) => format!(" × {iterations} operations"),
        (None, None) => String::new(),
    };
    let processes = match planned.processes {
        1 => "1 process".to_owned(),
        more => format!("{more} processes"),
    };
    let parts = match view.resumed.len() {
        0 => String::new(),
        resumed => format!(", in {} parts", resumed + 1),
    };
    let text =
        format!("bench-host {}; {processes}{effort}{of}; seed {}{parts}", view.fingerprint.host_version, view.seed);
    escape(&text).into_owned()
}

/// A time that somebody chose, so without the digits of one that was measured.
fn effort_time(nanoseconds: u64) -> String {
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)];
    let fit = units.into_iter().find(|(_, factor)| nanoseconds >= *factor && nanoseconds.is_multiple_of(*factor));
    fit.map_or_else(
        || scale::nanoseconds(nanoseconds as f64),
        |(unit, factor)| format!("{} {unit}", nanoseconds / factor),
    )
}
