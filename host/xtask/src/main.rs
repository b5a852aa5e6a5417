//! The project's tasks, run as `cargo xtask`: prepare a machine, build and show the modules, test, check the sources. It must not
//! depend on any bench-* crate, so that it compiles in seconds, and works when they do not compile.

mod abi;
mod artifact;
mod command_line;
mod demo;
mod dist;
mod field;
mod go;
mod hostile;
mod lock;
mod output;
mod package;
mod picture;
mod plugins;
mod probes;
mod processor;
mod project;
mod reproducible;
mod setup;
mod sources;
mod test;
mod tidy;
mod tool;
mod unchanged;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::command_line::Task;
use crate::project::Project;

fn main() -> ExitCode {
    if let Some(root) = std::env::var_os(reproducible::ROOT) {
        return reproducible::compile(Path::new(&root));
    }
    if let Some(file) = std::env::var_os(field::USAGE) {
        return field::run_measured(Path::new(&file));
    }
    if let Some(folder) = std::env::var_os(test::PASSED) {
        return test::run_executable(Path::new(&folder));
    }
    let task = command_line::parse();
    match Project::find().and_then(|project| perform(&project, task)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one task. Only the demo has an exit status of its own: that of the host.
fn perform(project: &Project, task: Task) -> Result<ExitCode> {
    match task {
        Task::Setup { extent } => setup::run(project, extent)?,
        Task::Plugins { request } => plugins::run(project, &request)?,
        Task::Probes { profile, is_heavy } => {
            probes::run(project, profile)?;
            if is_heavy {
                probes::heavy(project, profile)?;
            }
        }
        Task::Abi => abi::run(project)?,
        Task::Picture { is_measured } => picture::run(project, is_measured)?,
        Task::Demo { extent } => return demo::run(project, extent),
        Task::Dist { is_tried } => dist::run(project, is_tried)?,
        Task::Test { extent, is_repeated } => test::run(project, extent, is_repeated)?,
        Task::Tidy => tidy::run(project)?,
        Task::Field => field::run(project)?,
    }
    Ok(ExitCode::SUCCESS)
}
