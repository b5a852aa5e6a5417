//! What the family adds to the report of a run: which cells are chains that differ only in the number of operators, and the tables,
//! files and figures that are made of them.

mod course;
mod figures;
mod naming;
mod samples;
mod slopes;
mod sweep;
mod table;

use crate::spec::{CHAIN, COUNT, FAMILY, PHASE, metric};
use bench_report::{CellView, DerivedFile, Export, FamilyChart, FamilyReport, RunView, Section};
use bench_sink::runfile::{RunFile, Status};

/// The title of the quantity in which chains differ.
const OPERATORS: &str = "operators";

/// The argument of chains with the scenario of every other operator. Run files of earlier versions have it too.
const EVERY_OTHER: &str = "every_other";

// The metrics that are compared.
const LATENCY: &str = CHAIN;
const LATENCY_COLD: &str = metric::CHAIN_COLD;
const MEMORY: &str = metric::MEMORY_PSS;

/// The phases whose memory is compared; the phases between them are transitions.
const PHASES: [&str; 3] = ["active", "idle", "unloaded"];

/// The report of chains of operators.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OperatorReport;

impl FamilyReport for OperatorReport {
    fn family(&self) -> &'static str {
        FAMILY
    }

    fn sections(&self, view: &RunView) -> Vec<Section> {
        table::sections(view).into_iter().chain(figures::sections(view)).collect()
    }

    fn covers(&self, cell: &CellView) -> bool {
        cell.family == FAMILY && cell.status == Status::Ok && naming::count(&cell.arguments).is_some()
    }

    fn sample_files(&self, file: &RunFile) -> Vec<DerivedFile> {
        samples::files(file)
    }

    fn files(&self, view: &RunView) -> Vec<DerivedFile> {
        figures::files(view)
    }

    fn charts(&self, _view: &RunView, file: &RunFile) -> Vec<FamilyChart> {
        course::chart(file).into_iter().collect()
    }

    fn exports(&self) -> &'static [Export] {
        &[Export {
            name: "operators-json",
            summary: "Memory per operator in every phase, with its confidence interval",
            print: |view| Ok(slopes::operators_json(view)),
        }]
    }
}
