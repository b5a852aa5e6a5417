//! What cargo builds: which files a build left for which package, and putting a module where users look for it.
//! It must not know plug-ins from probes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::output::say;
use crate::package::Package;
use crate::project::Project;
use crate::tool;

/// Cargo's word for the machine it runs on. What is built for a target that is named has a folder of its own.
pub(crate) const HOST_TARGET: &str = "host-tuple";

/// The extension of a dynamic library on this system, without the dot.
pub(crate) const LIBRARY: &str = std::env::consts::DLL_EXTENSION;

/// Runs a `cargo build` of these packages and copies each one's module with this extension to
/// `<folder>/<package>.<extension>`, where the folder is one of the project's.
pub(crate) fn build(
    project: &Project,
    command: &mut Command,
    packages: &[Package],
    folder: &str,
    extension: &str,
) -> Result<()> {
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
    }
    Ok(())
}

/// Builds the programs of these packages and copies each to `<folder>/<program>`, where the module that starts it looks for it.
/// `cargo` gives a new `cargo rustc` with the profile and the manifest.
///
/// What is started to be measured is linked statically where that is usual, so that no dynamic linker is measured with it. Flags
/// behind `--` are the program's alone and part of the name cargo gives it, so no other build of it undoes this one. The target
/// is not named: in its folder lie the twins for this very processor, whose flags are not part of any name.
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
                .with_context(|| format!("{program} of {} is lacking: see that libc.a is there", package.name))?;
            let place = format!("{folder}/{program}");
            let change = install(&built, &project.root().join(&place))?;
            say(format_args!("  {place} {change}"));
        }
    }
    Ok(())
}

/// The program a `cargo build` made for its one package.
pub(crate) fn build_program(command: &mut Command) -> Result<PathBuf> {
    program_of(command.arg("--message-format=json-render-diagnostics"))
}

/// The program that a command made which reports what it makes.
fn program_of(command: &mut Command) -> Result<PathBuf> {
    let messages = tool::read(command)?;
    let program = artifacts(&messages).find_map(|artifact| Some(PathBuf::from(artifact["executable"].as_str()?)));
    program.with_context(|| format!("`{}` made no program", tool::display(command)))
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

/// Copies a file if the contents differ, into a folder made on demand, and says whether it did.
///
/// The copy is made beside its place and renamed into it: a process that has the old file mapped keeps it, and nobody
/// ever sees half a module. An equal file keeps its time stamp, so nothing that depends on it is made again.
pub(crate) fn install(from: &Path, to: &Path) -> Result<&'static str> {
    let new = fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
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
    moved.with_context(|| format!("{} cannot be written: see that its folder may be", to.display()))?;
    Ok("written")
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
    fn a_package_has_the_file_its_build_reports() {
        check("/p/a-b/Cargo.toml", "so", Some("/t/liba_b.so"));
        check("/p/a-b/Cargo.toml", "wasm", None);
        check("/p/dep/Cargo.toml", "rlib", None);
        check("/p/other/Cargo.toml", "so", None);
    }

    #[test]
    fn only_a_change_is_written() {
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
    fn what_cannot_be_installed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let error = install(&folder.path().join("absent"), &folder.path().join("module.so")).unwrap_err();
        assert!(error.to_string().ends_with("absent cannot be read"), "{error:#}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
