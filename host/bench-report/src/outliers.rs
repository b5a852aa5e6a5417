//! What the slowest samples of cells coincided with, what the processor counted, and modes, in a line each.

use crate::document::{Body, Notes, Section};
use crate::{AccountView, CellView, Detail, RunView, notes, scale};
use bench_sink::runfile::{HardwareRecord, OutlierCounts, OutlierRecord, Status};
use bench_stats::modes;

/// What was counted of the slowest samples and by the processor, in a line each.
pub(crate) fn found(account: &AccountView) -> Vec<String> {
    let slow = match &account.outliers {
        Some(OutlierRecord::Counted(counts)) => Some(slowest(counts)),
        Some(OutlierRecord::Absent(_)) | None => None,
    };
    let counted = account.hardware.as_ref().and_then(|record| hardware(record, account.watched));
    slow.into_iter().chain(counted).collect()
}

/// Why counts are absent, in a line each, which is the same for all cells with the same reason.
pub(crate) fn absences(account: &AccountView) -> Vec<String> {
    let nothing = account.absent.as_ref().map(|why| format!("resource usage: not counted: {why}"));
    let slow = match &account.outliers {
        Some(OutlierRecord::Absent(why)) => Some(format!("outliers: not looked at: {why}")),
        Some(OutlierRecord::Counted(_)) | None => None,
    };
    let counters = match &account.hardware {
        Some(HardwareRecord::Absent(why)) => {
            Some(format!("hardware counters: {why}; page faults and switches are the kernel's counts"))
        }
        Some(HardwareRecord::Counted { .. }) | None => None,
    };
    nothing.into_iter().chain(slow).chain(counters).collect()
}

/// `slowest 1 % (n 43 of 4311 samples of 4 operations, from 12.1 µs): 30 involuntary switch, 5 page fault; 8 unexplained`.
fn slowest(record: &OutlierCounts) -> String {
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

/// `1204 cycles, 1.9 instructions per cycle, 0.012 cache misses, 3.1 branch misses an operation (n 10.0k); a reading took 812 ns before and
/// after them`.
fn hardware(record: &HardwareRecord, operations: u64) -> Option<String> {
    let HardwareRecord::Counted { cycles, instructions, cache_misses, branch_misses, reading_ns } = record else {
        return None;
    };
    let each = |count: u64| scale::rate(count as f64 / operations.max(1) as f64);
    let cost = reading_ns.map(|ns| format!("; a reading took {} before and after them", scale::nanoseconds(ns)));
    Some(format!(
        "{} cycles, {:.2} instructions per cycle, {} cache misses, {} branch misses an operation (n {}){}",
        each(*cycles),
        *instructions as f64 / (*cycles).max(1) as f64,
        each(*cache_misses),
        each(*branch_misses),
        scale::count(operations as f64),
        cost.unwrap_or_default()
    ))
}

/// The slowest samples of each cell, if `detail` asks for all cells; what holds of several is said once.
pub(crate) fn section(view: &RunView, detail: Detail) -> Option<Section> {
    let texts = |cell: &CellView| {
        let account = cell.account.as_ref().map(AccountView::of);
        account.into_iter().flat_map(|account| found(&account).into_iter().chain(absences(&account)))
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
        let counts = OutlierCounts {
            samples: 4_300,
            batch: 4,
            threshold_ns: 12_100,
            slow: 43,
            causes: vec![cause("involuntary switch", 30, 43), cause("page fault", 0, 2)],
            unexplained: 13,
            reading_ns: 900.0,
        };
        let counted = |reading_ns| {
            let (cycles, instructions, cache_misses, branch_misses) = (2_000, 5_000, 10, 20);
            HardwareRecord::Counted { cycles, instructions, cache_misses, branch_misses, reading_ns }
        };
        let account = AccountView {
            watched: 10,
            hardware: Some(counted(None)),
            outliers: Some(OutlierRecord::Counted(counts)),
            ..AccountView::default()
        };
        let [slow, counters] = <[String; 2]>::try_from(found(&account)).unwrap();
        assert_eq!(
            slow,
            "slowest 1 % (n 43 of 4300 samples × 4, from 12.1 µs): 30 involuntary switch (1.0 % of all); 13 unexplained; a reading took \
             900 ns between samples"
        );
        let figures = "200 cycles, 2.50 instructions per cycle, 1 cache misses, 2 branch misses an operation (n 10)";
        assert_eq!(counters, figures);
        let counters = hardware(&counted(Some(812.0)), 10).unwrap();
        assert_eq!(counters, format!("{figures}; a reading took 812 ns before and after them"));
        assert_eq!(absences(&account), [""; 0]);
    }

    #[test]
    fn absent_counts_are_said_with_their_reasons() {
        let check = |account: &AccountView, expect: &[&str]| {
            assert_eq!(absences(account), expect);
            assert_eq!(found(account), [""; 0]);
        };
        check(&AccountView::default(), &[]);
        let absent = AccountView { absent: Some("it crashed".to_owned()), ..AccountView::default() };
        check(&absent, &["resource usage: not counted: it crashed"]);
        let account = AccountView {
            hardware: Some(HardwareRecord::Absent("none here".to_owned())),
            outliers: Some(OutlierRecord::Absent("too long".to_owned())),
            ..AccountView::default()
        };
        check(
            &account,
            &[
                "outliers: not looked at: too long",
                "hardware counters: none here; page faults and switches are the kernel's counts",
            ],
        );
    }
}
