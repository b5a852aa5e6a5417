//! What the family adds to the report of a run: the stages of pipelines, what each stage used, whether results of all formats, arms and engines are equal,
//! what the boundary of stages costs, what workers and orders of fetching gain and cost, and what starts of modules cost.

mod boundary;
mod orders;
mod parity;
mod resources;
mod stage_model;
mod stages;
mod starts;

use bench_model::{Arguments, Value};
use bench_report::{
    AccountView, CellView, DerivedFile, Export, FamilyChart, FamilyReport, RunView, Section, SeriesView,
};
use bench_sink::runfile::{RunFile, Status};

/// The report of tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TabularReport;

impl FamilyReport for TabularReport {
    fn family(&self) -> &'static str {
        crate::FAMILY
    }

    fn sections(&self, view: &RunView) -> Vec<Section> {
        let cells = cells(view);
        stages::sections(&cells)
            .chain(resources::sections(&cells))
            .chain(parity::sections(&cells))
            .chain(boundary::sections(view, &cells))
            .chain(orders::sections(view, &cells))
            .chain(starts::sections(view, &cells))
            .collect()
    }

    fn covers(&self, cell: &CellView) -> bool {
        cell.family == crate::FAMILY && (stages::has_stages(cell) || orders::is_fetch(cell))
    }

    fn files(&self, view: &RunView) -> Vec<DerivedFile> {
        let figure = orders::figure(view, &cells(view)).map(|figure| figure.with_source(view));
        figure.map(|figure| DerivedFile::figure(orders::FIGURE, Ok(figure))).into_iter().collect()
    }

    fn charts(&self, view: &RunView, _file: &RunFile) -> Vec<FamilyChart> {
        stages::chart(&cells(view)).into_iter().collect()
    }

    fn findings(&self, view: &RunView) -> Vec<String> {
        parity::findings(&cells(view))
    }

    fn exports(&self) -> &'static [Export] {
        &[Export {
            name: "stage-model-json",
            summary: "Stages, their times and whether their results agree, in the schema benchmark_stage_model_v1 (JSON)",
            print: stage_model::print,
        }]
    }
}

/// The family's cells that have figures.
fn cells(view: &RunView) -> Vec<&CellView> {
    view.cells.iter().filter(|cell| cell.family == crate::FAMILY && cell.status == Status::Ok).collect()
}

fn integer(cell: &CellView, name: &str) -> Option<i64> {
    if let Some(Value::Integer(value)) = cell.arguments.get(name) { Some(*value) } else { None }
}

fn text<'a>(cell: &'a CellView, name: &str) -> Option<&'a str> {
    if let Some(Value::Text(value)) = cell.arguments.get(name) { Some(value) } else { None }
}

/// The arguments of `cell` in which the cells of its scenario differ, except for those in `except`: `codec=none seed=2`.
fn differences(cell: &CellView, cells: &[&CellView], except: &[&str]) -> String {
    let alike = cells.iter().filter(|other| other.scenario == cell.scenario);
    let all: Vec<&Arguments> = alike.map(|other| &other.arguments).collect();
    let names = Arguments::varying(&all);
    let own = cell.arguments.iter().filter(|(name, _)| names.contains(name) && !except.contains(name));
    own.map(|(name, value)| (name, value.clone())).collect::<Arguments>().to_string()
}

/// The series of this metric without labels.
fn series<'a>(cell: &'a CellView, metric: &str) -> Option<&'a SeriesView> {
    cell.series.iter().find(|series| series.metric == metric && series.labels.is_empty())
}

/// What an operation used, if it was watched.
fn account(cell: &CellView) -> Option<AccountView> {
    cell.account.as_ref().map(AccountView::of)
}

fn mean(cell: &CellView, metric: &str) -> Option<f64> {
    series(cell, metric).map(|series| series.summary.mean)
}
