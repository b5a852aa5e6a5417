//! `registry keygen` and `registry sign`: keys, and signatures of which files a module is.

use super::public_key;
use crate::cli::{KeygenArgs, SignArgs};
use crate::{Exit, output, stored};
use anyhow::Context;
use module_store::{Reference, SecretKey, Signature};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Writes a pair of keys.
pub(super) fn keygen(arguments: &KeygenArgs) -> anyhow::Result<Exit> {
    let key = SecretKey::generate()?;
    let mut public = arguments.file.clone().into_os_string();
    public.push(".pub");
    let public = PathBuf::from(public);
    write_new(&arguments.file, &key.to_file(), 0o600)?;
    write_new(&public, &key.public().to_file(), 0o644)?;
    output::print(&format!(
        "{}: secret, without a password; keep it to yourself\n{}: public; others trust it with\n  bench-host registry trust {}\n",
        arguments.file.display(),
        public.display(),
        key.public()
    ))?;
    Ok(Exit::Done)
}

/// Writes a file that must not exist yet: a key that is overwritten is lost.
fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write {}; give a new file in a folder that exists", path.display()))
}

/// Signs the module, attaches a signature, or prints what would be signed.
pub(super) fn run(arguments: &SignArgs) -> anyhow::Result<Exit> {
    let store = stored::open()?;
    let module = store.find(&Reference::Name(arguments.name.clone()))?;
    let statement = module.statement()?.to_string();
    let (key, signature) = match (&arguments.key, &arguments.signature) {
        (Some(file), _) => {
            let key = secret_key(file)?;
            (key.public(), key.sign(statement.as_bytes(), &format!("bench-host module {}", arguments.name)))
        }
        (None, Some(file)) => {
            let signature = read(file)?.parse::<Signature>().with_context(|| file.display().to_string())?;
            let key = public_key(arguments.public_key.as_deref().unwrap_or_default())?;
            let verified = key.verify(statement.as_bytes(), &signature);
            verified.with_context(|| {
                format!("{}: not a signature of what `registry sign {}` prints", file.display(), arguments.name)
            })?;
            (key, signature)
        }
        (None, None) => {
            output::print(&statement)?;
            return Ok(Exit::Done);
        }
    };
    store.attach_signature(&module, &statement, &signature)?;
    output::print(&format!(
        "{}: signed by key {}; others trust it with\n  bench-host registry trust {key} --namespace {}\n",
        arguments.name,
        key.id(),
        arguments.name.namespace
    ))?;
    Ok(Exit::Done)
}

/// The secret key in `file`.
pub(crate) fn secret_key(file: &Path) -> anyhow::Result<SecretKey> {
    read(file)?.parse::<SecretKey>().with_context(|| file.display().to_string())
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}
