//! `registry trust`: changes the user's policy.

use super::public_key;
use crate::cli::TrustArgs;
use crate::{Exit, output, stored};
use anyhow::ensure;
use module_store::{Digest, KeyTrust, ModuleTrust, Policy};

pub(super) fn run(arguments: &TrustArgs) -> anyhow::Result<Exit> {
    let path = stored::policy_path()?;
    let mut policy = Policy::read(&path)?;
    let TrustArgs { what, natives, namespace, grant, revoke } = arguments;
    let shown = if what.starts_with("sha256:") {
        let digest: Digest = what.parse()?;
        ensure!(namespace.is_empty(), "--namespace restricts a key, and {digest} is the digest of a file");
        if *revoke {
            ensure!(policy.modules.remove(&digest).is_some(), "{digest} is not trusted; nothing was changed");
        } else {
            policy.modules.insert(digest, ModuleTrust { natives: *natives, grants: grant.clone() });
        }
        digest.to_string()
    } else {
        let key = public_key(what)?;
        if *revoke {
            ensure!(policy.keys.remove(&key).is_some(), "the key {} is not trusted; nothing was changed", key.id());
        } else {
            let trust = KeyTrust { namespaces: namespace.clone(), natives: *natives, grants: grant.clone() };
            policy.keys.insert(key, trust);
        }
        format!("key {}", key.id())
    };
    policy.write(&path)?;
    let grants: Vec<_> = grant.iter().map(ToString::to_string).collect();
    let allowed = match (*revoke, *natives, grants.is_empty()) {
        (true, ..) => "no longer trusted".to_owned(),
        (false, true, true) => "native code runs".to_owned(),
        (false, true, false) => format!("native code runs; components are granted {}", grants.join(", ")),
        (false, false, true) => "native code does not run, and components are granted nothing".to_owned(),
        (false, false, false) => format!("native code does not run; components are granted {}", grants.join(", ")),
    };
    output::print(&format!("{shown}: {allowed} ({})\n", path.display()))?;
    Ok(Exit::Done)
}
