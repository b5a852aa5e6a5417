//! The page as a whole, and the files that go with it.

use super::courses::Courses;
use super::families::{self, PageFamily};
use super::write::{nested_list, safe};
use super::{cells, charts, compared, machine, sections, strip, targets};
use crate::document::{Body, Document, Section};
use crate::plots::Chart;
use crate::render::{Csv, Layout, Renderer};
use crate::{ComparisonReport, FamilyReport, RunView, TargetResult, notes, run_document};
use crate::{Detail, csv};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bench_sink::digest;
use bench_sink::runfile::RunFile;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Letters of a file's name, without a number and the extension.
const FILE_NAME_MAX: usize = 120;

/// What a report is made of.
#[derive(Clone, Debug, Default)]
pub struct Page<'a> {
    /// One at least.
    pub runs: Vec<PageRun<'a>>,
    /// What was compared, each with its title.
    pub comparisons: Vec<(String, ComparisonReport)>,
    /// What a reader must know beyond what the runs say of themselves. Not escaped.
    pub warnings: Vec<String>,
}

/// One run of a report.
#[derive(Clone, Debug)]
pub struct PageRun<'a> {
    /// The run.
    pub view: &'a RunView,
    /// The curves of its samples.
    pub courses: &'a Courses,
    /// The targets that the run was checked against.
    pub targets: Vec<TargetResult>,
    /// The document of the run without families.
    document: Document,
    families: Vec<PageFamily>,
}

/// A file that goes with a page.
#[derive(Clone, Debug)]
pub struct PageFile {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
}

impl<'a> PageRun<'a> {
    /// `view` and `courses` of the run in `file`, with what `families` say of it.
    pub fn new(view: &'a RunView, file: &RunFile, courses: &'a Courses, families: &[&dyn FamilyReport]) -> Self {
        let document = run_document(view, &[], Detail { all_cells: true, all_series: false });
        let families = families::of_run(view, file, families);
        Self { view, courses, targets: Vec::new(), document, families }
    }

    /// The sections of the run that the page does not show in a form of its own.
    fn others(&self) -> impl Iterator<Item = &Section> {
        self.document
            .sections
            .iter()
            .filter(|section| !["cells", "warnings", "footer"].contains(&section.name.as_str()))
    }
}

impl Page<'_> {
    /// The page as one HTML file.
    pub fn html(&self) -> String {
        let title = self.title();
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
            source(STYLE),
            source(SCRIPT)
        );
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the results</a>\n{}\n\
             <main id=\"main\"><noscript><p>Rows open with JavaScript; every table is complete without.</p></noscript>{}</main>\n{}\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
            self.header(&title),
            self.body(),
            self.footer(),
            title = safe(&title),
        )
    }

    fn title(&self) -> String {
        match self.runs.as_slice() {
            [run] => format!("bench-host: {}", run.view.id),
            runs => format!("bench-host: {} runs", runs.len()),
        }
    }

    fn header(&self, title: &str) -> String {
        let machines: Vec<String> = self.runs.iter().map(|run| notes::machine(run.view)).collect();
        let machine = machines.first().filter(|first| machines.iter().all(|other| other == *first));
        let machine = machine.map_or_else(|| "several machines or moments".to_owned(), Clone::clone);
        let links: String =
            self.links().iter().map(|(id, name)| format!("<a href=\"#{id}\">{}</a>", safe(name))).collect();
        format!(
            "<header><div><h1>{}</h1><p>{}</p></div><nav aria-label=\"Sections\">{links}</nav>\
             <button type=\"button\" id=\"theme\" aria-pressed=\"false\">Dark</button></header>",
            safe(title),
            safe(&machine)
        )
    }

    /// The identifiers and names of sections.
    fn links(&self) -> Vec<(String, String)> {
        let mut links = vec![("summary".to_owned(), "Summary".to_owned())];
        if !self.comparisons.is_empty() {
            links.push(("compared-0".to_owned(), "Comparisons".to_owned()));
        }
        if let Some(index) = self.runs.iter().position(|run| !run.targets.is_empty()) {
            links.push((format!("targets-{index}"), "Targets".to_owned()));
        }
        links.push(("run-0".to_owned(), "Cells".to_owned()));
        if let Some(index) = self.runs.iter().position(|run| !run.families.is_empty()) {
            links.push((families::anchor(index, 0), "Families".to_owned()));
        }
        links.push(("machine-0".to_owned(), "Machine".to_owned()));
        links
    }

    fn body(&self) -> String {
        let views: Vec<&RunView> = self.runs.iter().map(|run| run.view).collect();
        let comparisons: Vec<&ComparisonReport> = self.comparisons.iter().map(|(_, comparison)| comparison).collect();
        let held: Vec<&TargetResult> = self.runs.iter().flat_map(|run| &run.targets).collect();
        let warnings = self.all_warnings();
        let count = warnings.iter().filter(|line| !line.starts_with(' ')).count();
        let strip = strip::strip(&views, &comparisons, &held, count);
        let doubts = match warnings.is_empty() {
            true => String::new(),
            false => format!(
                "<details class=\"warnings\" open><summary>To keep in mind, and what was not measured ({})</summary>{}</details>",
                count,
                nested_list(&warnings)
            ),
        };
        let compared = self.comparisons.iter().enumerate();
        let compared: String = compared.map(|(index, (title, one))| compared::section(one, title, index)).collect();
        let runs: String = self.runs.iter().enumerate().map(|(index, run)| self.run(run, index)).collect();
        format!("<section id=\"summary\"><h2>Summary</h2>{strip}{doubts}</section>{compared}{runs}")
    }

    fn run(&self, run: &PageRun<'_>, index: usize) -> String {
        let title = if self.runs.len() == 1 { "Cells".to_owned() } else { format!("Run {}: cells", run.view.id) };
        let others = run.others().enumerate();
        let others: String = others.map(|(at, section)| sections::one(section, &format!("run-{index}-{at}"))).collect();
        let of_families = run.families.iter().enumerate();
        let of_families: String = of_families.map(|(at, family)| family.html(&families::anchor(index, at))).collect();
        format!(
            "{}<section id=\"run-{index}\"><h2>{}</h2>{}{others}</section>{of_families}{}",
            targets::section(run.view, &run.targets, index),
            safe(&title),
            cells::table(run.view, run.courses, index),
            machine::card(run.view, index)
        )
    }

    fn all_warnings(&self) -> Vec<String> {
        let of_runs = self.runs.iter().flat_map(|run| {
            let of_families = run.families.iter().flat_map(PageFamily::warnings);
            run.document.warnings().chain(of_families).map(str::to_owned)
        });
        of_runs.chain(self.warnings.iter().cloned()).collect()
    }

    fn footer(&self) -> String {
        let version = self.runs.first().map_or("", |run| run.view.fingerprint.host_version.as_str());
        format!(
            "<footer><p>Made by bench-host {}. Every figure is of the run file alone; the command of each cell measures it again. \
             limit: how many times what the machine itself takes.</p></footer>",
            safe(version)
        )
    }

    /// The tables as CSV, and the figures of the page as SVG and PNG. Those of single cells are among them where `every_cell`.
    pub fn files(&self, every_cell: bool) -> Vec<PageFile> {
        let mut files = Vec::new();
        for (index, (_, comparison)) in self.comparisons.iter().enumerate() {
            let name = numbered("comparisons", index, self.comparisons.len());
            files.push(table(&name, &compared::document(comparison)));
            if let Some(forest) = compared::forest(comparison) {
                let runs: Vec<String> = self.runs.iter().map(|run| notes::source(run.view)).collect();
                figures(
                    &mut files,
                    &numbered("ratios", index, self.comparisons.len()),
                    forest.with_note(&runs.join(" ")),
                );
            }
        }
        for (index, run) in self.runs.iter().enumerate() {
            self.files_of_run(run, index, &mut files);
            for cell in run.view.cells.iter().filter(|_| every_cell) {
                let anchor = cells::anchor(run.view, cell);
                for (what, chart) in charts::of_cell(run.view, cell, run.courses) {
                    figures(&mut files, &format!("{anchor}-{what}"), chart.with_note(&notes::source(run.view)));
                }
            }
        }
        files
    }

    /// The table of cells, targets, and what families say of one run.
    fn files_of_run(&self, run: &PageRun<'_>, index: usize, files: &mut Vec<PageFile>) {
        let name = |what: &str| numbered(&file_name(what), index, self.runs.len());
        let source = notes::source(run.view);
        let cells = Document { records: Some(csv::records(run.view)), ..Document::default() };
        files.push(table(&name("cells"), &cells));
        if let Some(bullets) = targets::bullets(&run.targets) {
            figures(files, &name("targets"), bullets.with_note(&source));
        }
        if !run.targets.is_empty() {
            files.push(table(&name("targets"), &crate::targets_document(run.view, &run.targets)));
        }
        let of_families = run.families.iter().flat_map(|family| &family.sections);
        for (at, section) in of_families.chain(run.others()).enumerate() {
            let own = name(&format!("{}-{at}", section.name));
            match &section.body {
                Body::Figure(figure) => figures(files, &own, Chart::Figure(figure.clone()).with_note(&source)),
                _ => files.push(table(&own, &Document { sections: vec![section.clone()], ..Document::default() })),
            }
        }
        for chart in run.families.iter().flat_map(|family| &family.charts) {
            let own = name(&chart.name);
            let is_taken = files.iter().any(|file| file.name == format!("{own}.svg"));
            let own = if is_taken { format!("{own}-{}", files.len()) } else { own };
            figures(files, &own, chart.chart.clone().with_note(&source));
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

fn table(name: &str, document: &Document) -> PageFile {
    PageFile { name: format!("{name}.csv"), content: Csv.render(document, &Layout::default()).into_bytes() }
}

fn figures(files: &mut Vec<PageFile>, name: &str, chart: Chart) {
    let svg = chart.svg().map(String::into_bytes).map(|content| (".svg", content));
    let png = chart.png().map(|content| (".png", content));
    files.extend(svg.into_iter().chain(png).map(|(end, content)| PageFile { name: format!("{name}{end}"), content }));
}

/// What a content security policy permits: exactly this text.
fn source(text: &str) -> String {
    let hex = digest::of_bytes(text.as_bytes());
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).filter_map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect();
    format!("sha256-{}", STANDARD.encode(bytes))
}
