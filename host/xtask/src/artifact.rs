//! Finds the files that cargo built for a package, and copies modules to the folder where users look for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::output::say;
use crate::package::Package;
use crate::project::Project;
use crate::tool;

/// The target triple of this machine. Builds for an explicit target have a folder of their own.
pub(crate) const HOST_TARGET: &str = "host-tuple";

/// The extension of a dynamic library on this system, without the dot.
pub(crate) const LIBRARY: &str = std::env::consts::DLL_EXTENSION;

/// Runs a `cargo build` of these packages and copies each one's module with this extension to
/// `<folder>/<package>.<extension>`, where the folder is one of the project's. Returns the names of those that are others than before.
pub(crate) fn build(
    project: &Project,
    command: &mut Command,
    packages: &[Package],
    folder: &str,
    extension: &str,
) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for package in packages {
        command.args(["--package", &package.name]);
    }
    let messages = tool::read(command.arg("--message-format=json-render-diagnostics"))?;
    for package in packages {
        let built = file_of(&messages, &package.manifest, extension).with_context(|| {
            format!("cargo built no .{extension} for {}: see that its [lib] has the crate-type cdylib", package.name)
        })?;
        let place = format!("{folder}/{}.{extension}", package.name);
        let change = install(&built, &project.root().join(&place))?;
        say(format_args!("  {place} {change}"));
        changed.extend((change == WRITTEN).then(|| package.name.clone()));
    }
    Ok(changed)
}

/// What [`install`] says of a file that is another than before.
const WRITTEN: &str = "written";

/// Builds the programs of these packages and copies each to `<folder>/<program>`, where the module that starts it looks for it.
/// `cargo` gives a new `cargo rustc` with the profile and the manifest.
///
/// Programs whose start is measured are linked statically where that is usual, so that the dynamic linker is not measured. Flags
/// after `--` apply only to the program and are part of its file name in the target folder, so other builds do not overwrite it. The
/// target is not named, because its folder has the probes for this processor, whose flags are not part of the file name.
pub(crate) fn build_programs(
    project: &Project,
    cargo: impl Fn() -> Command,
    packages: &[Package],
    folder: &str,
) -> Result<()> {
    for package in packages {
        for program in &package.programs {
            let mut command = cargo();
            command.args(["--package", &package.name, "--bin", program]);
            let is_static = cfg!(target_os = "linux");
            command.arg("--message-format=json-render-diagnostics");
            command.args(["--", "-Ctarget-feature=+crt-static"].iter().filter(|_| is_static));
            let built = program_of(&mut command)
                .with_context(|| format!("{program} of {} was not built: install libc.a", package.name))?;
            let place = format!("{folder}/{program}");
            let change = install(&built, &project.root().join(&place))?;
            say(format_args!("  {place} {change}"));
        }
    }
    Ok(())
}

/// The program that a `cargo build` made for its only package.
pub(crate) fn build_program(command: &mut Command) -> Result<PathBuf> {
    program_of(command.arg("--message-format=json-render-diagnostics"))
}

/// The programs of these names as the tests use them. Building the tests makes them too, so after them nothing is compiled; another
/// selection of packages would compile many dependencies again, with other features.
pub(crate) fn programs_of_tests<const N: usize>(project: &Project, names: [&str; N]) -> Result<[PathBuf; N]> {
    let mut cargo = project.cargo(None);
    cargo.args(["test", "--workspace", "--tests", "--no-run", "--message-format=json-render-diagnostics"]);
    let messages = tool::read(&mut cargo)?;
    let mut programs = std::array::from_fn(|_| PathBuf::new());
    for (program, name) in programs.iter_mut().zip(names) {
        *program = program_named(&messages, name)
            .with_context(|| format!("`{}` built no program {name}", tool::display(&cargo)))?;
    }
    Ok(programs)
}

/// The executable of the program `name`, not that of its unit tests.
fn program_named(messages: &str, name: &str) -> Option<PathBuf> {
    let is_it = |artifact: &Value| {
        artifact["target"]["name"] == name
            && artifact["target"]["kind"][0] == "bin"
            && artifact["profile"]["test"] == false
    };
    artifacts(messages).filter(is_it).find_map(|artifact| Some(PathBuf::from(artifact["executable"].as_str()?)))
}

/// The program that a command made, from its messages.
fn program_of(command: &mut Command) -> Result<PathBuf> {
    let messages = tool::read(command)?;
    let program = artifacts(&messages).find_map(|artifact| Some(PathBuf::from(artifact["executable"].as_str()?)));
    program.with_context(|| format!("`{}` built no program", tool::display(command)))
}

/// The file with this extension that the messages of a build report for the package of this manifest.
fn file_of(messages: &str, manifest: &Path, extension: &str) -> Option<PathBuf> {
    let of_package = artifacts(messages).filter(|artifact| {
        let is_cdylib = artifact["target"]["crate_types"].as_array().into_iter().flatten().any(|kind| kind == "cdylib");
        is_cdylib && artifact["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest)
    });
    let files = of_package.flat_map(|artifact| artifact["filenames"].as_array().cloned().unwrap_or_default());
    let mut paths = files.filter_map(|file| file.as_str().map(PathBuf::from));
    paths.find(|path| path.extension().is_some_and(|found| found == extension))
}

fn artifacts(messages: &str) -> impl Iterator<Item = Value> {
    let values = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values.filter(|message| message["reason"] == "compiler-artifact")
}

/// Copies a file if the contents differ, creates the folder if needed, and returns whether it copied.
///
/// The copy is written under another name and renamed: a process that has mapped the old file keeps it, and no process sees an
/// incomplete module. An equal file keeps its time stamp, so nothing that depends on it is built again.
pub(crate) fn install(from: &Path, to: &Path) -> Result<&'static str> {
    let new = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok("unchanged");
    }
    let name = to.file_name().unwrap_or_default().display();
    // The temporary name ends in neither .wasm nor .so, so that no glob over modules finds it.
    let beside = to.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let made = to.parent().map_or(Ok(()), fs::create_dir_all);
    let moved = made.and_then(|()| fs::copy(from, &beside)).and_then(|_| fs::rename(&beside, to));
    if moved.is_err() {
        let _ = fs::remove_file(&beside);
    }
    moved.with_context(|| format!("cannot write {}: make its folder writable", to.display()))?;
    Ok(WRITTEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = concat!(
        r#"{"reason":"compiler-artifact","manifest_path":"/p/dep/Cargo.toml","target":{"crate_types":["lib"]},"filenames":["/t/libdep.rlib"],"executable":null}"#,
        "\nnot a message\n",
        r#"{"reason":"compiler-artifact","manifest_path":"/p/a-b/Cargo.toml","target":{"crate_types":["bin"]},"filenames":["/t/build-script.so"],"executable":"/t/a"}"#,
        "\n",
        r#"{"reason":"compiler-artifact","manifest_path":"/p/a-b/Cargo.toml","target":{"crate_types":["cdylib","rlib"]},"filenames":["/t/liba_b.rlib","/t/liba_b.so"],"executable":null}"#,
        "\n",
        r#"{"reason":"build-finished","success":true}"#,
    );

    fn check(manifest: &str, extension: &str, expect: Option<&str>) {
        assert_eq!(file_of(MESSAGES, Path::new(manifest), extension), expect.map(PathBuf::from));
    }

    #[test]
    fn file_of_a_package_is_found_in_the_messages() {
        check("/p/a-b/Cargo.toml", "so", Some("/t/liba_b.so"));
        check("/p/a-b/Cargo.toml", "wasm", None);
        check("/p/dep/Cargo.toml", "rlib", None);
        check("/p/other/Cargo.toml", "so", None);
    }

    #[test]
    fn program_is_distinguished_from_its_unit_tests() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"a","kind":["bin"]},"profile":{"test":true},"executable":"/t/a-1"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"a","kind":["bin"]},"profile":{"test":false},"executable":"/t/a"}"#,
        );
        assert_eq!(program_named(messages, "a"), Some(PathBuf::from("/t/a")));
        assert_eq!(program_named(messages, "b"), None);
    }

    #[test]
    fn equal_file_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("built"), folder.path().join("made/module.so"));
        fs::write(&from, "one").unwrap();
        assert_eq!(install(&from, &to).unwrap(), "written");
        let before = fs::metadata(&to).unwrap().modified().unwrap();
        assert_eq!(install(&from, &to).unwrap(), "unchanged");
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), before);
        fs::write(&from, "two").unwrap();
        assert_eq!(install(&from, &to).unwrap(), "written");
        assert_eq!(fs::read(&to).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path().join("made")).unwrap().count(), 1, "a temporary file was left behind");
    }

    #[test]
    fn failed_copy_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = install(&folder.path().join("absent"), &folder.path().join("module.so")).unwrap_err();
        assert!(error.to_string().starts_with("cannot read ") && error.to_string().ends_with("absent"), "{error:#}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
