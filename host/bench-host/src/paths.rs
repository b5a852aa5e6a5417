//! Finds the folders of the project, the cache, the modules and the runs. Creates nothing.

use anyhow::Context;
use etcetera::BaseStrategy;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The folder of compiled code.
pub(crate) fn code_cache() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("bench-host").join("code"))
}

/// The folder of cached descriptions of modules.
pub(crate) fn description_cache() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("bench-host").join("descriptions"))
}

/// The folder into which `cargo xtask setup` unpacks CRIU if the system's does not work.
pub(crate) fn criu_cache() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("bench-host").join("criu"))
}

/// The folder of the run files of agents that were not given another.
#[cfg(feature = "fleet")]
pub(crate) fn agent_runs() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.state_dir().unwrap_or_else(|| base.cache_dir()).join("bench-host").join("agent"))
}

/// The environment variable with the default folders of modules, separated as in `PATH`.
pub(crate) const MODULES_VARIABLE: &str = "BENCH_HOST_MODULES";

/// A folder that identifies the project's folder, and the folder that is installed with this program.
const MARK: &str = "wit/workload/workload.wit";

/// The folders of a project that hold modules.
const MODULE_FOLDERS: [&str; 2] = ["plugins", "native-probes"];

/// The folders of modules that the command line named.
static NAMED: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// The project's folder: the checkout that contains the working directory, this program, or the folders of modules that `--modules` or
/// `BENCH_HOST_MODULES` names; else the folder that is installed with this program, which has the same structure.
pub(crate) fn project() -> Option<PathBuf> {
    let of_program = || above(std::env::current_exe().ok()?);
    let of_command = || NAMED.get()?.iter().find_map(|folder| above(folder.canonicalize().ok()?));
    let of_variable = || folders_of_variable().into_iter().find_map(above);
    let here = std::env::current_dir().ok().and_then(above);
    here.or_else(of_program).or_else(of_command).or_else(of_variable).or_else(installed)
}

/// The nearest folder of a project that contains `path`.
fn above(path: PathBuf) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.join(MARK).is_file()).map(Path::to_owned)
}

/// The folder that is installed with this program.
fn installed() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.parent()?.parent()?.join("share/bench-host");
    folder.join(MARK).is_file().then_some(folder)
}

/// The folder whose modules are meant where none are named: the checkout that contains the working directory, else what is installed. The
/// checkout in which this program was built does not count outside of it.
fn folder_of_modules() -> Option<PathBuf> {
    std::env::current_dir().ok().and_then(above).or_else(installed)
}

/// The modules in `folders`, sorted by path. If no folder is given: in those of `BENCH_HOST_MODULES`, else in those of the
/// project, else in the user's data folder.
pub(crate) fn modules(folders: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    if !folders.is_empty() {
        NAMED.get_or_init(|| folders.to_vec());
    }
    let folders = if folders.is_empty() { default_folders()? } else { folders.to_vec() };
    let mut files = Vec::new();
    for folder in &folders {
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_module(path)));
    }
    files.sort();
    // A probe next to a component of the same name is found with the component.
    let beside_component = |path: &Path| !is_component(path) && component_of(path).is_some();
    files.retain(|path| !beside_component(path));
    Ok(files)
}

fn default_folders() -> anyhow::Result<Vec<PathBuf>> {
    let named = folders_of_variable();
    if !named.is_empty() {
        return Ok(named);
    }
    let mut folders: Vec<_> = folder_of_modules()
        .into_iter()
        .flat_map(|project| MODULE_FOLDERS.map(|folder| relative(&project.join(folder))))
        .collect();
    folders.extend(user_modules());
    folders.retain(|folder| folder.is_dir());
    anyhow::ensure!(
        !folders.is_empty(),
        "no folder of modules was found; name files, give --modules DIR, set {MODULES_VARIABLE}, or put modules into {}",
        user_modules().map_or_else(|| "the user's data folder".to_owned(), |folder| folder.display().to_string())
    );
    Ok(folders)
}

fn folders_of_variable() -> Vec<PathBuf> {
    let value = std::env::var_os(MODULES_VARIABLE).unwrap_or_default();
    std::env::split_paths(&value).filter(|folder| !folder.as_os_str().is_empty()).collect()
}

/// The user's own folder of modules, whether it exists or not.
fn user_modules() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.data_dir().join("bench-host").join("modules"))
}

/// The folder of the SDK of this version.
pub(crate) fn sdk() -> Option<PathBuf> {
    let name = concat!("sdk-", env!("CARGO_PKG_VERSION"));
    Some(etcetera::choose_base_strategy().ok()?.data_dir().join("bench-host").join(name))
}

/// The folder of the modules that have a name and a digest.
pub(crate) fn module_store() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.data_dir().join("bench-host").join("store"))
}

/// The file that says what the user trusts.
pub(crate) fn policy() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.config_dir().join("bench-host").join("policy.toml"))
}

/// The file in which `wkg` keeps the registries of namespaces.
#[cfg(feature = "registry")]
pub(crate) fn wkg_settings() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.config_dir().join("wasm-pkg").join("config.toml"))
}

/// Whether the file is named like a component.
pub(crate) fn is_component(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm")
}

/// The names of the native arm of `component`, in its folder: `NAME.so`, and `libNAME.so`, as cargo and C compilers write it.
fn native_names(component: &Path) -> [PathBuf; 2] {
    let plain = component.with_extension(std::env::consts::DLL_EXTENSION);
    let mut library = std::ffi::OsString::from(std::env::consts::DLL_PREFIX);
    library.push(plain.file_name().unwrap_or_default());
    [plain.clone(), plain.with_file_name(library)]
}

/// The native arm of `component`: the probe of the same name in its folder.
pub(crate) fn native_arm(component: &Path) -> Option<PathBuf> {
    native_names(component).into_iter().find(|probe| probe.is_file())
}

/// The component whose native arm `probe` is, if it is in its folder.
pub(crate) fn component_of(probe: &Path) -> Option<PathBuf> {
    let name = probe.file_name()?.to_str()?;
    let plain = name.strip_prefix(std::env::consts::DLL_PREFIX).unwrap_or(name);
    let of = |name: &str| probe.with_file_name(name).with_extension("wasm");
    let is_its = |component: &PathBuf| component.is_file() && native_arm(component).as_deref() == Some(probe);
    [of(name), of(plain)].into_iter().find(is_its)
}

/// The folder, next to a component, of the probe that is built for the processor of the building machine.
const NATIVE_CPU: &str = "native-cpu";

/// The path of the `native-cpu` arm of `component`, if it is built.
pub(crate) fn native_cpu_arm(component: &Path) -> PathBuf {
    let name = component.with_extension(std::env::consts::DLL_EXTENSION);
    component.with_file_name(NATIVE_CPU).join(name.file_name().unwrap_or_default())
}

/// Whether the probe at `path` is built for the processor of the building machine.
pub(crate) fn is_native_cpu(path: &Path) -> bool {
    path.parent().and_then(Path::file_name).is_some_and(|folder| folder == NATIVE_CPU)
}

/// Whether the file is named like a probe.
pub(crate) fn is_probe(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "so" || extension == "dylib")
}

fn is_module(path: &Path) -> bool {
    is_component(path) || is_probe(path)
}

/// `path` relative to the working directory, if it is below it.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned)).unwrap_or_else(|| path.to_owned())
}

/// The given run directory, or the newest one in `out`.
pub(crate) fn run_directory(asked: Option<&Path>, out: &Path) -> anyhow::Result<PathBuf> {
    asked.map_or_else(|| newest(out), |directory| Ok(directory.to_owned()))
}

/// The run directories in `out`, newest first: their names begin with the time.
pub(crate) fn runs(out: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(out)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut runs: Vec<_> = entries.filter(|path| path.join(bench_sink::runfile::FILE_NAME).is_file()).collect();
    runs.sort_by(|a, b| b.cmp(a));
    Ok(runs)
}

fn newest(out: &Path) -> anyhow::Result<PathBuf> {
    let runs = runs(out).with_context(|| format!("cannot read {}; give a run directory", out.display()))?;
    runs.into_iter()
        .next()
        .with_context(|| format!("{} contains no run; make one with `bench-host run`", out.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_arm_may_have_the_prefix_of_a_library() {
        let folder = tempfile::tempdir().unwrap();
        let extension = std::env::consts::DLL_EXTENSION;
        let path = |name: String| folder.path().join(name);
        let names = [
            "a.wasm".to_owned(),
            format!("liba.{extension}"),
            "b.wasm".to_owned(),
            format!("b.{extension}"),
            format!("libb.{extension}"),
        ];
        names.iter().for_each(|name| std::fs::write(path(name.clone()), "").unwrap());
        assert_eq!(native_arm(&path("a.wasm".to_owned())), Some(path(format!("liba.{extension}"))));
        assert_eq!(native_arm(&path("b.wasm".to_owned())), Some(path(format!("b.{extension}"))));
        assert_eq!(native_arm(&path("c.wasm".to_owned())), None);
        let listed = modules(&[folder.path().to_owned()]).unwrap();
        let expect = ["a.wasm".to_owned(), "b.wasm".to_owned(), format!("libb.{extension}")];
        assert_eq!(listed, expect.map(path), "a library beside two arms of its name is a module of its own");
    }
}
