//! `man`: prints or writes manual pages, generated from the definition of the command line.

use crate::cli::Cli;
use crate::{Exit, output};
use anyhow::Context;
use clap::CommandFactory;
use std::path::Path;

/// Prints the page of the program, or writes it and a page for each command into `folder`.
pub(crate) fn run(folder: Option<&Path>) -> anyhow::Result<Exit> {
    let command = Cli::command();
    if let Some(folder) = folder {
        let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
        written.with_context(|| format!("cannot write into {}", folder.display()))?;
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).context("cannot make the manual page")?;
        output::print(&String::from_utf8_lossy(&page))?;
    }
    Ok(Exit::Done)
}
