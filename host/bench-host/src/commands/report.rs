//! `report`: prints a document made from a run file.

use crate::cli::{ReportArgs, ReportFormat};
use crate::{Exit, derived, output, paths};
use anyhow::Context;
use bench_report::RunView;
use std::path::Path;

pub(crate) fn run(arguments: &ReportArgs) -> anyhow::Result<Exit> {
    let directory = paths::run_directory(arguments.run.as_deref(), &arguments.out)?;
    let Some(format) = arguments.format else { return files(&directory) };
    let view = RunView::read(&directory)?;
    let text = match format {
        ReportFormat::AetherlessJson => {
            let categories = bench_registry::categories()?;
            let category = |scenario: &str| categories.of(scenario).map(|category| category.name.clone());
            bench_report::aetherless_json(&view, category)
        }
        ReportFormat::OperatorsJson => bench_report::operators_json(&view),
        ReportFormat::BreakEvenJson => bench_report::break_even_json(&view),
        ReportFormat::BreakEvenSvg => bench_report::break_even_svg(&view).with_context(|| {
            format!(
                "the run {} has no figure of a cold start; `bench-host run serverless` makes some",
                directory.display()
            )
        })?,
    };
    output::print(&text)?;
    Ok(Exit::Done)
}

/// Writes the derived files of the run again, and prints their names.
fn files(directory: &Path) -> anyhow::Result<Exit> {
    let (_, derived) = derived::write(directory)?;
    let written = derived.written.iter().map(|name| directory.join(name).display().to_string());
    let lines: Vec<_> = written.chain(derived.absent).map(|line| bench_report::escape(&line).into_owned()).collect();
    let none = "this run has no derived files; choose a document with --format";
    output::print(&if lines.is_empty() { none.to_owned() } else { lines.join("\n") })?;
    Ok(Exit::Done)
}
