//! What the slowest samples of cells coincided with, what the processor counted, and modes, in a line each.

use crate::document::{Body, Notes, Section};
use crate::{CellView, Detail, RunView, notes, scale};
use bench_sink::runfile::{HardwareRecord, OutlierRecord, Status};
use bench_stats::modes;

/// `slowest 1 % (n 43 of 4311 samples of 4 operations, from 12.1 µs): 30 involuntary switch, 5 page fault; 8 unexplained`.
pub(crate) fn outliers(record: &OutlierRecord) -> String {
    let all = |count: u64| scale::percent(count as f64 / record.samples.max(1) as f64);
    let happened = record.causes.iter().filter(|cause| cause.slow > 0);
    let causes: Vec<String> =
        happened.map(|cause| format!("{} {} ({} of all)", cause.slow, cause.name, all(cause.all))).collect();
    let causes = if causes.is_empty() { "nothing that is counted".to_owned() } else { causes.join(", ") };
    format!(
        "slowest 1 % (n {} of {} samples × {}, from {}): {causes}; {} unexplained; a reading took {} between samples",
        record.slow,
        record.samples,
        record.batch,
        scale::nanoseconds(record.threshold_ns as f64),
        record.unexplained,
        scale::nanoseconds(record.reading_ns),
    )
}

/// `1204 cycles, 1.9 instructions per cycle, 0.012 cache misses, 3.1 branch misses an operation (n 10.0k)`.
pub(crate) fn hardware(record: &HardwareRecord, operations: u64) -> String {
    match record {
        HardwareRecord::Absent(why) => {
            format!("hardware counters: {why}; page faults and switches are the kernel's counts")
        }
        HardwareRecord::Counted { cycles, instructions, cache_misses, branch_misses } => {
            let each = |count: u64| scale::rate(count as f64 / operations.max(1) as f64);
            format!(
                "{} cycles, {:.2} instructions per cycle, {} cache misses, {} branch misses an operation (n {})",
                each(*cycles),
                *instructions as f64 / (*cycles).max(1) as f64,
                each(*cache_misses),
                each(*branch_misses),
                scale::count(operations as f64)
            )
        }
    }
}

/// The slowest samples of each cell, if `detail` asks for all cells; what holds of several is said once.
pub(crate) fn section(view: &RunView, detail: Detail) -> Option<Section> {
    let texts = |cell: &CellView| {
        let account = cell.account.as_ref();
        let slow = account.and_then(|account| account.outliers.as_ref()).map(outliers);
        let counted = account.and_then(|account| Some(hardware(account.hardware.as_ref()?, account.watched)));
        slow.into_iter().chain(counted)
    };
    let cells = view.cells.iter().filter(|_| detail.all_cells);
    let lines = notes::grouped(view, cells.flat_map(|cell| texts(cell).map(move |text| (cell, text))), true);
    let notes = Notes { lines, are_warnings: false };
    (!notes.lines.is_empty()).then(|| Section::new("outliers", "Slowest samples", Body::Notes(notes)).in_data())
}

/// That samples gather around several values, so that one median does not describe them; none of a cell with one mode.
pub(crate) fn modes_note(cell: &CellView) -> Option<String> {
    let timed = cell.timed().filter(|_| cell.status == Status::Ok)?;
    let found = modes(&timed.distribution);
    let mode = |mode: &bench_stats::Mode| {
        format!("{} ({})", scale::figure(mode.centre, &timed.unit), scale::percent(mode.share))
    };
    let named: Vec<String> = found.iter().map(mode).collect();
    (found.len() > 1).then(|| {
        format!(
            "samples have {} modes: {}; n {}; the median says less than these",
            found.len(),
            named.join(", "),
            scale::count(timed.samples as f64)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_sink::runfile::OutlierCause;

    #[test]
    fn slow_samples_and_counters_are_said_in_a_line() {
        let cause = |name: &str, slow, all| OutlierCause { name: name.to_owned(), slow, all };
        let record = OutlierRecord {
            samples: 4_300,
            batch: 4,
            threshold_ns: 12_100,
            slow: 43,
            causes: vec![cause("involuntary switch", 30, 43), cause("page fault", 0, 2)],
            unexplained: 13,
            reading_ns: 900.0,
        };
        assert_eq!(
            outliers(&record),
            "slowest 1 % (n 43 of 4300 samples × 4, from 12.1 µs): 30 involuntary switch (1.0 % of all); 13 unexplained; a reading took \
             900 ns between samples"
        );
        let counted =
            HardwareRecord::Counted { cycles: 2_000, instructions: 5_000, cache_misses: 10, branch_misses: 20 };
        assert_eq!(
            hardware(&counted, 10),
            "200 cycles, 2.50 instructions per cycle, 1 cache misses, 2 branch misses an operation (n 10)"
        );
        assert!(
            hardware(&HardwareRecord::Absent("none here".to_owned()), 10).starts_with("hardware counters: none here; ")
        );
    }
}
