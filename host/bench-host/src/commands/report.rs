//! `report`: documents made of a run file, and of nothing else.

use crate::cli::{ReportArgs, ReportFormat};
use crate::{Exit, output, paths};
use anyhow::Context;
use bench_report::RunView;

pub(crate) fn run(arguments: &ReportArgs) -> anyhow::Result<Exit> {
    let directory = paths::run_directory(arguments.run.as_deref(), &arguments.out)?;
    let view = RunView::read(&directory)?;
    let text = match arguments.format {
        ReportFormat::AetherlessJson => {
            let categories = bench_registry::categories()?;
            let category = |scenario: &str| categories.of(scenario).map(|category| category.name.clone());
            bench_report::aetherless_json(&view, category)
        }
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
