//! `sdk`, `wit` and `header`: write and print what plug-ins are built with. It is compiled into this program.

use crate::cli::{SdkArgs, WitArgs};
use crate::{Exit, output, paths};
use anyhow::{Context, ensure};
use bench_kit::sdk;
use std::path::Path;

pub(crate) fn run(arguments: &SdkArgs) -> anyhow::Result<Exit> {
    let folder = match &arguments.copy {
        Some(folder) => {
            ensure!(
                may_hold_sdk(folder),
                "{} holds other files; give a new folder, or one that `bench-host new` or `sdk --copy` wrote",
                folder.display()
            );
            folder.clone()
        }
        None => paths::sdk().context("the user's data folder is unknown: set HOME, or give --copy DIR")?,
    };
    let files = wanted(&folder, arguments.repository.as_deref());
    let written = bench_kit::write_changed(&folder, &files);
    let written = written.with_context(|| format!("cannot write the SDK into {}", folder.display()))?;
    match arguments.copy {
        Some(_) => output::print(&format!("{}: {written} of {} files written\n", folder.display(), files.len()))?,
        None => output::print(&format!("{}\n", folder.display()))?,
    }
    Ok(Exit::Done)
}

pub(crate) fn wit(arguments: &WitArgs) -> anyhow::Result<Exit> {
    let packages = [bench_kit::wit_packages(), bench_kit::wasi_packages()].concat();
    let found = packages.iter().find(|(name, _)| *name == arguments.package);
    let (_, text) = found.with_context(|| {
        let known: Vec<_> = packages.iter().map(|(name, _)| *name).collect();
        format!("there is no WIT package `{}`; the packages are {}", arguments.package, known.join(", "))
    })?;
    output::print(text)?;
    Ok(Exit::Done)
}

pub(crate) fn header() -> anyhow::Result<Exit> {
    output::print(bench_kit::header())?;
    Ok(Exit::Done)
}

/// Whether nothing is overwritten in `folder` but an earlier copy.
fn may_hold_sdk(folder: &Path) -> bool {
    let is_empty = std::fs::read_dir(folder).map_or(!folder.exists(), |mut entries| entries.next().is_none());
    is_empty || parts(folder).next().is_some()
}

/// The parts of the SDK that an earlier copy in `folder` has: that of `new` has those of one language.
fn parts(folder: &Path) -> impl Iterator<Item = &'static str> {
    const MARKS: [(&str, &str); 5] = [
        ("rust/", "bench-plugin/Cargo.toml"),
        ("go/", "bench/operator.go"),
        ("c/", "bench_plugin.h"),
        ("wit/", "workload/workload.wit"),
        ("include/", "bench_probe.h"),
    ];
    MARKS.into_iter().filter(move |(part, mark)| folder.join(part).join(mark).is_file()).map(|(part, _)| part)
}

/// The files for `folder`: those of the parts that are there, or all.
fn wanted(folder: &Path, repository: Option<&str>) -> Vec<bench_kit::File> {
    let parts: Vec<_> = parts(folder).collect();
    let mut files = repository.map_or_else(sdk, bench_kit::sdk_of);
    files.retain(|file| parts.is_empty() || parts.iter().any(|part| file.path.starts_with(part)));
    files
}
