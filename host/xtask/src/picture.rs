//! `picture`: draws the picture of the README from a run that is checked in, so that a test can draw it again. The run is a real one,
//! and `--measure` replaces it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command_line::{PluginRequest, Profile};
use crate::output::say;
use crate::project::Project;
use crate::{demo, plugins, setup, tool};

/// Holds the run and the picture, from the root.
const FOLDER: &str = "host/picture";

/// The name of a run's file in its directory.
const RUN: &str = "run.jsonl";

/// The figure of the report that is the picture.
const FIGURE: &str = "ratios.svg";

/// What is measured: as little as gives intervals, because every sample is checked in.
const MEASURED: [&str; 6] = ["compare", "kernels/*", "--processes", "4", "--time", "1s"];

/// Draws the picture, after measuring its run where that is asked for.
pub(crate) fn run(project: &Project, is_measured: bool) -> Result<()> {
    let scratch = project.target().join("picture");
    if scratch.exists() {
        fs::remove_dir_all(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))?;
    }
    let folder = project.root().join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    if is_measured {
        measure(project, &scratch.join("runs"), &folder.join(RUN))?;
    }
    if !folder.join(RUN).is_file() {
        bail!("{FOLDER} has no {RUN}: measure one with `cargo xtask picture --measure`");
    }
    let mut report = project.cargo(None);
    report.args(["run", "--quiet", "--package", "bench-host", "--", "report", FOLDER, "--to"]).arg(&scratch);
    tool::run(&mut report)?;
    copy(&scratch.join("report").join(FIGURE), &folder.join(FIGURE))?;
    say(format_args!("picture: {FOLDER}/{FIGURE}"));
    Ok(())
}

/// Builds what is measured, measures it, and keeps the run as `kept`.
fn measure(project: &Project, runs: &Path, kept: &Path) -> Result<()> {
    setup::run_required(project)?;
    let names = vec!["kernels".to_owned()];
    plugins::run(project, &PluginRequest { names, ..PluginRequest::all(Profile::Release) })?;
    let program = demo::full_host(project)?;
    tool::run(project.command(program).args(MEASURED).args(["--modules", "plugins", "--out"]).arg(runs))?;
    copy(&only_run(runs)?, kept)
}

/// The file of the only run in `runs`.
fn only_run(runs: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(runs).with_context(|| format!("cannot list {}", runs.display()))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path().join(RUN))).filter(|file| file.is_file()).collect();
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        _ => bail!("{} does not hold one run", runs.display()),
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_is_the_only_folder_with_a_run_file() {
        let runs = tempfile::tempdir().unwrap();
        let is_ok = |expect: bool| assert_eq!(only_run(runs.path()).is_ok(), expect);
        is_ok(false);
        fs::write(runs.path().join(".index.jsonl"), "").unwrap();
        fs::create_dir(runs.path().join("a")).unwrap();
        fs::write(runs.path().join("a").join(RUN), "").unwrap();
        is_ok(true);
        fs::create_dir(runs.path().join("b")).unwrap();
        fs::write(runs.path().join("b").join(RUN), "").unwrap();
        is_ok(false);
    }
}
