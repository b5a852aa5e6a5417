//! The modules for the tests: the project's plug-ins, if they are built, and the hostile module, which is built here.

use crate::host::{Host, PROGRAM, Ran, command, skip};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The project's folder.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("host/bench-host lies in the project").to_owned()
}

/// The plug-ins of these names; `None`, with a message, if one is not built.
pub(crate) fn plugins(names: &[&str]) -> Option<Vec<PathBuf>> {
    let files: Vec<_> = names.iter().map(|name| project().join("plugins").join(format!("{name}.wasm"))).collect();
    let built = |file: &PathBuf| file.is_file() && file.with_extension(std::env::consts::DLL_EXTENSION).is_file();
    if files.iter().all(built) {
        return Some(files);
    }
    crate::host::skip("plugins are not built; run cargo xtask plugins");
    None
}

/// The hostile module as component and probe, built once per test process.
pub(crate) fn hostile() -> &'static [PathBuf; 2] {
    static BUILT: OnceLock<[PathBuf; 2]> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
        fs::create_dir_all(&folder).expect("a folder for the module");
        let library = format!("{}hostile.{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_EXTENSION);
        let source = project().join("plugins/hostile/hostile");
        let component = copy(&build(&source, Some("wasm32-wasip2")).join("hostile.wasm"), &folder, "hostile.wasm");
        let probe =
            copy(&build(&source, None).join(library), &folder, &format!("hostile.{}", std::env::consts::DLL_EXTENSION));
        // Its code is compiled into the cache now, so that no test's deadline has to allow for that.
        Ran::of(command(PROGRAM).arg("list").arg(&component)).check("list hostile.wasm", 0);
        [component, probe]
    })
}

/// A component that handles HTTP requests of WASI 0.2 and knows nothing of bench-host, built once per test process.
pub(crate) fn handler() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built_handler("handler"))
}

/// One of WASI 0.3 with the same name.
pub(crate) fn handler_0_3() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built_handler("handler-0-3"))
}

/// `handler.wasm`, whose source is in this folder of the tests.
fn built_handler(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder for the component");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    let built = build(&source, Some("wasm32-wasip2")).join(format!("{}.wasm", name.replace('-', "_")));
    let component = copy(&built, &folder, "handler.wasm");
    // As above.
    Ran::of(command(PROGRAM).arg("list").arg(&component)).check("list handler.wasm", 0);
    component
}

/// Builds the module in the folder `source` for `target`, and returns the folder of what was built. Flags, profile and target folder are
/// those of the plug-ins, so that dependencies are built once for both.
fn build(source: &Path, target: Option<&str>) -> PathBuf {
    let manifest = source.join("Cargo.toml");
    // That of the tests is a folder in that of the host, and that of the plug-ins is another one there.
    let own = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target_folder = own.parent().unwrap_or(own).join("plugins");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest);
    cargo.arg("--target-dir").arg(&target_folder).env("CARGO_ENCODED_RUSTFLAGS", flags());
    cargo.args(target.map(|target| ["--target", target]).into_iter().flatten());
    let output = cargo.output().expect("cargo starts");
    assert!(output.status.success(), "{cargo:?}\n{}", String::from_utf8_lossy(&output.stderr));
    target_folder.join(target.unwrap_or_default()).join("release")
}

/// The flags for rustc of `cargo xtask plugins`.
fn flags() -> OsString {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut flags = OsString::new();
    for (folder, name) in [(Some(project()), "bench-host"), (cargo_home, "cargo")] {
        let Some(folder) = folder else { continue };
        flags.push(if flags.is_empty() { "" } else { "\u{1f}" });
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push(format!("=/{name}"));
    }
    flags
}

/// Copies beside the place and renames into it: a second test process may have the old file mapped.
fn copy(from: &Path, folder: &Path, name: &str) -> PathBuf {
    let (to, beside) = (folder.join(name), folder.join(format!(".{name}.{}", std::process::id())));
    fs::copy(from, &beside).and_then(|_| fs::rename(&beside, &to)).expect("the module is put in its place");
    to
}

/// Builds the probe of the C file `source` in the folder of `host`, with these definitions. False, with a message, without a C compiler.
#[must_use]
pub(crate) fn builds(host: &Host, source: &Path, definitions: &[&str]) -> bool {
    let include = |folder: &str| format!("-I{}", project().join(folder).display());
    let name = source.file_stem().expect("the source has a name").to_string_lossy();
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o"]);
    compiler.arg(host.path(library(&name))).arg(source);
    compiler.args([include("plugins/sdk-c"), include("native-probes/probe-abi/include")]);
    compiler.args(definitions.iter().map(|definition| format!("-D{definition}")));
    match compiler.output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            skip(&format!("there is no C compiler (cc: {error}); install one"));
            return false;
        }
    }
    true
}

/// The source of a probe of these tests.
pub(crate) fn source(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/it/probes", name].iter().collect()
}

/// The file of a probe.
pub(crate) fn library(name: &str) -> String {
    format!("{name}.{}", std::env::consts::DLL_EXTENSION)
}
