//! `registry verify`: whether the files of the store are those that were added, and whether their signatures hold.

use crate::cli::VerifyArgs;
use crate::{Exit, output, stored};
use anyhow::Context;
use module_store::{Digest, Policy, Reference, Statement, Store, StoredModule, StoredSignature};
use std::path::Path;

pub(super) fn run(arguments: &VerifyArgs) -> anyhow::Result<Exit> {
    let store = stored::open()?;
    let policy = Policy::read(&stored::policy_path()?)?;
    let mut asked = Vec::new();
    let mut text = String::new();
    for what in &arguments.what {
        let reference = match Reference::parse(what) {
            Some(reference) => reference?,
            None => {
                let digest = Digest::of_file(Path::new(what));
                let digest = digest.with_context(|| format!("{what}: cannot be read; give a file or a name"))?;
                text += &format!("{what} is {digest}\n");
                Reference::Digest(digest)
            }
        };
        asked.push(reference);
    }
    let mut is_held = true;
    let is_asked = |module: &StoredModule| asked.is_empty() || asked.iter().any(|asked| names(asked, module));
    let damaged = store.verify(is_asked)?;
    for module in modules(&store, &asked)? {
        let (lines, holds) = signatures(&module, &policy);
        text += &format!("{} {}\n{lines}", module.shown(), module.manifest.digest);
        // What is damaged may be its signature.
        if module.signatures.is_empty() && damaged.iter().all(|damage| damage.module != module.shown()) {
            text += "  not signed\n";
        }
        is_held &= holds;
    }
    for damage in &damaged {
        text += &format!("FAILED {}: {}\n", damage.module, damage.error);
    }
    output::print(&text)?;
    Ok(if is_held && damaged.is_empty() { Exit::Done } else { Exit::Finding })
}

/// The modules that `asked` names, or all.
fn modules(store: &Store, asked: &[Reference]) -> anyhow::Result<Vec<StoredModule>> {
    if asked.is_empty() {
        return Ok(store.modules()?.0);
    }
    asked.iter().map(|reference| Ok(store.find(reference)?)).collect()
}

fn names(reference: &Reference, module: &StoredModule) -> bool {
    match reference {
        Reference::Name(name) => module.name.as_ref() == Some(name),
        Reference::Digest(digest) => {
            module.manifest.digest == *digest || module.files().any(|file| file.digest == *digest)
        }
        Reference::Remote(remote) => {
            Some(module.manifest.digest) == remote.digest || module.pulled_from == Some(remote.source())
        }
    }
}

/// A line for each signature, and whether none is wrong. One of a key that is not trusted cannot be checked.
fn signatures(module: &StoredModule, policy: &Policy) -> (String, bool) {
    let mut lines = String::new();
    let mut is_held = true;
    for stored in &module.signatures {
        let id = stored.signature.key_id();
        let line = match check(stored, policy) {
            None => format!("not checked: key {id} is not trusted"),
            Some(Err(reason)) => {
                is_held = false;
                format!("FAILED: key {id}: {reason}")
            }
            Some(Ok(statement)) if !module.files().any(|file| statement.has(&file.digest)) => {
                is_held = false;
                format!("FAILED: key {id} has signed {}, and none of these files", statement.name)
            }
            Some(Ok(statement)) if !policy.signers(module).iter().any(|signer| signer.statement == statement) => {
                let name = &statement.name;
                format!(
                    "does not count: key {id} has signed {name}, which it may not sign, or which is another name or component"
                )
            }
            Some(Ok(statement)) => {
                let others = module.files().filter(|file| !statement.has(&file.digest)).count();
                let rest =
                    if others == 0 { String::new() } else { format!("; {others} of its files were added later") };
                format!("ok: signed by key {id}{rest}")
            }
        };
        lines += &format!("  {line}\n");
    }
    (lines, is_held)
}

/// What was signed, or why the signature is wrong; `None` if its key is not trusted.
fn check(stored: &StoredSignature, policy: &Policy) -> Option<Result<Statement, String>> {
    let mut keys = policy.keys.keys().filter(|key| key.id() == stored.signature.key_id()).peekable();
    keys.peek()?;
    let text = stored.statement.as_bytes();
    let results: Vec<_> = keys.map(|key| key.verify(text, &stored.signature)).collect();
    if results.iter().all(Result::is_err) {
        let first = results.into_iter().find_map(Result::err)?;
        return Some(Err(first.to_string()));
    }
    Some(stored.statement.parse().map_err(|error: module_store::StatementError| error.to_string()))
}
