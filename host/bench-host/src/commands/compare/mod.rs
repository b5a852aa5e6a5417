//! `compare`: compares two arms, two runs, or two git revisions. Figures are always read from run files, which are measured first
//! where they do not exist.

mod arms;
mod git;
mod runs;

use crate::cli::{CompareArgs, Format};
use crate::{Exit, output};
use bench_report::{Comparison, Options, Style, comparison_csv, comparison_json, comparison_notes, comparison_table};
use bench_sink::runfile;
use std::path::{Path, PathBuf};

pub(crate) fn run(arguments: CompareArgs) -> anyhow::Result<Exit> {
    if let Some(range) = &arguments.git {
        return git::run(&arguments, range);
    }
    let directories: Vec<PathBuf> = arguments.what.iter().map(PathBuf::from).filter(|path| path.is_dir()).collect();
    match directories.len() {
        0 => arms::run(&arguments),
        given if given == arguments.what.len() => runs::run(&arguments, &directories),
        _ => {
            let file = arguments.what.iter().find(|what| !Path::new(what).is_dir()).map_or("", String::as_str);
            anyhow::bail!("`{file}` is not a run directory; give two run directories, or scenarios only")
        }
    }
}

/// The options of a comparison.
fn options(arguments: &CompareArgs, seed: u64) -> Options {
    Options { delta: arguments.delta / 100.0, seed }
}

/// Prints `comparison` and the folders that it was read from; returns the exit status.
fn conclude(comparison: &Comparison, format: Format, directories: &[&Path]) -> anyhow::Result<Exit> {
    let text = match format {
        Format::Table => {
            let table = comparison_table(comparison, Style::Table);
            let directories: Vec<_> = directories.iter().map(|path| path.display().to_string()).collect();
            let what = if directories.len() == 1 { "run directory" } else { "run directories" };
            format!("{table}\n{what}: {}\n", directories.join(" "))
        }
        Format::Markdown => comparison_table(comparison, Style::Markdown),
        Format::Json => comparison_json(comparison),
        Format::Csv => comparison_csv(comparison),
    };
    output::print(&text)?;
    if matches!(format, Format::Csv) {
        comparison_notes(comparison).iter().for_each(|note| output::line(&format!("bench-host: {note}")));
    }
    Ok(match (comparison.findings(), comparison.has_ratios()) {
        (1.., _) => Exit::Finding,
        (0, true) => Exit::Done,
        (0, false) => Exit::NotMeasured,
    })
}

/// Whether `directory` contains a run file.
fn is_run(directory: &Path) -> bool {
    directory.join(runfile::FILE_NAME).is_file()
}
