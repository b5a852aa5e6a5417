//! Compiles the probe in C for the tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A library that was compiled, in a folder that is removed with it.
pub(crate) struct Library {
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

/// Compiles `probes/carrier.c` with these definitions; `None` where there is no compiler.
pub(crate) fn library(definitions: &[&str]) -> Option<Library> {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let found = Command::new(&compiler).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no C compiler; install gcc");
        return None;
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("carrier").with_extension(std::env::consts::DLL_EXTENSION);
    let mut command = Command::new(compiler);
    command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]).arg(&path);
    // A Mach-O library may leave names open only where it is told to.
    if cfg!(target_vendor = "apple") {
        command.arg("-Wl,-undefined,dynamic_lookup");
    }
    command.args(definitions.iter().map(|definition| format!("-D{definition}")));
    command.arg("-I").arg(own.join("../../../native-probes/probe-abi/include"));
    let output = command.arg(own.join("tests/it/probes/carrier.c")).output().expect("the compiler starts");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(Library { path, _folder: folder })
}
