//! The files that the rules are checked on: those that git tracks or would track.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::source::Source;
use crate::go::PROCESS;
use crate::hostile;
use crate::output::say;
use crate::plugins::NATIVE_CPU_FOLDER;
use crate::project::Project;
use crate::tool;

/// Reads all files of the project, sorted by path.
pub(super) fn read(project: &Project) -> Result<Vec<Source>> {
    let mut paths = match listed_by_git(project) {
        Some(paths) => paths,
        None => {
            say("tidy: git cannot list the files here, so every file outside build folders is read");
            let mut paths = Vec::new();
            walk(project.root(), "", &mut paths)?;
            paths
        }
    };
    paths.sort();
    paths.dedup();
    let mut sources = Vec::with_capacity(paths.len());
    for path in paths {
        let file = project.root().join(&path);
        // git also lists a file that is deleted but not yet committed, and symbolic links, whose targets are listed separately.
        if !file.is_symlink() && file.is_file() {
            sources.push(Source::new(&path, fs::read(&file).with_context(|| format!("{path} cannot be read"))?));
        }
    }
    Ok(sources)
}

fn listed_by_git(project: &Project) -> Option<Vec<String>> {
    // Files that are not added yet are included, so that a new file is checked before it is committed.
    let mut git = project.command("git");
    let listed = tool::ask(git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let paths: Vec<String> = listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (!paths.is_empty()).then_some(paths)
}

fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder)).with_context(|| format!("{folder}/ cannot be listed"))? {
        let entry = entry.with_context(|| format!("{folder}/ cannot be listed"))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if entry.file_type().with_context(|| format!("cannot read the type of {path}"))?.is_dir() {
            if ![".git", "target", "results"].contains(&name.as_str()) {
                walk(root, &path, paths)?;
            }
        } else if !is_built(&path) {
            paths.push(path);
        }
    }
    Ok(())
}

/// Whether this is a built module in the folders of the sources, or the program of one.
fn is_built(path: &str) -> bool {
    let folder = path.rsplit_once('/').map(|(folder, _)| folder);
    matches!(folder, Some("plugins" | NATIVE_CPU_FOLDER | hostile::FOLDER | "native-probes"))
        && [".wasm", ".so", ".dylib", PROCESS].iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_files_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        let built = [
            "target/x",
            "results/r/run",
            "plugins/a.wasm",
            "plugins/a-process",
            "plugins/native-cpu/a.so",
            "plugins/hostile/a.wasm",
            "native-probes/a.so",
        ];
        for path in ["a.rs", "plugins/a/src/lib.rs", "plugins/hostile/a.wat", "host/a.so"].into_iter().chain(built) {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let mut paths = Vec::new();
        walk(root.path(), "", &mut paths).unwrap();
        paths.sort();
        assert_eq!(paths, ["a.rs", "host/a.so", "plugins/a/src/lib.rs", "plugins/hostile/a.wat"]);
    }
}
