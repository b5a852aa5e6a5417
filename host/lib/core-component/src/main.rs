//! `core-component`: makes a component of a core module, for the task runner, which builds plug-ins before the host.

use core_component::component;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [wit, core, file] = &arguments[..] else {
        eprintln!("usage: core-component WIT CORE FILE");
        return ExitCode::from(2);
    };
    match wrap(wit, core, file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("core-component: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the component around `core` into `file`; each folder of `wit` has a package of its name.
fn wrap(wit: &Path, core: &Path, file: &Path) -> Result<(), String> {
    let mut packages = Vec::new();
    for entry in fs::read_dir(wit).map_err(|error| in_file(wit, error))? {
        let folder = entry.map_err(|error| in_file(wit, error))?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = folder.join(format!("{name}.wit"));
        if text.is_file() {
            packages.push((name, fs::read_to_string(&text).map_err(|error| in_file(&text, error))?));
        }
    }
    packages.sort();
    let packages: Vec<_> = packages.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let module = fs::read(core).map_err(|error| in_file(core, error))?;
    let component = component(&module, &packages).map_err(|error| in_file(core, error))?;
    fs::write(file, component).map_err(|error| in_file(file, error))
}

fn in_file(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
