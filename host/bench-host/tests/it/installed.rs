//! Where modules are found if none are named: in the folders of a variable, next to an installed program, and in the user's data folder.

use crate::host::{Host, PROGRAM, Ran, command, skip};
use crate::modules::{hostile, plugins, project};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// `list` by this program for a user who is outside of the checkout, and has a data folder of his own.
fn list(host: &Host, program: impl AsRef<OsStr>) -> Command {
    let mut command = command(program);
    command.arg("list").current_dir(host.path("")).env_remove("BENCH_HOST_MODULES");
    command.env("XDG_DATA_HOME", host.path("data"));
    command
}

/// Checks that these are the files of all listed modules, except for the program's own.
#[track_caller]
fn check(command: &mut Command, expect: &[&Path]) {
    let document = Ran::of(command.args(["--format", "json"])).check("list", 0).json();
    let modules = document["modules"].as_array().expect("the document has modules");
    let files =
        modules.iter().filter_map(|module| module["file"].as_str()).filter(|file| !file.starts_with("builtin:"));
    assert_eq!(files.map(Path::new).collect::<Vec<_>>(), expect);
}

/// Puts a component into `folder`.
fn fill(folder: &Path) {
    fs::create_dir_all(folder).expect("the folder is made");
    let [component, _] = hostile();
    fs::copy(component, folder.join("hostile.wasm")).expect("the component is copied");
}

#[test]
fn modules_are_found_in_the_data_folder_unless_a_variable_names_others() {
    let host = Host::new();
    let none = Ran::of(&mut list(&host, PROGRAM)).check("list", 2);
    none.one_line(&["--modules DIR", "BENCH_HOST_MODULES", "data/bench-host/modules"]);
    let (data, own) = (host.path("data/bench-host/modules"), host.path("own"));
    fill(&data);
    check(&mut list(&host, PROGRAM), &[&data.join("hostile.wasm")]);
    fill(&own);
    check(list(&host, PROGRAM).env("BENCH_HOST_MODULES", &own), &[&own.join("hostile.wasm")]);
}

/// This program in `FOLDER/bin`.
fn install(folder: &Path) -> PathBuf {
    let program = folder.join("bin/bench-host");
    fs::create_dir_all(folder.join("bin")).expect("the folder is made");
    fs::hard_link(PROGRAM, &program).expect("the program is linked");
    program
}

/// A folder outside of the checkout, but on the disk of the built program, so that this can be linked instead of copied.
fn elsewhere() -> Option<TempDir> {
    let built = Path::new(PROGRAM).ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists())?;
    let is_in_checkout = built.starts_with(project());
    (!is_in_checkout).then(|| tempfile::tempdir_in(built).expect("a folder"))
}

#[test]
fn installed_program_finds_the_project_of_the_modules_that_are_named() {
    let Some(folder) = elsewhere() else {
        return skip("the target folder is in the checkout; set CARGO_TARGET_DIR");
    };
    let Some(_) = plugins(&["kernels"]) else { return };
    let program = install(folder.path());
    let host = Host::new();
    let mut run = command(&program);
    run.args(["run", "kernels/sort", "--arm", "wasm", "--quick", "--processes", "1", "--time", "20ms", "--modules"]);
    run.arg(project().join("plugins")).current_dir(host.path("")).env_remove("BENCH_HOST_MODULES");
    let ran = Ran::of(run.args(["--format", "json"])).check("run", 0).json();
    assert_eq!(ran["cells"][0]["status"], "ok", "its input is the project's own sources: {ran:#}");
}

#[test]
fn installed_program_finds_the_modules_that_are_installed_with_it() {
    let host = Host::new();
    // Next to the built program, so that it can be linked instead of copied.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let folder = folder.path().canonicalize().expect("the folder exists");
    let share = folder.join("share/bench-host");
    let program = install(&folder);
    let mark = "wit/workload/workload.wit";
    fs::create_dir_all(share.join("wit/workload")).expect("the folder is made");
    fs::copy(project().join(mark), share.join(mark)).expect("the interface is copied");
    fill(&share.join("plugins"));
    check(&mut list(&host, &program), &[&share.join("plugins/hostile.wasm")]);
}
