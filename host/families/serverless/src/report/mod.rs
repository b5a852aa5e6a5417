//! What the family adds to the report of a run: from how much work at the start on a restore is cheaper than a fresh start.

mod break_even;

use crate::spec::FAMILY;
use bench_report::{Body, CellView, Column, Datum, DerivedFile, Export, FamilyReport, Figure, RunView, Section, Table};
use break_even::{BreakEven, break_even_json, break_evens, figure, has_curve, start_curves};

/// The name of the figure and of its file.
const FIGURE: &str = "break-even";

/// The report of functions that are started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartReport;

impl FamilyReport for StartReport {
    fn family(&self) -> &'static str {
        FAMILY
    }

    fn sections(&self, view: &RunView) -> Vec<Section> {
        let found = break_evens(view, &start_curves(view));
        if found.is_empty() {
            return Vec::new();
        }
        let figure = compared_figure(view).map(|figure| Section::new(FIGURE, "", Body::Figure(figure)));
        std::iter::once(table(&found)).chain(figure).collect()
    }

    fn files(&self, view: &RunView) -> Vec<DerivedFile> {
        let figure = compared_figure(view).map(|figure| figure.with_source(view));
        figure.map(|figure| DerivedFile::figure(FIGURE, Ok(figure))).into_iter().collect()
    }

    fn draws_axes(&self, cell: &CellView) -> bool {
        has_curve(cell)
    }

    fn exports(&self) -> &'static [Export] {
        &[
            Export {
                name: "break-even-json",
                summary: "Break-even: from how much initialisation work on a restore is cheaper than a fresh start",
                print: |view| Ok(break_even_json(view)),
            },
            Export { name: "break-even-svg", summary: "The break-even curves as a figure", print: svg },
        ]
    }
}

fn svg(view: &RunView) -> Result<String, String> {
    let figure = figure(view, &start_curves(view));
    let figure = figure.ok_or("it has no figure of a cold start; `bench-host run serverless` makes some")?;
    figure
        .with_source(view)
        .svg()
        .ok_or_else(|| "the embedded font cannot be read; this build is broken, install another".to_owned())
}

/// The curves, if the run has starts that do their work each time and starts that skip it.
fn compared_figure(view: &RunView) -> Option<Figure> {
    let curves = start_curves(view);
    (!break_evens(view, &curves).is_empty()).then(|| figure(view, &curves)).flatten()
}

/// Where the curves meet. A figure is absent where they do not, where a fresh start was measured with one amount of work only, or where
/// several machines measured them.
fn table(found: &[BreakEven]) -> Section {
    let columns = vec![
        Column::words("fresh start").key("afresh"),
        Column::words("restore").key("brought_back"),
        Column::figures("touched").key("heap_bytes"),
        Column::figures("break-even").key("init"),
    ];
    let row = |found: &BreakEven| {
        vec![
            Datum::text(&found.afresh),
            Datum::text(&found.brought_back),
            Datum::bytes(found.heap_bytes as f64),
            Datum::or_absent(found.init_ms.map(|ms| Datum::nanoseconds(ms * 1e6))),
        ]
    };
    let rows = found.iter().map(row).collect();
    let meaning = "break-even: the work at the start from which on the restore takes less time; 0 means always";
    let body = Body::Table(Table::plain(columns, rows));
    let apart = found.iter().filter_map(|found| {
        let why = found.absent.as_ref()?;
        Some(format!("no break-even of {} and {}: {why}", found.afresh, found.brought_back))
    });
    let remarks = std::iter::once(meaning.to_owned()).chain(apart).collect();
    Section::new("serverless.break-even", "fresh starts and restores", body).with_remarks(remarks)
}
