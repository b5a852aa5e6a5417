//! The files derived from a run file and written next to it: tables of raw samples, and figures. They may be deleted, because
//! `report` writes them again.

use crate::families;
use anyhow::Context;
use bench_report::{DerivedFile, RunView};
use bench_sink::runfile::RunFile;
use std::fs;
use std::path::Path;

/// The names of the derived files, and a line with the reason for each file that could not be made.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    pub(crate) written: Vec<String>,
    pub(crate) absent: Vec<String>,
}

/// Writes all files for which the run in `directory` has the data; returns them, and the run as read.
pub(crate) fn write(directory: &Path) -> anyhow::Result<(RunView, Derived)> {
    let file = RunFile::read(directory)?;
    let mut derived = Derived::default();
    derived.write_samples(directory, &file)?;
    let view = RunView::of(file)?;
    derived.write_figures(directory, &view)?;
    Ok((view, derived))
}

/// The same of a run that was read already.
pub(crate) fn write_read(directory: &Path, file: &RunFile, view: &RunView) -> anyhow::Result<Derived> {
    let mut derived = Derived::default();
    derived.write_samples(directory, file)?;
    derived.write_figures(directory, view)?;
    Ok(derived)
}

impl Derived {
    fn write_samples(&mut self, directory: &Path, file: &RunFile) -> anyhow::Result<()> {
        families::reports().iter().try_for_each(|family| self.write(directory, family.sample_files(file)))
    }

    fn write_figures(&mut self, directory: &Path, view: &RunView) -> anyhow::Result<()> {
        families::reports().iter().try_for_each(|family| self.write(directory, family.files(view)))
    }

    fn write(&mut self, directory: &Path, files: Vec<DerivedFile>) -> anyhow::Result<()> {
        for DerivedFile { name, content } in files {
            match content {
                Ok(content) => {
                    write_file(&directory.join(&name), &content)?;
                    self.written.push(name);
                }
                Err(why) => self.absent.push(format!("{name}: {why}")),
            }
        }
        Ok(())
    }
}

fn write_file(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    }
    own_files::replace(path, content).with_context(|| format!("cannot write {}", path.display()))
}
