//! `results`: lists the runs of all families, puts two groups of runs side by side, and finds steps in the history of a scenario.
//! Nothing is measured.

mod groups;
mod index;
mod select;

use crate::family_options::FamilyFilters;
use crate::show::ShowArgs;
use crate::{Exit, output, paths};
use anyhow::Context;
use bench_report::{History, RunEntry, history_document, trend_document};
use clap::Args;
use index::Index;
use select::Filter;
use std::path::PathBuf;

/// The default of --last.
const LAST: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct ResultsArgs {
    /// Show the newest N runs that match, of each group if there are two [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    last: Option<u32>,
    /// Only runs of this git revision, given by its first digits; two revisions are put side by side with a verdict
    #[arg(long, value_name = "SHA", num_args = 1..=2)]
    sha: Vec<String>,
    /// Only runs of this git branch; two branches are put side by side with a verdict
    #[arg(long, value_name = "NAME", num_args = 1..=2, conflicts_with = "sha")]
    branch: Vec<String>,
    /// Find steps in the history of these scenarios, in all runs unless --last says otherwise, and what caused each: the machine or a commit
    #[arg(long, value_name = "SCENARIO", conflicts_with = "scenario")]
    trend: Option<String>,
    /// Only scenarios whose full name `module/scenario`, module or own name matches
    #[arg(long, value_name = "GLOB")]
    scenario: Option<String>,
    /// Only cells with this value of a parameter, such as `payload_bytes=64`; the options of families for `run` do the same
    #[arg(short = 'p', long = "parameter", value_name = "KEY=VALUE", value_parser = crate::cli::key_values)]
    parameters: Vec<(String, Vec<String>)>,
    #[command(flatten)]
    families: FamilyFilters,
    /// Only runs of this machine: its six digits, part of the name of its processor, or `this`
    #[arg(long, value_name = "MACHINE")]
    machine: Option<String>,
    /// Folder that holds the run directories
    #[arg(long, value_name = "DIR", default_value = "results")]
    out: PathBuf,
    /// Smallest difference that matters between two groups, in per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = crate::cli::percent)]
    delta: f64,
    #[command(flatten)]
    show: ShowArgs,
}

pub(crate) fn run(arguments: &ResultsArgs) -> anyhow::Result<Exit> {
    let directories = paths::runs(&arguments.out).with_context(|| {
        format!("cannot read {}; give the folder of the run directories with --out DIR", arguments.out.display())
    })?;
    let index = Index::open(&arguments.out, &directories);
    let filter = Filter::new(arguments)?;
    let runs: Vec<RunEntry> = index.runs.into_iter().filter_map(|run| filter.narrowed(run)).collect();
    let mut left_out = index.unreadable;
    if arguments.sha.len() == 2 || arguments.branch.len() == 2 {
        left_out.iter().for_each(|line| output::line(&format!("bench-host: {line}")));
        return groups::compare(arguments, &filter, &runs);
    }
    if arguments.trend.is_some() {
        return trend(arguments, runs, left_out);
    }
    let shown = newest(runs, arguments.last.map_or(LAST, |last| last as usize), &mut left_out);
    if shown.is_empty() {
        anyhow::bail!(
            "{} of {} runs in {} match; {}",
            if directories.is_empty() { "none" } else { "0" },
            directories.len(),
            arguments.out.display(),
            if directories.is_empty() { "make one with `bench-host run`" } else { "name fewer conditions" }
        );
    }
    arguments.show.print(&history_document(&History { runs: shown, left_out }))?;
    Ok(Exit::Done)
}

/// Prints the steps in the cells of `runs`.
fn trend(arguments: &ResultsArgs, runs: Vec<RunEntry>, mut left_out: Vec<String>) -> anyhow::Result<Exit> {
    let last = arguments.last.map_or(runs.len(), |last| last as usize);
    let runs = newest(runs, last, &mut left_out);
    anyhow::ensure!(
        !runs.is_empty(),
        "no run in {} has a scenario `{}`; list what there is with `bench-host results`",
        arguments.out.display(),
        arguments.trend.as_deref().unwrap_or_default()
    );
    arguments.show.print(&trend_document(&runs, left_out))?;
    Ok(Exit::Done)
}

/// The newest `last` of `runs`, which are sorted by time; a line is added if there are more.
fn newest(mut runs: Vec<RunEntry>, last: usize, left_out: &mut Vec<String>) -> Vec<RunEntry> {
    let older = runs.len().saturating_sub(last);
    if older > 0 {
        left_out.push(format!("{older} older runs are not shown; show more with --last N"));
    }
    runs.split_off(older)
}
