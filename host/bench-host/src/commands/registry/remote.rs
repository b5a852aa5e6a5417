//! `registry push` and `registry pull`: modules from and to OCI registries.

use crate::cli::{PullArgs, PushArgs, TransportArgs};
use crate::{Exit, output, stored};
use anyhow::ensure;
use module_store::{ModuleName, Reference, ReferenceError, RemoteReference, Store, StoredModule};
use oci_registry::{Credentials, PullOptions, PushOptions, Registry, Transport};

pub(super) fn push(arguments: &PushArgs) -> anyhow::Result<Exit> {
    let store = stored::open()?;
    let module = store.find(&Reference::Name(arguments.name.clone()))?;
    let to = target(&arguments.to, &arguments.name)?;
    let options = PushOptions { allows_moving: arguments.remote.allow_moving };
    let pushed = oci_registry::push(&registry(&to.host, &arguments.remote.transport)?, &store, &module, &to, options)?;
    output::print(&format!(
        "{} is {to}@{} ({} blobs uploaded, {} probes and signatures attached)\n",
        arguments.name, pushed.digest, pushed.uploaded, pushed.attached
    ))?;
    Ok(Exit::Done)
}

/// Where to push: the tag is the version unless there is one.
fn target(text: &str, name: &ModuleName) -> anyhow::Result<RemoteReference> {
    let to = match text.parse::<RemoteReference>() {
        Err(ReferenceError::NoTag(_)) => format!("{text}:{}", name.version).parse::<RemoteReference>()?,
        to => to?,
    };
    ensure!(
        to.digest.is_none(),
        "{text}: the digest is that of the module; give a repository, and a tag if it is not the version"
    );
    Ok(to)
}

pub(super) fn pull(arguments: &PullArgs) -> anyhow::Result<Exit> {
    let store = stored::open()?;
    let options = PullOptions { allows_moving: arguments.remote.allow_moving };
    let from: RemoteReference = arguments.from.parse()?;
    let asks = arguments.refresh || options.allows_moving;
    let module = match oci_registry::held(&store, &from).filter(|_| !asks) {
        Some(module) => {
            output::line(
                "bench-host: the store has it; --refresh asks the registry for probes and signatures that were added since",
            );
            module
        }
        None => oci_registry::pull(&registry(&from.host, &arguments.remote.transport)?, &store, &from, options)?,
    };
    output::print(&format!("{} {}\n", module.shown(), module.manifest.digest))?;
    Ok(Exit::Done)
}

/// Pulls a module that a command names by its address and that the store does not have.
pub(crate) fn fetch(store: &Store, from: &RemoteReference) -> anyhow::Result<StoredModule> {
    output::line(&format!("bench-host: pulling {from}"));
    let registry = Registry::new(&from.host, Credentials::find(&from.host)?, Transport::ByHost)?;
    Ok(oci_registry::pull(&registry, store, from, PullOptions::default())?)
}

/// The registry at `host`, reached as `arguments` say.
pub(super) fn registry(host: &str, arguments: &TransportArgs) -> anyhow::Result<Registry> {
    let transport = match &arguments.plain_http {
        Some(plain) if plain == host => Transport::Plain,
        _ if arguments.tls => Transport::Tls,
        _ => Transport::ByHost,
    };
    Ok(Registry::new(host, Credentials::find(host)?, transport)?)
}
