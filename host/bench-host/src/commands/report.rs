//! `report`: writes the report of runs as one HTML file with its figures and tables, or prints a document for another program.

use super::validate::evaluate_all;
use crate::cli::{ReportArgs, ReportFormat};
use crate::exports::Format;
use crate::{Exit, derived, families, output, paths};
use anyhow::Context;
use bench_report::{ComparisonReport, Courses, Detail, Options, Page, PageRun, RunView, run_document};
use bench_sink::runfile::{Record, RunFile};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The name of the page.
const PAGE: &str = "report.html";

/// The folder of figures and tables, next to the page.
const FOLDER: &str = "report";

/// Where GitHub Actions takes the summary of a job from.
const SUMMARY_VARIABLE: &str = "GITHUB_STEP_SUMMARY";

pub(crate) fn run(arguments: &ReportArgs) -> anyhow::Result<Exit> {
    let directories = match arguments.runs.as_slice() {
        [] => vec![paths::run_directory(None, &arguments.out)?],
        runs => runs.to_vec(),
    };
    match (arguments.format, directories.as_slice()) {
        (None, directories) => page(arguments, directories),
        (Some(format), [directory]) => export(arguments, format, directory),
        (Some(_), more) => anyhow::bail!("--format prints the document of one run, and {} were given", more.len()),
    }
}

/// A run with everything that is read from its file.
struct ReadRun {
    file: RunFile,
    view: RunView,
    courses: Courses,
}

impl ReadRun {
    fn new(directory: &Path) -> anyhow::Result<Self> {
        let file = RunFile::read(directory)?;
        let courses = Courses::of(&file)?;
        Ok(Self { view: RunView::of(file.clone())?, courses, file })
    }

    /// The comparison of the cells that were measured interleaved, if there are such.
    fn paired(&self, delta: f64) -> anyhow::Result<Option<ComparisonReport>> {
        if !self.file.records.iter().any(|record| matches!(record, Record::Pairing(_))) {
            return Ok(None);
        }
        let options = Options { delta: delta / 100.0, seed: self.view.seed };
        Ok(Some(ComparisonReport::of_pairs(self.file.clone(), &options)?))
    }
}

/// Writes the page and what goes with it, and prints the names of the files.
fn page(arguments: &ReportArgs, directories: &[PathBuf]) -> anyhow::Result<Exit> {
    let runs: Vec<ReadRun> =
        directories.iter().map(|directory| ReadRun::new(directory)).collect::<anyhow::Result<_>>()?;
    let mut page = Page::default();
    for run in &runs {
        let mut of_run = PageRun::new(&run.view, &run.file, &run.courses, families::reports());
        of_run.targets = evaluate_all(&run.view, &arguments.targets)?;
        page.runs.push(of_run);
        let title = if runs.len() == 1 { "Comparisons".to_owned() } else { format!("Comparisons in {}", run.view.id) };
        match run.paired(arguments.delta) {
            Ok(comparison) => page.comparisons.extend(comparison.map(|comparison| (title, comparison))),
            Err(error) => page.warnings.push(format!("{} has no comparison: {error:#}", run.view.id)),
        }
    }
    for other in &runs[1..] {
        compare(&mut page, &runs[0], other, arguments);
    }
    let folder = folder(arguments, directories)?;
    let of_page = page.files(arguments.all_figures);
    page.remarks.extend(of_page.lacking.clone());
    let mut written = vec![write(&folder.join(PAGE), page.html().as_bytes())?];
    let files = folder.join(FOLDER);
    for file in &of_page.files {
        fs::create_dir_all(&files).with_context(|| cannot_write(&files))?;
        written.push(write(&files.join(&file.name), &file.content)?);
    }
    let mut lines = vec![written[0].clone()];
    lines.push(format!("{} figures and tables in {}", written.len() - 1, files.display()));
    lines.extend(of_page.lacking);
    if let ([run], None) = (runs.as_slice(), &arguments.to) {
        let derived = derived::write_read(&folder, &run.file, &run.view)?;
        lines.extend(derived.written.iter().map(|name| folder.join(name).display().to_string()));
        lines.extend(derived.absent);
    }
    let lines: Vec<_> = lines.iter().map(|line| bench_report::escape(line).into_owned()).collect();
    output::print(&lines.join("\n"))?;
    Ok(Exit::Done)
}

/// Compares the cells of `other` with those of `first`. Why they cannot be compared is a line of the page.
fn compare(page: &mut Page<'_>, first: &ReadRun, other: &ReadRun, arguments: &ReportArgs) {
    let options = Options { delta: arguments.delta / 100.0, seed: first.view.seed };
    let (a, b) = (vec![first.file.clone()], vec![other.file.clone()]);
    match ComparisonReport::of_runs(a, b, &options, arguments.across_machines) {
        Ok(comparison) => {
            let title = format!("{} (B) compared with {} (A)", other.view.id, first.view.id);
            page.comparisons.push((title, comparison));
        }
        Err(error) => page.warnings.push(format!("{} was not compared: {error}", other.view.id)),
    }
}

/// Where the files go.
fn folder(arguments: &ReportArgs, directories: &[PathBuf]) -> anyhow::Result<PathBuf> {
    let folder = match (&arguments.to, directories) {
        (Some(to), _) => to,
        // A run can be named by its file.
        (None, [directory]) if directory.is_file() => directory.parent().unwrap_or(Path::new(".")),
        (None, [directory]) => directory,
        (None, _) => &arguments.out,
    };
    fs::create_dir_all(folder).with_context(|| cannot_write(folder))?;
    Ok(folder.to_owned())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<String> {
    own_files::replace(path, content).with_context(|| cannot_write(path))?;
    Ok(path.display().to_string())
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}; name another folder with --to DIR", path.display())
}

/// Prints the document of one run in a format.
fn export(arguments: &ReportArgs, format: Format, directory: &Path) -> anyhow::Result<Exit> {
    let run = ReadRun::new(directory)?;
    let view = &run.view;
    let format = match format {
        Format::Own(format) => format,
        Format::OfFamily(export) => {
            let why = |why| anyhow::anyhow!("{}: no document {}: {why}", directory.display(), export.name);
            output::print(&(export.print)(view).map_err(why)?)?;
            return Ok(Exit::Done);
        }
    };
    let document = || run_document(view, families::reports(), Detail::default());
    let text = match format {
        ReportFormat::AetherlessJson => {
            let categories = bench_registry::categories()?;
            let category = |scenario: &str| categories.of(scenario).map(|category| category.name.clone());
            bench_report::aetherless_json(view, category)
        }
        ReportFormat::BencherJson => bench_report::bencher_json(view),
        ReportFormat::GithubComment => {
            bench_report::github_comment(view, &document(), run.paired(arguments.delta)?.as_ref())
        }
        ReportFormat::GithubSummary => {
            return summary(&bench_report::github_summary(view, &document(), run.paired(arguments.delta)?.as_ref()));
        }
        ReportFormat::Hgrm => return hgrm(arguments, view),
        ReportFormat::Junit => bench_report::junit_xml(view, &evaluate_all(view, &arguments.targets)?),
        ReportFormat::Openmetrics => bench_report::openmetrics(view),
    };
    output::print(&text)?;
    Ok(Exit::Done)
}

/// Appends the summary to the file of the job, or prints it outside of a job.
fn summary(text: &str) -> anyhow::Result<Exit> {
    let Some(path) = std::env::var_os(SUMMARY_VARIABLE).filter(|path| !path.is_empty()) else {
        output::print(text)?;
        return Ok(Exit::Done);
    };
    let path = PathBuf::from(path);
    let appended =
        fs::File::options().create(true).append(true).open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    appended
        .with_context(|| format!("cannot append the summary to {}, which {SUMMARY_VARIABLE} names", path.display()))?;
    Ok(Exit::Done)
}

/// The distribution of one cell on standard output, or a file for each cell.
fn hgrm(arguments: &ReportArgs, view: &RunView) -> anyhow::Result<Exit> {
    let all = bench_report::hgrm(view);
    match (all.as_slice(), &arguments.to) {
        ([], _) => anyhow::bail!("no cell of the run {} has figures", view.id),
        (all, Some(folder)) => {
            fs::create_dir_all(folder).with_context(|| cannot_write(folder))?;
            let written: Vec<String> = all
                .iter()
                .map(|one| write(&folder.join(&one.file), one.text.as_bytes()))
                .collect::<anyhow::Result<_>>()?;
            output::print(&written.join("\n"))?;
        }
        ([one], None) => output::print(&one.text)?,
        (all, None) => anyhow::bail!(
            "the run {} has {} cells with figures, and a file holds one; name a folder for them with --to DIR",
            view.id,
            all.len()
        ),
    }
    Ok(Exit::Done)
}
