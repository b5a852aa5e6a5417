//! Where things are: the project, the cache, the modules. Nothing is made here.

use anyhow::Context;
use etcetera::BaseStrategy;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of compiled code.
pub(crate) fn code_cache() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("bench-host").join("code"))
}

/// The folder of what modules say of themselves.
pub(crate) fn description_cache() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("bench-host").join("descriptions"))
}

/// The folder into which `cargo xtask setup` unpacks a CRIU where the system's does not work.
pub(crate) fn criu_cache() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("bench-host").join("criu"))
}

/// The project's folder: the one we are in or below, else the one this program was built in, where that is still there.
pub(crate) fn project() -> Option<PathBuf> {
    let is_project = |directory: &&Path| directory.join("wit/workload/workload.wit").is_file();
    let here = std::env::current_dir().ok();
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    here.as_deref()
        .and_then(|here| here.ancestors().find(is_project))
        .or_else(|| built.filter(is_project))
        .map(Path::to_owned)
}

/// The modules in `folders`, or in the project's, sorted by path.
pub(crate) fn modules(folders: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let folders: Vec<PathBuf> = if folders.is_empty() {
        let project = project().context("no project here to find modules in; name files, or give --modules DIR")?;
        [project.join("plugins"), project.join("native-probes")].map(|folder| relative(&folder)).to_vec()
    } else {
        folders.to_vec()
    };
    let mut files = Vec::new();
    for folder in &folders {
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_module(path)));
    }
    files.sort();
    // A probe beside a component of its name is found with the component.
    let beside_component = |path: &Path| !is_component(path) && path.with_extension("wasm").is_file();
    files.retain(|path| !beside_component(path));
    Ok(files)
}

/// Whether the name is that of a component.
pub(crate) fn is_component(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm")
}

/// The folder beside a component in which the probe of its name is built for the processor it is built on.
const NATIVE_CPU: &str = "native-cpu";

/// Where the `native-cpu` arm of `component` is, if it is built.
pub(crate) fn native_cpu_arm(component: &Path) -> PathBuf {
    let name = component.with_extension(std::env::consts::DLL_EXTENSION);
    component.with_file_name(NATIVE_CPU).join(name.file_name().unwrap_or_default())
}

/// Whether the probe at `path` is built for the processor it is built on.
pub(crate) fn is_native_cpu(path: &Path) -> bool {
    path.parent().and_then(Path::file_name).is_some_and(|folder| folder == NATIVE_CPU)
}

/// What a program that serves a component's function is called: `<component>-server`, beside it.
const SERVER: &str = "-server";

/// What a program is called each process of which is an operator: `<component>-process`, beside the component.
const OPERATORS: &str = "-process";

/// Where the `process` arm of `component` may be: a server, which is described by a probe, and a program of operators.
pub(crate) fn process_arms(component: &Path) -> [PathBuf; 2] {
    let stem = component.file_stem().unwrap_or_default().to_string_lossy();
    [SERVER, OPERATORS].map(|kind| component.with_file_name(format!("{stem}{kind}{}", std::env::consts::EXE_SUFFIX)))
}

/// Whether the name is that of a server, and the probe that describes it is there.
pub(crate) fn is_server(path: &Path) -> bool {
    is_program(path, SERVER) && described_by(path).is_file()
}

/// Whether the name is that of a program of operators.
pub(crate) fn is_operators(path: &Path) -> bool {
    is_program(path, OPERATORS)
}

fn is_program(path: &Path, kind: &str) -> bool {
    !is_module(path) && path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(kind))
}

/// The probe that describes what the server `program` serves.
pub(crate) fn described_by(program: &Path) -> PathBuf {
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_suffix(SERVER).unwrap_or(&stem);
    program.with_file_name(format!("{stem}.{}", std::env::consts::DLL_EXTENSION))
}

/// Whether the name is that of a probe.
pub(crate) fn is_probe(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "so" || extension == "dylib")
}

fn is_module(path: &Path) -> bool {
    is_component(path) || is_probe(path)
}

/// `path` as seen from where we are, where it lies below.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned)).unwrap_or_else(|| path.to_owned())
}

/// The run that was asked for, or the newest in `out`.
pub(crate) fn run_directory(asked: Option<&Path>, out: &Path) -> anyhow::Result<PathBuf> {
    asked.map_or_else(|| newest(out), |directory| Ok(directory.to_owned()))
}

/// The run directories in `out`, the newest first: their names begin with the time.
pub(crate) fn runs(out: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(out)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut runs: Vec<_> = entries.filter(|path| path.join(bench_sink::runfile::FILE_NAME).is_file()).collect();
    runs.sort_by(|a, b| b.cmp(a));
    Ok(runs)
}

fn newest(out: &Path) -> anyhow::Result<PathBuf> {
    let runs = runs(out).with_context(|| format!("cannot read {}; name a run directory", out.display()))?;
    runs.into_iter().next().with_context(|| format!("there is no run in {}; `bench-host run` makes one", out.display()))
}
