//! The demonstration: from a bare checkout to one table over every module.
//! It must not know what the table shows.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::command_line::{Extent, Profile, Twins};
use crate::output::say;
use crate::project::Project;
use crate::{artifact, plugins, probes, setup, tool};

/// Every module has many cells, and who only wants to see the table should not wait for a quarter of an hour.
const EFFORT: [&str; 4] = ["--processes", "2", "--time", "400ms"];

/// Prepares the machine, builds everything in release, loads every module, and ends with the host's own status.
pub(crate) fn run(project: &Project) -> Result<ExitCode> {
    setup::run(project, Extent::Required)?;
    plugins::run(project, Profile::Release, Twins::Portable)?;
    probes::run(project, Profile::Release)?;
    say("demo: the host (release)");
    let program =
        artifact::build_program(project.cargo(None).args(["build", "--release", "--package", "bench-host", "--bins"]))?;

    let mut modules = modules(project.root(), "plugins", "wasm")?;
    modules.extend(self::modules(project.root(), "native-probes", artifact::LIBRARY)?);
    ensure!(!modules.is_empty(), "there is no module to load: add one to plugins/ with `bench-host new NAME`");
    let mut command = project.command(program);
    command.arg("load").args(EFFORT).args(modules);
    say(format_args!("demo: {}", tool::display(&command)));
    let status = command.status().with_context(|| format!("`{}` could not be started", tool::display(&command)))?;
    let code =
        status.code().with_context(|| format!("`{}` was ended by a signal ({status})", tool::display(&command)))?;
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
    fn modules_are_found_by_extension_in_order() {
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
