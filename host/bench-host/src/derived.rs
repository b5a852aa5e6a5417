//! The files derived from a run file and written next to it: tables of raw samples, and figures. They may be deleted, because
//! `report` writes them again.

use anyhow::Context;
use bench_report::{Plot, RunView, operator_plots, operator_tables};
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
    for table in operator_tables(&file) {
        let folder = directory.join(&table.folder);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        for (name, text) in [("latency.csv", &table.latency_csv), ("memory.csv", &table.memory_csv)] {
            derived.write(directory, &format!("{}/{name}", table.folder), text.as_bytes())?;
        }
    }
    let view = RunView::of(file)?;
    for Plot { name, png } in operator_plots(&view) {
        match png {
            Ok(png) => derived.write(directory, &name, &png)?,
            Err(why) => derived.absent.push(format!("{name}: not drawn: {why}")),
        }
    }
    Ok((view, derived))
}

impl Derived {
    fn write(&mut self, directory: &Path, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let path = directory.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        self.written.push(name.to_owned());
        Ok(())
    }
}
