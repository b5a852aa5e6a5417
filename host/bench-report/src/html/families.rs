//! The part of a page that is about one family: its sections, its charts, and small multiples of what neither shows.

use super::axes;
use super::cell::chart;
use super::sections;
use super::write::safe;
use crate::document::{Body, Section};
use crate::family::FamilyChart;
use crate::{CellView, FamilyReport, RunView};
use bench_sink::runfile::RunFile;

/// What there is to show of one family in one run.
#[derive(Clone, Debug)]
pub(super) struct PageFamily {
    /// Its name. Not escaped.
    name: String,
    pub(super) sections: Vec<Section>,
    pub(super) charts: Vec<FamilyChart>,
}

/// The families of which there is something to show: those in `families` in their order, then those of which the host knows nothing.
pub(super) fn of_run(view: &RunView, file: &RunFile, families: &[&dyn FamilyReport]) -> Vec<PageFamily> {
    let of_report = |report: &&dyn FamilyReport| PageFamily {
        name: report.family().to_owned(),
        sections: report.sections(view),
        charts: report.charts(view, file),
    };
    let mut all: Vec<PageFamily> = families.iter().map(of_report).collect();
    let others: Vec<&CellView> =
        view.cells.iter().filter(|cell| !families.iter().any(|report| report.draws_axes(cell))).collect();
    let mut names: Vec<&str> = others.iter().map(|cell| cell.family.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let cells: Vec<&CellView> = others.iter().copied().filter(|cell| cell.family == name).collect();
        let charts = axes::charts(view, &cells);
        match all.iter_mut().find(|family| family.name == name) {
            Some(family) => family.charts.extend(charts),
            None => all.push(PageFamily { name: name.to_owned(), sections: Vec::new(), charts }),
        }
    }
    all.retain(|family| !family.sections.is_empty() || !family.charts.is_empty());
    all
}

/// The identifier of the part about family `at` of run `index`.
pub(super) fn anchor(index: usize, at: usize) -> String {
    format!("family-{index}-{at}")
}

impl PageFamily {
    /// The part of the page, under the identifier `anchor`. Its figures are noted to be of `source`.
    pub(super) fn html(&self, anchor: &str, source: &str) -> String {
        let sections = self.sections.iter().enumerate();
        let sections: String =
            sections.map(|(at, section)| sections::one(section, &format!("{anchor}-{at}"), source)).collect();
        let charts = self.charts.iter().map(|named| chart(named.chart.clone().with_note(source), "wide"));
        let charts: String = charts.collect();
        format!("<section id=\"{anchor}\"><h2>Family {}</h2>{sections}{charts}</section>", safe(&self.name))
    }

    /// What its sections say is wrong. Not escaped.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &str> {
        let notes = self.sections.iter().filter_map(|section| match &section.body {
            Body::Notes(notes) if notes.are_warnings => Some(notes),
            _ => None,
        });
        notes.flat_map(|notes| notes.lines.iter().map(String::as_str))
    }
}
