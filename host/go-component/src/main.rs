//! Makes a component out of the core module that Go has built for a plug-in, for the task runner. It must not know what a plug-in
//! does, nor where Go is.

use anyhow::{Context, Result, bail};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

/// What Go's system calls are imported from.
const ADAPTED: &str = "wasi_snapshot_preview1";

/// What other packages use, and so comes first.
const FIRST: &str = "workload";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [wit, world, core, file] => component(wit.as_ref(), world.as_ref(), core.as_ref(), file.as_ref()),
        _ => bail!("usage: go-component WIT WORLD CORE FILE"),
    }
}

/// Writes the component around a core module.
fn component(wit: &Path, world: &Path, core: &Path, file: &Path) -> Result<()> {
    let (resolve, world) = resolved(wit, world)?;
    let mut module = fs::read(core).with_context(|| format!("{} cannot be read", core.display()))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    let encoder = ComponentEncoder::default();
    let bytes =
        encoder.validate(true).module(&module)?.adapter(ADAPTED, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?.encode()?;
    fs::write(file, bytes).with_context(|| format!("{} cannot be written", file.display()))
}

/// The one world of the file `world`, over the packages that are folders of `wit`.
fn resolved(wit: &Path, world: &Path) -> Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    for folder in packages(wit)? {
        resolve.push_dir(&folder).with_context(|| format!("{} does not parse", folder.display()))?;
    }
    let package = resolve.push_file(world).with_context(|| format!("{} does not parse", world.display()))?;
    let selected = resolve.select_world(&[package], None)?;
    Ok((resolve, selected))
}

/// The folders of `wit`, in the order in which they can be read.
fn packages(wit: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(wit).with_context(|| format!("{} cannot be read", wit.display()))?;
    let mut folders = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort_by_key(|path| (!path.ends_with(FIRST), path.clone()));
    Ok(folders)
}
