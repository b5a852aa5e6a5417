//! Builds the modules of the tests when they run: a component from its text, and a probe from its source in C.

use bench_drivers::Grants;
use bench_family::Family;
use bench_wasm::{Cache, Component, Limits, Runtime, Settings};
use family_operators::OperatorFamily;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A folder with a component and a cache for its code. The component is read again while it is used.
pub(crate) struct Folder {
    folder: TempDir,
    sha256: String,
}

impl Folder {
    /// A folder with the component of this text, for the world `fixture` of a WIT text over these packages of the project.
    pub(crate) fn new(module: &str, world: &str, packages: &[&str]) -> Self {
        let component = component(module, world, packages);
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("fixture.wasm"), &component).expect("the component is written");
        Self { folder, sha256: bench_sink::digest::of_bytes(&component) }
    }

    /// The component, which can import what the family offers.
    pub(crate) fn load(&self) -> Component {
        let cache = Cache::open(&self.folder.path().join("code")).expect("a folder of our own is trusted");
        let runtime = Runtime::new(Limits::default(), Some(cache), &Settings::default()).expect("the engine starts");
        let runtime = runtime.with_capabilities(OperatorFamily.capabilities());
        let path = self.folder.path().join("fixture.wasm");
        Component::load(&runtime, &path, &self.sha256, Grants::default()).expect("the component is loaded")
    }
}

fn component(module: &str, world: &str, packages: &[&str]) -> Vec<u8> {
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

/// A compiled probe, in a folder that is removed with this.
pub(crate) struct Library {
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

/// Compiles `tests/it/probes/operator.c` with the fault of this number; `None`, and a line that says why, without a compiler.
pub(crate) fn library(fault: u32) -> Option<Library> {
    let compiler = env::var_os("CC").unwrap_or_else(|| OsString::from("cc"));
    let version = Command::new(&compiler).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no C compiler; install gcc");
        return None;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("operator").with_extension(env::consts::DLL_EXTENSION);
    let mut command = Command::new(compiler);
    command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]).arg(format!("-DFAULT={fault}"));
    // A Mach-O library may leave names open only where it is told to.
    if cfg!(target_vendor = "apple") {
        command.arg("-Wl,-undefined,dynamic_lookup");
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/probes/operator.c");
    command.arg("-I").arg(project().join("native-probes/probe-abi/include")).arg("-o").arg(&path).arg(source);
    let output = command.output().expect("the compiler starts");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(Library { path, _folder: folder })
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}
