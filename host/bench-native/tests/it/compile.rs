//! Compiles probes in C for the tests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A library that was compiled, in a folder that goes with it.
pub(crate) struct Library {
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

/// Compiles `tests/it/probes/FILE` with these definitions, or says why not.
pub(crate) fn library(file: &str, definitions: &[&str]) -> Option<Library> {
    let compiler = compiler("CC", "cc")?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(file).with_extension(std::env::consts::DLL_EXTENSION);
    let mut command = Command::new(compiler);
    command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]).arg(&path);
    // A Mach-O library may leave names open only where it is told to.
    if cfg!(target_vendor = "apple") {
        command.arg("-Wl,-undefined,dynamic_lookup");
    }
    run(command.args(definitions.iter().map(|definition| format!("-D{definition}"))), &probes().join(file));
    Some(Library { path, _folder: folder })
}

#[test]
fn header_is_valid_cxx() {
    let Some(compiler) = compiler("CXX", "c++") else { return };
    let header = include().join("bench_probe.h");
    run(
        Command::new(compiler).args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c++"]),
        &header,
    );
}

fn run(command: &mut Command, source: &Path) {
    let output = command.arg("-I").arg(include()).arg(source).output().expect("the compiler starts");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The compiler that `variable` names, or else `usual`, if it is there.
fn compiler(variable: &str, usual: &str) -> Option<OsString> {
    let compiler = std::env::var_os(variable).unwrap_or_else(|| usual.into());
    let found = Command::new(&compiler).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(compiler);
    }
    eprintln!("skipped: no C compiler; install gcc");
    None
}

fn probes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/probes")
}

fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../native-probes/probe-abi/include")
}
