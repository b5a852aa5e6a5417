//! What the component of each plug-in is built of, as one digest. Where that is another than the recorded one, the recorded component is of
//! older sources.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::project::{PLUGINS_MANIFEST, Project};
use crate::{go, package, plugins, tool};

/// What decides how the plug-ins in Rust are built, besides their packages: settings of the workspace, and versions of what others wrote.
const OF_RUST: [&str; 2] = [PLUGINS_MANIFEST, "plugins/Cargo.lock"];

/// What makes a component of the core module that Go builds, and the interfaces that it then has.
const OF_GO: [&str; 2] = ["host/lib/core-component", "wit"];

/// Files and folders that no component is built of.
const LEFT_OUT: [&str; 6] = ["examples", "published", "target", "testdata", "tests", "tests.rs"];

/// The ends of the names of such files.
const ENDINGS: [&str; 2] = [".md", "_test.go"];

/// A plug-in, and the folders and files that its component is built of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sources {
    /// The name of the plug-in.
    pub(crate) plugin: String,
    places: Vec<PathBuf>,
}

/// Those of all plug-ins.
pub(crate) fn of_plugins(project: &Project) -> Result<Vec<Sources>> {
    let root = |place: &str| project.root().join(place);
    let members = [package::members(project, Some(PLUGINS_MANIFEST))?, package::members(project, None)?].concat();
    let of_rust = plugins::plugins(project, &[])?.into_iter().map(|plugin| {
        let places = package::built_of(&members, &plugin).into_iter().chain(OF_RUST.map(root)).collect();
        Sources { plugin: plugin.name, places }
    });
    let of_go = go::plugins(project)?.into_iter().map(|plugin| {
        let places = [root(&format!("plugins/{plugin}")), root(go::SDK)].into_iter().chain(OF_GO.map(root)).collect();
        Sources { plugin, places }
    });
    Ok(of_rust.chain(of_go).collect())
}

impl Sources {
    /// The digest of the names and contents of all files.
    pub(crate) fn digest(&self, project: &Project) -> Result<String> {
        let mut files = Vec::new();
        self.places.iter().try_for_each(|place| list(place, &mut files))?;
        // A folder may be named twice, and the order is that of the file system.
        files.sort();
        files.dedup();
        ensure!(!files.is_empty(), "there are no sources of {}", self.plugin);
        let paths = files.iter().map(|file| file.strip_prefix(project.root()).unwrap_or(file));
        let sums = tool::read(project.command("sha256sum").arg("--").args(paths))?;
        Ok(format!("sha256:{}", sum(project, &sums)?))
    }
}

/// Adds the file, or the files below the folder, that a component is built of. What is linked to has a place of its own.
fn list(place: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let is_left_out = name.starts_with('.')
        || LEFT_OUT.contains(&&*name)
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || place.is_symlink();
    if is_left_out {
        return Ok(());
    }
    if !place.is_dir() {
        files.push(place.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(place).with_context(|| format!("{} cannot be read", place.display()))? {
        list(&entry?.path(), files)?;
    }
    Ok(())
}

/// The SHA-256 of a text, by the program that those of files are from.
fn sum(project: &Project, text: &str) -> Result<String> {
    let mut command = project.command("sha256sum");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start `sha256sum`")?;
    child.stdin.take().context("`sha256sum` reads nothing")?.write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "`sha256sum` failed ({})", output.status);
    let printed = String::from_utf8_lossy(&output.stdout);
    let digest = printed.split_whitespace().next();
    Ok(digest.context("`sha256sum` printed no digest")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_of_what_is_built_and_not_of_tests() {
        if tool::find("sha256sum").is_none() {
            eprintln!("skipped: there is no sha256sum; install coreutils");
            return;
        }
        let project = Project::find().expect("the checkout");
        let folder = tempfile::tempdir().unwrap();
        let plugin = folder.path().join("plugin");
        let write = |file: &str, text: &str| {
            let path = plugin.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let sources = Sources { plugin: "a".to_owned(), places: vec![plugin.clone(); 2] };
        let digest = || sources.digest(&project).unwrap();
        assert!(sources.digest(&project).is_err(), "there is nothing");
        write("src/lib.rs", "1");
        let first = digest();
        assert_eq!((first.len(), &first[..7]), (71, "sha256:"));
        for file in ["src/tests.rs", "src/a/tests/b.rs", "tests/it.rs", "README.md", "a_test.go", "target/x", ".swp"] {
            write(file, "2");
            assert_eq!(digest(), first, "{file}");
        }
        write("src/lib.rs", "2");
        assert_ne!(digest(), first);
        write("src/lib.rs", "1");
        assert_eq!(digest(), first);
        write("src/other.rs", "");
        assert_ne!(digest(), first);
    }

    #[test]
    fn component_is_built_of_the_sdk_and_not_of_what_only_probes_have() {
        let project = Project::find().expect("the checkout");
        let all = of_plugins(&project).expect("the plug-ins");
        let places = |plugin: &str| {
            let found = all.iter().find(|sources| sources.plugin == plugin);
            let places = &found.unwrap_or_else(|| panic!("{plugin} is not among the plug-ins")).places;
            let from_root = |place: &PathBuf| place.strip_prefix(project.root()).unwrap().display().to_string();
            places.iter().map(from_root).collect::<Vec<_>>()
        };
        let has = |places: &[String], place: &str| places.iter().any(|found| found == place);
        let of_rust = places("overhead");
        for place in ["plugins/overhead", "plugins/sdk-rust", "host/bench-model", "plugins/Cargo.lock"] {
            assert!(has(&of_rust, place), "{place} is not in {of_rust:?}");
        }
        for place in ["native-probes/probe-abi", "plugins/kernels", "wit"] {
            assert!(!has(&of_rust, place), "{place} is in {of_rust:?}");
        }
        let of_go = places("operator-go");
        for place in ["plugins/operator-go", "plugins/sdk-go", "wit"] {
            assert!(has(&of_go, place), "{place} is not in {of_go:?}");
        }
    }
}
