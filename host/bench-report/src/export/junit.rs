//! JUnit XML, as CI servers read it: a suite for each scenario with a case for each cell, one for targets, and one for what is wrong with
//! the run itself.

use super::cells::name;
use crate::{CellView, RunView, TargetResult, TargetVerdict, notes, scale, xml};
use bench_sink::runfile::Status;
use std::fmt::Write;

/// The cells of `view` and the `targets` it was checked against. A failed cell, a missed target, a module that was refused and a run that
/// lacks cells are failures; a cell without figures and a target without a value are skipped. The time of a case is what was timed, in
/// seconds; its figures are its output, a line each, because the schema that servers check (`junit-10.xsd` of the xUnit plugin of Jenkins)
/// has no properties of a case.
pub fn junit_xml(view: &RunView, targets: &[TargetResult]) -> String {
    let mut suites: Vec<Suite> = Vec::from_iter(suite_of_run(view));
    for cells in view.cells.chunk_by(|a, b| a.scenario == b.scenario) {
        let cases = cells.iter().map(|cell| case_of_cell(view, cell)).collect();
        suites.push(Suite { name: cells[0].scenario.clone(), cases });
    }
    for set in targets.chunk_by(|a, b| a.set == b.set) {
        suites.push(Suite { name: format!("targets {}", set[0].set), cases: set.iter().map(case_of_target).collect() });
    }
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // The schema counts what was skipped in suites alone.
    let counted = Counts::of(all());
    writeln!(out, "<testsuites name=\"{}\" {}>", xml(&view.id), counted.text("")).expect("a string takes all text");
    suites.iter().for_each(|suite| suite.write(&mut out, view));
    out.push_str("</testsuites>\n");
    out
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    class: String,
    seconds: f64,
    end: End,
    figures: Vec<(String, String)>,
}

enum End {
    Passed,
    Failed(String),
    Skipped(String),
}

impl Suite {
    fn write(&self, out: &mut String, view: &RunView) {
        // The time without the zone: the attribute has none in the schema.
        let started = view.started.split(['.', 'Z', '+']).next().unwrap_or_default();
        let counted = Counts::of(self.cases.iter());
        let written = writeln!(
            out,
            "  <testsuite name=\"{}\" {} timestamp=\"{}\" hostname=\"{}\">",
            xml(&self.name),
            counted.text(&format!(" skipped=\"{}\"", counted.skipped)),
            xml(started),
            xml(view.fingerprint.cpu_model.as_deref().unwrap_or(&view.fingerprint.architecture))
        );
        written.expect("a string takes all text");
        self.cases.iter().for_each(|case| case.write(out));
        out.push_str("  </testsuite>\n");
    }
}

impl Case {
    fn write(&self, out: &mut String) {
        let end = match &self.end {
            End::Passed => String::new(),
            End::Failed(why) => format!("      <failure message=\"{}\" type=\"failed\"/>\n", xml(why)),
            End::Skipped(why) => format!("      <skipped message=\"{}\"/>\n", xml(why)),
        };
        let figures: Vec<String> =
            self.figures.iter().map(|(name, value)| format!("{}={}", xml(name), xml(value))).collect();
        let figures = match figures.as_slice() {
            [] => String::new(),
            lines => format!("      <system-out>{}</system-out>\n", lines.join("\n")),
        };
        let written = writeln!(
            out,
            "    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3}\">\n{end}{figures}    </testcase>",
            xml(&self.name),
            xml(&self.class),
            self.seconds
        );
        written.expect("a string takes all text");
    }
}

/// How cases ended, and what they took.
struct Counts {
    tests: usize,
    failed: usize,
    skipped: usize,
    seconds: f64,
}

impl Counts {
    fn of<'a>(cases: impl Iterator<Item = &'a Case> + Clone) -> Self {
        Self {
            failed: cases.clone().filter(|case| matches!(case.end, End::Failed(_))).count(),
            skipped: cases.clone().filter(|case| matches!(case.end, End::Skipped(_))).count(),
            seconds: cases.clone().map(|case| case.seconds).sum(),
            tests: cases.count(),
        }
    }

    /// As attributes, with `more` before the time.
    fn text(&self, more: &str) -> String {
        let Self { tests, failed, seconds, .. } = self;
        format!("tests=\"{tests}\" failures=\"{failed}\" errors=\"0\"{more} time=\"{seconds:.3}\"")
    }
}

/// What is wrong with the run, which no cell shows: modules without a cell because they were refused, and cells that were not run. Nothing
/// where all is well.
fn suite_of_run(view: &RunView) -> Option<Suite> {
    let failed = |name: &str, class: &str, why: String| Case {
        name: name.to_owned(),
        class: class.to_owned(),
        seconds: 0.0,
        end: End::Failed(why),
        figures: Vec::new(),
    };
    let refused = view.modules.iter().filter_map(|module| {
        Some(failed(&module.file, "run.modules", format!("refused: {}", module.refused.as_deref()?)))
    });
    let incomplete = notes::incomplete(view).map(|why| failed("every cell", "run", why));
    let cases: Vec<Case> = refused.chain(incomplete).collect();
    (!cases.is_empty()).then(|| Suite { name: "run".to_owned(), cases })
}

fn case_of_cell(view: &RunView, cell: &CellView) -> Case {
    let reason = || cell.reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
    let end = match cell.status {
        Status::Ok => End::Passed,
        Status::Failed => End::Failed(reason()),
        Status::Skipped => End::Skipped(reason()),
        Status::Void => End::Skipped(format!("void: {}", reason())),
    };
    let timed = cell.timed();
    let figures = timed.map(|timed| {
        let summary = &timed.summary;
        let figures = [("p50", summary.p50), ("p90", summary.p90), ("p99", summary.p99), ("max", Some(summary.max))];
        figures.into_iter().filter_map(|(name, value)| Some((name.to_owned(), scale::figure(value?, &timed.unit))))
    });
    let samples = timed.map(|timed| ("n".to_owned(), timed.samples.to_string()));
    Case {
        name: name(view, cell),
        class: cell.scenario.replace('/', "."),
        seconds: timed
            .filter(|timed| timed.unit == bench_model::Unit::Nanoseconds)
            .map_or(0.0, |timed| timed.total / 1e9),
        end,
        figures: samples.into_iter().chain(figures.into_iter().flatten()).collect(),
    }
}

fn case_of_target(target: &TargetResult) -> Case {
    let bound = target.text_of(target.bound);
    let end = match (&target.held, target.verdict()) {
        (Err(why), _) => End::Skipped(format!("not measured: {why}")),
        (Ok(held), TargetVerdict::Miss) => {
            End::Failed(format!("{}: {} against {bound}", target.summary, target.text_of(held.value)))
        }
        (Ok(_), _) => End::Passed,
    };
    let value = target.held.as_ref().ok().map(|held| ("value".to_owned(), target.text_of(held.value)));
    Case {
        name: target.name.clone(),
        class: format!("targets.{}", target.set),
        seconds: 0.0,
        end,
        figures: value.into_iter().chain([("bound".to_owned(), bound)]).collect(),
    }
}
