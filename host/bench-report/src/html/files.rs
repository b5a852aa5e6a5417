//! The files that go with a page: its tables as CSV, its figures as SVG and PNG.

use super::page::{Page, PageRun};
use super::{cells, charts, compared, targets};
use crate::document::{Body, Document};
use crate::parallel::in_parallel;
use crate::plots::Chart;
use crate::render::{Csv, Layout, Renderer};
use crate::{csv, notes};
use std::collections::BTreeSet;

/// Letters of a file's name, without a number and the extension.
const FILE_NAME_MAX: usize = 120;

/// So many figures of a report have a PNG unless all are asked for. A PNG takes longer than anything else of a report, and there can be a
/// figure for each of hundreds of scenarios.
const PNG_MAX: usize = 64;

/// A file that goes with a page.
#[derive(Clone, Debug)]
pub struct PageFile {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
}

impl Page<'_> {
    /// The tables as CSV, and the figures of the page as SVG and PNG. Where `every_figure`, those of single cells are among them;
    /// otherwise only the first 64 figures have a PNG.
    pub fn files(&self, every_figure: bool) -> Vec<PageFile> {
        let mut parts = Parts::default();
        for (index, (_, comparison)) in self.comparisons.iter().enumerate() {
            let name = numbered("comparisons", index, self.comparisons.len());
            parts.table(&name, &compared::document(comparison));
            if let Some(forest) = compared::forest(comparison) {
                let runs: Vec<String> = self.runs.iter().map(|run| notes::source(run.view)).collect();
                let name = numbered("ratios", index, self.comparisons.len());
                parts.figure(name, forest.with_note(&runs.join(" ")));
            }
        }
        for (index, run) in self.runs.iter().enumerate() {
            self.files_of_run(run, index, &mut parts);
            for cell in run.view.cells.iter().filter(|_| every_figure) {
                let anchor = cells::anchor(run.view, cell);
                for (what, chart) in charts::of_cell(run.view, cell, run.courses) {
                    parts.figure(format!("{anchor}-{what}"), chart.with_note(&notes::source(run.view)));
                }
            }
        }
        parts.drawn(if every_figure { usize::MAX } else { PNG_MAX })
    }

    /// The table of cells, targets, and what families say of one run.
    fn files_of_run(&self, run: &PageRun<'_>, index: usize, parts: &mut Parts) {
        let name = |what: &str| numbered(&file_name(what), index, self.runs.len());
        let source = notes::source(run.view);
        let cells = Document { records: Some(csv::records(run.view)), ..Document::default() };
        parts.table(&name("cells"), &cells);
        if let Some(bullets) = targets::bullets(&run.targets) {
            parts.figure(name("targets"), bullets.with_note(&source));
        }
        if !run.targets.is_empty() {
            parts.table(&name("targets"), &crate::targets_document(run.view, &run.targets));
        }
        let of_families = run.families.iter().flat_map(|family| &family.sections);
        for (at, section) in of_families.chain(run.others()).enumerate() {
            let own = name(&format!("{}-{at}", section.name));
            match &section.body {
                Body::Figure(figure) => parts.figure(own, Chart::Figure(figure.clone()).with_note(&source)),
                _ => parts.table(&own, &Document { sections: vec![section.clone()], ..Document::default() }),
            }
        }
        for chart in run.families.iter().flat_map(|family| &family.charts) {
            let own = name(&chart.name);
            let own = if parts.has_figure(&own) { format!("{own}-{}", parts.all.len()) } else { own };
            parts.figure(own, chart.chart.clone().with_note(&source));
        }
    }
}

/// What becomes a file, or the two files of a figure.
enum Part {
    Table(PageFile),
    Figure { name: String, chart: Chart, has_png: bool },
}

/// What becomes files, in their order.
#[derive(Default)]
struct Parts {
    all: Vec<Part>,
    figures: BTreeSet<String>,
}

impl Parts {
    fn table(&mut self, name: &str, document: &Document) {
        let content = Csv.render(document, &Layout::default()).into_bytes();
        self.all.push(Part::Table(PageFile { name: format!("{name}.csv"), content }));
    }

    fn figure(&mut self, name: String, chart: Chart) {
        self.figures.insert(name.clone());
        self.all.push(Part::Figure { name, chart, has_png: true });
    }

    fn has_figure(&self, name: &str) -> bool {
        self.figures.contains(name)
    }

    /// The files. Figures are drawn on all processors, the first `png_max` as PNG too.
    fn drawn(mut self, png_max: usize) -> Vec<PageFile> {
        let figures = self.all.iter_mut().filter_map(|part| match part {
            Part::Figure { has_png, .. } => Some(has_png),
            Part::Table(_) => None,
        });
        figures.skip(png_max).for_each(|has_png| *has_png = false);
        in_parallel(&self.all, Part::files).into_iter().flatten().collect()
    }
}

impl Part {
    fn files(&self) -> Vec<PageFile> {
        match self {
            Self::Table(file) => vec![file.clone()],
            Self::Figure { name, chart, has_png } => {
                let Some(pictures) = chart.pictures(*has_png) else { return Vec::new() };
                let file = |end: &str, content| PageFile { name: format!("{name}.{end}"), content };
                let png = pictures.png.map(|content| file("png", content));
                [file("svg", pictures.svg.into_bytes())].into_iter().chain(png).collect()
            }
        }
    }
}

/// The name, followed by a number where there are several.
fn numbered(name: &str, index: usize, count: usize) -> String {
    if count > 1 { format!("{name}-{}", index + 1) } else { name.to_owned() }
}

/// `name` with nothing that a folder or a shell takes for something else, and no longer than a file system permits.
fn file_name(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
    name.chars().map(plain).take(FILE_NAME_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::{Dimension, Row, Rows};
    use bench_model::Unit;

    #[test]
    fn figures_beyond_the_limit_are_svg_alone() {
        let rows = Rows {
            title: "A figure".to_owned(),
            across: Dimension { title: "time".to_owned(), unit: Unit::Nanoseconds },
            is_from_zero: true,
            zone: None,
            origin: None,
            rows: vec![Row { name: "row".to_owned(), bar: Some((0.0, 1.0)), ..Row::default() }],
            notes: Vec::new(),
        };
        let names = |png_max: usize| {
            let mut parts = Parts::default();
            parts.figure("a".to_owned(), Chart::Rows(rows.clone()));
            parts.table("b", &Document::default());
            parts.figure("c".to_owned(), Chart::Rows(rows.clone()));
            parts.drawn(png_max).into_iter().map(|file| file.name).collect::<Vec<_>>()
        };
        assert_eq!(names(1), ["a.svg", "a.png", "b.csv", "c.svg"]);
        assert_eq!(names(usize::MAX), ["a.svg", "a.png", "b.csv", "c.svg", "c.png"]);
    }
}
