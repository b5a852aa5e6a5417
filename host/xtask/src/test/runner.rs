//! Runs test executables in place of cargo, and collects which tests were skipped. A deterministic executable that has passed as it is, is not
//! started again.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitCode};

use anyhow::{Context, Result};

use super::skipped;
use crate::output::say;
use crate::package;
use crate::project::Project;
use crate::tool;
use crate::unchanged::{self, Inputs};

/// The environment variable that makes this program a runner: the folder of what has passed.
pub(crate) const PASSED: &str = "BENCH_HOST_PASSED";

/// The environment variable with the deterministic tests, `PACKAGE/NAME`, separated by spaces.
const DETERMINISTIC: &str = "BENCH_HOST_DETERMINISTIC";

/// The environment variable with a folder that comes first in the search path of tests.
const FIRST: &str = "BENCH_HOST_FIRST_IN_PATH";

/// A copy of this program, removed when it is dropped. Another checkout with the same target folder may build its own in place of this one
/// while tests run.
pub(super) struct Copied(PathBuf);

impl Copied {
    /// Copies this program into `folder`, and removes copies of processes that have ended without doing so.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        const PREFIX: &str = "runner-";
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
                let _ = fs::remove_file(entry.path());
            }
        }
        let copy = Self(folder.join(format!("{PREFIX}{}", process::id())));
        fs::create_dir_all(folder)
            // The file of this process, even if another has taken its path.
            .and_then(|()| fs::copy("/proc/self/exe", &copy.0))
            .with_context(|| format!("cannot copy this program to {}, to start tests with", copy.0.display()))?;
        Ok(copy)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A cargo command for the root workspace that starts test executables with a copy of this program.
pub(super) fn cargo(project: &Project, program: &Copied) -> Result<Command> {
    let described = tool::read(project.rustc().arg("-vV"))?;
    let triple = described.lines().find_map(|line| line.strip_prefix("host: "));
    let triple = triple.context("`rustc -vV` does not name the host")?;
    // A list, because cargo would split a text at spaces. Strings of JSON are strings of TOML.
    let own = serde_json::Value::from(program.0.to_str().context("the path of this program is not UTF-8")?);
    let packages = package::members(project, None)?;
    let tests = packages
        .iter()
        .flat_map(|package| package.deterministic_tests.iter().map(move |name| format!("{}/{name}", package.name)));
    let mut cargo = project.cargo(None);
    cargo.arg("--config").arg(format!("target.{triple}.runner=[{own}]"));
    cargo.env(PASSED, unchanged::folder(project)).env(DETERMINISTIC, tests.collect::<Vec<_>>().join(" "));
    cargo.env(skipped::FILE, skipped::file(project));
    // Not in the search path of cargo, which might build something again.
    cargo.envs(tool::find("python3").and_then(|found| behind_script(&found)).map(|folder| (FIRST, folder)));
    Ok(cargo)
}

/// Runs the test executable that cargo names in the first argument, unless it has passed as it is. `folder` has what has passed.
pub(crate) fn run(folder: &Path) -> ExitCode {
    let mut words = env::args_os().skip(1);
    let Some(program) = words.next().map(PathBuf::from) else {
        eprintln!("error: {PASSED} is set, so cargo must start this with a test: unset it");
        return ExitCode::FAILURE;
    };
    let arguments: Vec<OsString> = words.collect();
    let mut command = Command::new(&program);
    // Programs that the tests start are not tests.
    command.args(&arguments).arg(skipped::SHOW_OUTPUT);
    command.env_remove(PASSED).env_remove(DETERMINISTIC).env_remove(FIRST).env_remove(skipped::FILE);
    if let Some(path) = env::var_os(FIRST).and_then(|first| search_path(&first)) {
        command.env("PATH", path);
    }
    let known = env::var(DETERMINISTIC).unwrap_or_default();
    let name = name(&env::var("CARGO_PKG_NAME").unwrap_or_default(), &program);
    // With arguments it would not run all of its tests.
    let is_deterministic = arguments.is_empty() && known.split(' ').any(|test| test == name);
    let inputs = if is_deterministic { inputs(folder, &name, &program) } else { None };
    match once(&mut command, &name, inputs) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The search path with the folder `first` in front.
fn search_path(first: &OsStr) -> Option<OsString> {
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths([PathBuf::from(first)].into_iter().chain(env::split_paths(&rest))).ok()
}

/// The folder of the interpreter that the script `found` starts, as version managers put one in place of `python3`. It takes half a second a
/// start, and tests start a hundred. `None` if it is not a script.
fn behind_script(found: &Path) -> Option<PathBuf> {
    let mut begin = [0; 2];
    fs::File::open(found).and_then(|mut file| file.read_exact(&mut begin)).ok()?;
    if begin != *b"#!" {
        return None;
    }
    let interpreter = tool::ask(Command::new(found).args(["-c", "import sys; print(sys.executable)"]))?;
    let folder = Path::new(&interpreter).parent()?;
    folder.join("python3").is_file().then(|| folder.to_owned())
}

/// Runs the test executable `name` unless it has passed with these inputs; returns its exit status.
fn once(command: &mut Command, name: &str, inputs: Option<Inputs>) -> Result<u8> {
    if inputs.as_ref().is_some_and(Inputs::have_passed) {
        say("unchanged since it passed; `cargo xtask test --again` repeats it");
        return Ok(0);
    }
    let (status, skipped) = skipped::run(command).with_context(|| format!("`{}`", tool::display(command)))?;
    if let Some(signal) = status.signal() {
        say(format_args!("{name} was killed by signal {signal}"));
    }
    if let Some(file) = env::var_os(skipped::FILE).map(PathBuf::from) {
        skipped::add(&skipped, name, &file).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(inputs) = inputs.filter(|_| status.success()) {
        inputs.remember()?;
    }
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// `PACKAGE/NAME` of an executable, to whose name cargo has added a hash.
fn name(package: &str, program: &Path) -> String {
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    let name = stem.rsplit_once('-').map_or(&*stem, |(name, _)| name);
    format!("{package}/{name}")
}

/// The executable, the libraries that it is linked to, of which that for mathematics has code for several processors, and the
/// processor.
fn inputs(folder: &Path, name: &str, program: &Path) -> Option<Inputs> {
    let mut files = vec![program.to_owned()];
    files.extend(libraries(&tool::ask(Command::new("ldd").arg(program))?));
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let is_feature = |line: &&str| line.starts_with("flags") || line.starts_with("Features");
    Inputs::new(folder, name, processor.lines().find(is_feature).unwrap_or_default(), &files)
}

/// The paths in what `ldd` prints.
fn libraries(printed: &str) -> Vec<PathBuf> {
    printed.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn copy_of_this_program_starts_and_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        // No process has this number.
        let left = folder.path().join("runner-4294967295");
        fs::write(&left, "").unwrap();
        let copy = Copied::new(folder.path()).unwrap();
        assert!(!left.exists(), "of a process that has ended");
        let again = Copied::new(&folder.path().join("other")).unwrap();
        assert!(copy.0.exists() && again.0.exists());
        assert!(Command::new(&copy.0).arg("--list").output().unwrap().status.success());
        let path = copy.0.clone();
        drop(copy);
        assert!(!path.exists());
    }

    #[test]
    fn executable_is_known_without_its_hash() {
        let check = |path: &str, expect: &str| assert_eq!(name("bench-stats", Path::new(path)), expect);
        check("/t/debug/deps/simulation-88701b864f43f6a4", "bench-stats/simulation");
        check("/t/debug/deps/two-words-88701b864f43f6a4", "bench-stats/two-words");
        check("/t/rust_out", "bench-stats/rust_out");
    }

    #[test]
    fn libraries_are_those_with_a_path() {
        let printed = "\tlinux-vdso.so.1 (0x00007ffc)\n\tlibm.so.6 => /lib/libm.so.6 (0x00007f)\n\t/lib64/ld-linux.so.2 (0x00007f)";
        assert_eq!(libraries(printed), [Path::new("/lib/libm.so.6"), Path::new("/lib64/ld-linux.so.2")]);
    }

    #[test]
    fn interpreter_behind_a_script_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (script, real) = (folder.path().join("python3"), folder.path().join("real"));
        fs::write(&script, format!("#!/bin/sh\necho '{}/python3'\n", real.display())).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(behind_script(&script), None, "there is none");
        fs::create_dir(&real).unwrap();
        fs::write(real.join("python3"), "\x7fELF").unwrap();
        assert_eq!(behind_script(&script), Some(real.clone()));
        assert_eq!(behind_script(&real.join("python3")), None, "it is the interpreter");
        let path = search_path(real.as_os_str()).unwrap();
        assert_eq!(env::split_paths(&path).next(), Some(real));
    }

    #[test]
    fn executable_is_remembered_if_it_passed() {
        let folder = tempfile::tempdir().unwrap();
        let program = tool::find("true").expect("`true` is installed");
        let inputs = || Inputs::new(folder.path(), "a/b", "", std::slice::from_ref(&program));
        if inputs().is_none() {
            eprintln!("skipped: there is no sha256sum; install coreutils");
            return;
        }
        assert_eq!(once(&mut Command::new("false"), "a/b", inputs()).unwrap(), 1);
        assert_eq!(once(&mut Command::new("true"), "a/b", inputs()).unwrap(), 0);
        // It is not started again.
        assert_eq!(once(&mut Command::new("false"), "a/b", inputs()).unwrap(), 0);
        assert_eq!(once(&mut Command::new("false"), "a/b", None).unwrap(), 1);
    }
}
