//! Where modules are found if none are named: in the folders of a variable, next to an installed program, and in the user's data folder.

use crate::host::{Host, PROGRAM, Ran, command};
use crate::modules::{hostile, project};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

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

#[test]
fn installed_program_finds_the_modules_that_are_installed_with_it() {
    let host = Host::new();
    // Next to the built program, so that it can be linked instead of copied.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let folder = folder.path().canonicalize().expect("the folder exists");
    let (bin, share) = (folder.join("bin"), folder.join("share/bench-host"));
    fs::create_dir_all(&bin).expect("the folder is made");
    let program = bin.join("bench-host");
    fs::hard_link(PROGRAM, &program).expect("the program is linked");
    let mark = "wit/workload/workload.wit";
    fs::create_dir_all(share.join("wit/workload")).expect("the folder is made");
    fs::copy(project().join(mark), share.join(mark)).expect("the interface is copied");
    fill(&share.join("plugins"));
    check(&mut list(&host, &program), &[&share.join("plugins/hostile.wasm")]);
}
