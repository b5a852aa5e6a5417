//! The files that go with a page: its tables as CSV, its figures as SVG and PNG.

use super::page::{Page, PageRun};
use super::{cells, charts, compared, machine, tables, targets};
use crate::document::{Body, Document};
use crate::parallel::in_parallel;
use crate::plots::Chart;
use crate::render::{Csv, Layout, Renderer};
use crate::text::number;
use crate::{CellView, csv, notes};
use std::collections::BTreeSet;

/// Letters of a file's name, without a number and the extension.
const FILE_NAME_MAX: usize = 120;

/// So many figures of a report have a PNG unless all are asked for, and those of single cells have one only where there are no more figures
/// than that. A PNG takes longer than anything else of a report, and there can be several figures for each of thousands of cells.
const PNG_MAX: usize = 64;

/// A file that goes with a page.
#[derive(Clone, Debug)]
pub struct PageFile {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
}

/// The files that go with a page.
#[derive(Clone, Debug)]
pub struct PageFiles {
    /// Tables and figures.
    pub files: Vec<PageFile>,
    /// How many figures have no PNG, and what writes one of each; none where every figure has one.
    pub lacking: Option<String>,
}

impl Page<'_> {
    /// The tables as CSV, and the figures as SVG and PNG. Unless `every_figure`, only the first 64 figures have a PNG, and those of single
    /// cells have one only where there are no more figures than that.
    pub fn files(&self, every_figure: bool) -> PageFiles {
        let mut parts = Parts::default();
        for (index, (_, comparison)) in self.comparisons.iter().enumerate() {
            let name = |what: &str| numbered(what, index, self.comparisons.len());
            let document = compared::document(comparison);
            parts.table(&name("comparisons"), &document);
            for (what, of_sections) in [("ladders", "ladder"), ("breakdowns", "ledger")] {
                let sections = document.sections.iter().filter(|section| section.name == of_sections);
                parts.table(&name(what), &tables::joined(what, sections));
            }
            if let Some(forest) = compared::forest(comparison) {
                parts.figure(&name("ratios"), forest);
            }
        }
        for (index, run) in self.runs.iter().enumerate() {
            self.files_of_run(run, index, &mut parts);
        }
        let own = parts.figures.len();
        self.figures_of_cells().into_iter().for_each(|(name, chart)| parts.figure(&name, chart));
        let all = parts.figures.len();
        let with_png = if every_figure || all <= PNG_MAX { all } else { own.min(PNG_MAX) };
        let can_write = cfg!(feature = "png");
        let lacking = lacking(all, if can_write { with_png } else { 0 }, can_write);
        PageFiles { files: parts.drawn(with_png), lacking }
    }

    /// The figures of single cells, each with the name of its files.
    fn figures_of_cells(&self) -> Vec<(String, Chart)> {
        let all = self.runs.iter().flat_map(|run| run.view.cells.iter().map(move |cell| (run, cell)));
        let all: Vec<(&PageRun<'_>, &CellView)> = all.collect();
        let figures = in_parallel(&all, |(run, cell)| {
            let (anchor, source) = (cells::anchor(run.view, cell), notes::source(run.view));
            let named = |(what, chart): (&str, Chart)| (format!("{anchor}-{what}"), chart.with_note(&source));
            charts::of_cell(run.view, cell, run.courses).into_iter().map(named).collect::<Vec<_>>()
        });
        figures.into_iter().flatten().collect()
    }

    /// The table of cells, rooflines, targets, and what families say of one run.
    fn files_of_run(&self, run: &PageRun<'_>, index: usize, parts: &mut Parts) {
        let name = |what: &str| numbered(&file_name(what), index, self.runs.len());
        let source = notes::source(run.view);
        let cells = Document { records: Some(csv::records(run.view)), ..Document::default() };
        parts.table(&name("cells"), &cells);
        parts.table(&name("rooflines"), &machine::document(run.view));
        if let Some(bullets) = targets::bullets(&run.targets) {
            parts.figure(&name("targets"), bullets.with_note(&source));
        }
        if !run.targets.is_empty() {
            parts.table(&name("targets"), &crate::targets_document(run.view, &run.targets));
        }
        let of_families = run.families.iter().flat_map(|family| &family.sections);
        for (at, section) in of_families.chain(run.others()).enumerate() {
            let own = name(&format!("{}-{at}", section.name));
            match &section.body {
                Body::Figure(figure) => parts.figure(&own, Chart::Figure(figure.clone()).with_note(&source)),
                _ => parts.table(&own, &Document { sections: vec![section.clone()], ..Document::default() }),
            }
        }
        for chart in run.families.iter().flat_map(|family| &family.charts) {
            parts.figure(&name(&chart.name), chart.chart.clone().with_note(&source));
        }
    }
}

/// How many figures of `all` have no PNG, where `with_png` have one, and what writes the others; none where every figure has one.
/// `can_write` is whether this program writes PNG at all.
fn lacking(all: usize, with_png: usize, can_write: bool) -> Option<String> {
    let without = all.saturating_sub(with_png);
    let verb = if without == 1 { "is" } else { "are" };
    let remedy = match can_write {
        true => "`bench-host report --all-figures` writes the PNG of each",
        false => "this bench-host was built without the cargo feature `png`; build it with default features",
    };
    (without > 0).then(|| format!("{} of {all} {verb} SVG alone: {remedy}", number(without, "figure")))
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
    /// Adds a table, if the document has one.
    fn table(&mut self, name: &str, document: &Document) {
        let content = Csv.render(document, &Layout::default()).into_bytes();
        if !content.is_empty() {
            self.all.push(Part::Table(PageFile { name: format!("{name}.csv"), content }));
        }
    }

    /// Adds a figure, or its parts with a number each where it is several. A name that is taken gets a number too.
    fn figure(&mut self, name: &str, chart: Chart) {
        let panels = chart.panels();
        let count = panels.len();
        for (index, chart) in panels.into_iter().enumerate() {
            let own = numbered(name, index, count);
            let name = if self.figures.contains(&own) { format!("{own}-{}", self.all.len()) } else { own };
            self.figures.insert(name.clone());
            self.all.push(Part::Figure { name, chart, has_png: true });
        }
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
    use crate::document::Records;
    use crate::plots::{Dimension, Row, Rows};
    use bench_model::Unit;

    fn rows(count: usize) -> Chart {
        Chart::Rows(Rows {
            title: "A figure".to_owned(),
            across: Dimension { title: "time".to_owned(), unit: Unit::Nanoseconds },
            is_from_zero: true,
            zone: None,
            origin: None,
            rows: vec![Row { name: "row".to_owned(), bar: Some((0.0, 1.0)), ..Row::default() }; count],
            notes: Vec::new(),
        })
    }

    fn names(parts: Parts, png_max: usize) -> Vec<String> {
        parts.drawn(png_max).into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn figures_beyond_the_limit_are_svg_alone() {
        let parts = || {
            let mut parts = Parts::default();
            parts.figure("a", rows(1));
            let records = Records { columns: vec!["x"], rows: Vec::new() };
            parts.table("b", &Document { records: Some(records), ..Document::default() });
            parts.table("empty", &Document::default());
            parts.figure("c", rows(1));
            parts
        };
        assert_eq!(names(parts(), 1), ["a.svg", "a.png", "b.csv", "c.svg"]);
        assert_eq!(names(parts(), usize::MAX), ["a.svg", "a.png", "b.csv", "c.svg", "c.png"]);
    }

    #[test]
    fn a_figure_of_many_rows_is_several_files() {
        let mut parts = Parts::default();
        parts.figure("a-2", rows(1));
        parts.figure("a", rows(200));
        assert_eq!(names(parts, 0), ["a-2.svg", "a-1.svg", "a-2-2.svg", "a-3.svg"]);
    }

    #[test]
    fn figures_without_a_png_are_counted() {
        let check = |all: usize, with_png: usize, can_write: bool, expect: Option<&str>| {
            assert_eq!(lacking(all, with_png, can_write).as_deref(), expect);
        };
        let option = "`bench-host report --all-figures` writes the PNG of each";
        let build = "this bench-host was built without the cargo feature `png`; build it with default features";
        check(64, 64, true, None);
        check(65, 64, true, Some(&format!("1 figure of 65 is SVG alone: {option}")));
        check(712, 12, true, Some(&format!("700 figures of 712 are SVG alone: {option}")));
        check(3, 0, false, Some(&format!("3 figures of 3 are SVG alone: {build}")));
        check(0, 0, false, None);
    }
}
