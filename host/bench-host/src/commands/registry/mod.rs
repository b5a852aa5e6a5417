//! `registry`: keeps modules by name and digest, signs them, and says what is trusted. Nothing of a module is run.

mod list;
#[cfg(feature = "registry")]
pub(crate) mod remote;
#[cfg(feature = "signatures")]
pub(crate) mod sign;
mod trust;
mod verify;
#[cfg(feature = "registry")]
mod versions;

use crate::cli::{AddArgs, RegistryCommand, RemoveArgs};
use crate::{Exit, output, paths, stored};
use anyhow::{Context, bail};
use module_store::{Annotations, NewModule, PublicKey, Reference, annotation};

pub(crate) fn run(command: &RegistryCommand) -> anyhow::Result<Exit> {
    match command {
        RegistryCommand::List(arguments) => list::run(arguments),
        RegistryCommand::Add(arguments) => add(arguments),
        RegistryCommand::Verify(arguments) => verify::run(arguments),
        RegistryCommand::Remove(arguments) => remove(arguments),
        #[cfg(feature = "signatures")]
        RegistryCommand::Keygen(arguments) => sign::keygen(arguments),
        #[cfg(feature = "signatures")]
        RegistryCommand::Sign(arguments) => sign::run(arguments),
        RegistryCommand::Trust(arguments) => trust::run(arguments),
        #[cfg(feature = "registry")]
        RegistryCommand::Push(arguments) => remote::push(arguments),
        #[cfg(feature = "registry")]
        RegistryCommand::Pull(arguments) => remote::pull(arguments),
    }
}

fn add(arguments: &AddArgs) -> anyhow::Result<Exit> {
    let (mut component, mut native) = (None, None);
    for file in &arguments.files {
        let place = match file {
            _ if paths::is_component(file) => &mut component,
            _ if paths::is_probe(file) => &mut native,
            _ => bail!("{}: neither a component (.wasm) nor a probe (.so, .dylib); give built modules", file.display()),
        };
        if let Some(first) = place.replace(file.as_path()) {
            bail!("{} and {} are the same arm; give one of the two", first.display(), file.display());
        }
    }
    let told = [
        (annotation::LICENSES, &arguments.license),
        (annotation::SOURCE, &arguments.source),
        (annotation::DESCRIPTION, &arguments.description),
    ];
    let told = told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
    let annotations: Annotations = told.collect();
    let module = stored::open()?.add(&NewModule { name: &arguments.name, component, native, annotations })?;
    let mut text = format!("{} {}\n", arguments.name, module.manifest.digest);
    if let Some(file) = &module.component {
        text += &format!("  wasm {} ({} bytes)\n", file.digest, file.size);
    }
    for native in &module.natives {
        text += &format!("  native {} {} ({} bytes)\n", native.platform, native.file.digest, native.file.size);
    }
    output::print(&text)?;
    Ok(Exit::Done)
}

fn remove(arguments: &RemoveArgs) -> anyhow::Result<Exit> {
    let store = stored::open()?;
    // All are parsed before any is removed.
    let references = arguments.what.iter().map(|what| reference(what)).collect::<anyhow::Result<Vec<_>>>()?;
    for reference in references {
        output::print(&format!("removed {}\n", store.remove(&reference)?))?;
    }
    Ok(Exit::Done)
}

/// The reference that `text` is.
fn reference(text: &str) -> anyhow::Result<Reference> {
    let parsed = Reference::parse(text);
    let parsed =
        parsed.with_context(|| format!("`{text}` is neither a name, such as acme:json@1.2.0, nor a digest"))?;
    Ok(parsed?)
}

/// The public key that `text` is or names the file of.
fn public_key(text: &str) -> anyhow::Result<PublicKey> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let file = std::fs::read_to_string(text)
        .with_context(|| format!("`{text}` is neither a public key of minisign nor a file that can be read"))?;
    file.parse::<PublicKey>().with_context(|| text.to_owned())
}
