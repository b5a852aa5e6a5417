//! Remembers what has passed and with which inputs, so that it is not repeated. This is only for work whose result follows from its inputs
//! alone: it reads no clock, draws nothing at random, and opens no file and asks no process that the inputs do not name.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::tool;

/// The number of files in one command line, whose length is limited.
const FILES_AT_ONCE: usize = 500;

/// The inputs of some work.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The file of the inputs with which it passed.
    file: PathBuf,
    text: String,
}

impl Inputs {
    /// The inputs of the work `name`: what `described` says, and the contents of `files`. `None` if their digests cannot be computed; then the work
    /// is done each time. `folder` has what has passed.
    pub(crate) fn new(folder: &Path, name: &str, described: &str, files: &[PathBuf]) -> Option<Self> {
        let mut text = format!("{described}\n");
        for part in files.chunks(FILES_AT_ONCE) {
            text.push_str(&tool::ask(Command::new("sha256sum").arg("--").args(part))?);
            text.push('\n');
        }
        Some(Self { file: folder.join(name), text })
    }

    /// Whether the work has passed with these inputs.
    pub(crate) fn have_passed(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|passed| passed == self.text)
    }

    /// Remembers that the work has passed with these inputs.
    pub(crate) fn remember(&self) -> Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&self.file, &self.text));
        written.with_context(|| format!("cannot write {}", self.file.display()))
    }
}

/// The folder of what has passed in this checkout.
pub(crate) fn folder(project: &Project) -> PathBuf {
    project.target().join("passed")
}

/// Forgets what has passed.
pub(crate) fn forget(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// All files below these folders, sorted.
pub(crate) fn files(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut left = folders.to_vec();
    while let Some(folder) = left.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { left.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_repeated_when_an_input_changes() {
        if tool::find("sha256sum").is_none() {
            eprintln!("skipped: there is no sha256sum; install coreutils");
            return;
        }
        let target = tempfile::tempdir().unwrap();
        let (folder, sources) = (target.path().join("passed"), target.path().join("sources"));
        fs::create_dir_all(sources.join("inner")).unwrap();
        fs::write(sources.join("a"), "1").unwrap();
        fs::write(sources.join("inner/b"), "2").unwrap();
        let inputs = |described: &str| {
            let files = files(std::slice::from_ref(&sources)).unwrap();
            Inputs::new(&folder, "of/these", described, &files).unwrap()
        };
        assert!(!inputs("x").have_passed());
        inputs("x").remember().unwrap();
        assert!(inputs("x").have_passed() && !inputs("y").have_passed());
        fs::write(sources.join("inner/b"), "3").unwrap();
        assert!(!inputs("x").have_passed(), "a file has changed");
        fs::write(sources.join("inner/b"), "2").unwrap();
        assert!(inputs("x").have_passed(), "contents count, not times");
        fs::write(sources.join("c"), "").unwrap();
        assert!(!inputs("x").have_passed(), "there is one more file");
        fs::remove_file(sources.join("c")).unwrap();
        forget(&folder).unwrap();
        forget(&folder).unwrap();
        assert!(!inputs("x").have_passed());
    }

    #[test]
    fn inputs_that_cannot_be_read_are_no_reason_to_skip() {
        assert!(Inputs::new(Path::new("."), "name", "", &["absent".into()]).is_none());
    }
}
