//! `demo`: builds and runs from a fresh checkout to a first table and a comparison, or to a table of all modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::{panic, thread};

use anyhow::{Context, Result, ensure};

use crate::command_line::{Extent, PluginRequest, Profile};
use crate::output::say;
use crate::project::Project;
use crate::{artifact, plugins, probes, setup, tool};

/// The plug-ins of the first table.
const FIRST: [&str; 2] = ["kernels", "ring-client"];

/// Leaves out of the host the families and commands that a first table does not need.
pub(crate) const LEAN_FEATURES: &str = "--no-default-features";

/// Builds the lean host, and optimises only what its figures depend on.
const LEAN: [&str; 3] = ["--profile", "quick", LEAN_FEATURES];

/// Builds the complete host.
const FULL: [&str; 1] = ["--release"];

/// The commands of the small host: a suite of about twenty cells, then one scenario in both arms. Rooflines are measured with little
/// effort, because with more they take longer than the cells.
const SHOWN: [&[&str]; 2] = [
    &["run", "demo", "--quick", "--processes", "2", "--time", "200ms"],
    &["compare", "kernels/crc32c", "--quick", "--processes", "4", "--time", "1s"],
];

/// All modules together have many cells, so each cell gets little time.
const EFFORT: [&str; 4] = ["--processes", "2", "--time", "400ms"];

/// Prepares the machine, builds in release, runs the host, and returns the host's exit status.
pub(crate) fn run(project: &Project, extent: Extent) -> Result<ExitCode> {
    match extent {
        Extent::Required => first(project),
        Extent::All => everything(project),
    }
}

fn first(project: &Project) -> Result<ExitCode> {
    setup::run_required(project)?;
    let names = FIRST.map(str::to_owned).to_vec();
    let request = PluginRequest { names, ..PluginRequest::all(Profile::Release) };
    let program = with_plugins(project, &request, || host(project, &LEAN))?;
    for words in SHOWN {
        let status = show(project.command(&program).args(words).args(["--modules", "plugins"]))?;
        if !status.success() {
            return code(status);
        }
    }
    say("\nWhat else there is:\n\
         \x20 cargo xtask demo --all             every plug-in and probe, built and measured\n\
         \x20 bench-host report                  the last run as one page, report.html, with its figures and tables\n\
         \x20 bench-host new NAME --lang rust    a plug-in of your own: rust, python or js; go and c need the whole host (README: Install)");
    say(format_args!("bench-host is {}", program.display()));
    Ok(ExitCode::SUCCESS)
}

fn everything(project: &Project) -> Result<ExitCode> {
    setup::run(project, Extent::Required)?;
    let program = with_plugins(project, &PluginRequest::all(Profile::Release), || {
        probes::run(project, Profile::Release)?;
        full_host(project)
    })?;
    let mut modules = modules(project.root(), "plugins", "wasm")?;
    modules.extend(self::modules(project.root(), "native-probes", artifact::LIBRARY)?);
    ensure!(!modules.is_empty(), "there is no module to load: build some with `cargo xtask plugins`");
    code(show(project.command(program).arg("load").args(EFFORT).args(modules))?)
}

/// Builds the plug-ins and at the same time `rest`, which is of another workspace: each build has times in which it compiles one crate,
/// and one processor waits.
fn with_plugins<T>(project: &Project, request: &PluginRequest, rest: impl FnOnce() -> Result<T>) -> Result<T> {
    thread::scope(|scope| {
        let plugins = scope.spawn(|| plugins::run(project, request));
        let rest = rest();
        plugins.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
        rest
    })
}

/// Builds the host with these cargo options, and returns its path.
fn host(project: &Project, options: &[&str]) -> Result<PathBuf> {
    say(format_args!("host: bench-host, {}", options.join(" ")));
    let mut cargo = project.cargo(None);
    artifact::build_program(cargo.args(["build", "--package", "bench-host", "--bins"]).args(options))
}

/// The complete host.
pub(crate) fn full_host(project: &Project) -> Result<PathBuf> {
    host(project, &FULL)
}

/// Prints the command, runs it, and waits for it.
fn show(command: &mut Command) -> Result<ExitStatus> {
    say(format_args!("\ndemo: {}", tool::display(command)));
    command.status().with_context(|| format!("cannot start `{}`", tool::display(command)))
}

fn code(status: ExitStatus) -> Result<ExitCode> {
    let code = status.code().with_context(|| format!("the host was killed by a signal ({status})"))?;
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The modules in a folder of the root, as paths from the root, in the order of their names.
fn modules(root: &Path, folder: &str, extension: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(root.join(folder)).with_context(|| format!("{folder}/ cannot be listed"))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let of_kind = |name: &String| !name.starts_with('.') && Path::new(name).extension().is_some_and(|e| e == extension);
    let mut paths: Vec<String> = names.filter(of_kind).map(|name| format!("{folder}/{name}")).collect();
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_by_extension_and_sorted() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("plugins")).unwrap();
        for name in ["b.wasm", "a.wasm", "a.so", ".c.wasm", "Cargo.toml", ".d.wasm.1.tmp"] {
            fs::write(root.path().join("plugins").join(name), "").unwrap();
        }
        assert_eq!(modules(root.path(), "plugins", "wasm").unwrap(), ["plugins/a.wasm", "plugins/b.wasm"]);
        let error = modules(root.path(), "absent", "wasm").unwrap_err();
        assert_eq!(error.to_string(), "absent/ cannot be listed");
    }
}
