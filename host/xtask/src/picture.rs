//! `picture`: draws the picture of the README from a run that is checked in, so that a test can draw it again. The run is a real one,
//! and `--measure` replaces it.

use std::fs;
use std::os::unix::process::CommandExt;
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

/// Where the run is measured, from the root: a run names its command, which must not contain a path of this machine.
const MEASURED_IN: &str = "results/picture";

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
    // The build of releases, because that of the tests has other features when it is built alone, and takes as long.
    let program = demo::full_host(project)?;
    if is_measured {
        measure(project, &program, &folder.join(RUN))?;
    }
    if !folder.join(RUN).is_file() {
        bail!("{FOLDER} has no {RUN}: measure one with `cargo xtask picture --measure`");
    }
    tool::run(project.command(&program).args(["report", FOLDER, "--to"]).arg(&scratch))?;
    copy(&scratch.join("report").join(FIGURE), &folder.join(FIGURE))?;
    say(format_args!("picture: {FOLDER}/{FIGURE}"));
    Ok(())
}

/// Builds what is measured, measures it with the host `program`, and keeps the run as `kept`.
fn measure(project: &Project, program: &Path, kept: &Path) -> Result<()> {
    let runs = project.root().join(MEASURED_IN);
    if runs.exists() {
        fs::remove_dir_all(&runs).with_context(|| format!("cannot remove {MEASURED_IN}"))?;
    }
    setup::run_required(project)?;
    let names = vec!["kernels".to_owned()];
    plugins::run(project, &PluginRequest { names, ..PluginRequest::all(Profile::Release) })?;
    let mut host = project.command(program);
    host.arg0("bench-host").args(MEASURED).args(["--modules", "plugins", "--out", MEASURED_IN]);
    tool::run(&mut host)?;
    copy(&only_run(&runs)?, kept)
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
