//! The page as a whole.

use super::courses::Courses;
use super::families::{self, PageFamily};
use super::write::{nested_list, safe};
use super::{cells, compared, machine, sections, strip, targets};
use crate::document::{Document, Section};
use crate::{ComparisonReport, Detail, FamilyReport, RunView, TargetResult, notes, run_document};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bench_sink::digest;
use bench_sink::runfile::RunFile;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What a report is made of.
#[derive(Clone, Debug, Default)]
pub struct Page<'a> {
    /// One at least.
    pub runs: Vec<PageRun<'a>>,
    /// What was compared, each with its title.
    pub comparisons: Vec<(String, ComparisonReport)>,
    /// What a reader must know beyond what the runs say of themselves. Not escaped.
    pub warnings: Vec<String>,
    /// Lines at the end, such as which figures have no file of their own. Not escaped.
    pub remarks: Vec<String>,
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
    pub(super) families: Vec<PageFamily>,
}

impl<'a> PageRun<'a> {
    /// `view` and `courses` of the run in `file`, with what `families` say of it.
    pub fn new(view: &'a RunView, file: &RunFile, courses: &'a Courses, families: &[&dyn FamilyReport]) -> Self {
        let document = run_document(view, &[], Detail { all_cells: true, all_series: false });
        let families = families::of_run(view, file, families);
        Self { view, courses, targets: Vec::new(), document, families }
    }

    /// The sections of the run that the page does not show in a form of its own.
    pub(super) fn others(&self) -> impl Iterator<Item = &Section> {
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
        let source = notes::source(run.view);
        let others = run.others().enumerate();
        let others: String =
            others.map(|(at, section)| sections::one(section, &format!("run-{index}-{at}"), &source)).collect();
        let of_families = run.families.iter().enumerate();
        let of_families: String =
            of_families.map(|(at, family)| family.html(&families::anchor(index, at), &source)).collect();
        format!(
            "{}<section id=\"run-{index}\"><h2>{}</h2><p class=\"note\">Figures: {}</p>{}{others}</section>\
             {of_families}{}",
            targets::section(run.view, &run.targets, index),
            safe(&title),
            safe(&source),
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
        let remarks: String = self.remarks.iter().map(|line| format!("<p>{}</p>", safe(line))).collect();
        format!(
            "<footer><p>Made by bench-host {}. Every figure is of the run file alone; the command of each cell measures it again. \
             limit: how many times what the machine itself takes.</p>{remarks}</footer>",
            safe(version)
        )
    }
}

/// What a content security policy permits: exactly this text.
fn source(text: &str) -> String {
    let hex = digest::of_bytes(text.as_bytes());
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).filter_map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect();
    format!("sha256-{}", STANDARD.encode(bytes))
}
