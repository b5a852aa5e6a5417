//! Modules that tests build while they run, so that nothing has to be built before: components from WebAssembly text, and probes
//! from C. Also the components of `plugins/hostile`.

#![forbid(unsafe_code)]

mod hostile;

pub use hostile::write_hostile;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The component of a core module's text, for the world `fixture` of the WIT text `world`, which may name `packages` of the project's
/// `wit/`.
pub fn component(module: &str, world: &str, packages: &[&str]) -> Vec<u8> {
    let mut resolve = Resolve::default();
    for package in packages {
        resolve.push_path(project().join("wit").join(package)).expect("the WIT parses");
    }
    let package = resolve.push_str("fixture.wit", world).expect("the world parses");
    let world = resolve.select_world(&[package], Some("fixture")).expect("the world is there");
    let mut module = wat::parse_str(module).expect("the module parses");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("the module takes metadata");
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).expect("the module fits the world");
    encoder.encode().expect("the component is encoded")
}

/// A compiled probe, in a folder that is removed when this is dropped.
#[derive(Debug)]
pub struct Library {
    /// The dynamic library.
    pub path: PathBuf,
    _folder: TempDir,
}

/// Compiles the C file `source` with these definitions (`FAULT=1`). `None`, and a line that says why, without a compiler.
pub fn probe(source: &Path, definitions: &[&str]) -> Option<Library> {
    let compiler = compiler("CC", "cc")?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let name = source.file_stem().expect("the source has a name");
    let path = folder.path().join(name).with_extension(env::consts::DLL_EXTENSION);
    let mut command = Command::new(compiler);
    command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]).arg(&path);
    // A Mach-O library may leave names open only with this option.
    if cfg!(target_vendor = "apple") {
        command.arg("-Wl,-undefined,dynamic_lookup");
    }
    compile(command.args(definitions.iter().map(|definition| format!("-D{definition}"))), source);
    Some(Library { path, _folder: folder })
}

/// Runs a compiler on `source` with the folder of the C header.
pub fn compile(command: &mut Command, source: &Path) {
    let output = command.arg("-I").arg(header_folder()).arg(source).output().expect("the compiler starts");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The compiler that the environment variable `variable` names, or else `usual`. `None`, and a line that says why, if it is missing.
pub fn compiler(variable: &str, usual: &str) -> Option<OsString> {
    let compiler = env::var_os(variable).unwrap_or_else(|| usual.into());
    let found = Command::new(&compiler).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(compiler);
    }
    eprintln!("skipped: no compiler `{}`; install gcc, or set {variable}", compiler.to_string_lossy());
    None
}

/// The folder of `bench_probe.h`.
pub fn header_folder() -> PathBuf {
    project().join("native-probes/probe-abi/include")
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}
