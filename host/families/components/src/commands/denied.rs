//! What a command imports of the system and was not granted, with the options that grant it: a command that fails may lack it.

use bench_drivers::Grants;

/// WASI 0.1, in which files and variables are one module, and which opens no connections.
const PREVIEW1: &str = "wasi_snapshot_preview1";

const SOCKETS: &str = "wasi:sockets";

/// `wasi:filesystem (--allow-dir HOST::GUEST), …`; `None` if everything that is imported and can be granted was.
pub(super) fn denied(imports: &[String], grants: &Grants) -> Option<String> {
    let denied = [
        ("wasi:filesystem", "--allow-dir HOST::GUEST", grants.directories.is_empty()),
        ("wasi:cli/environment", "--env NAME", grants.environment.is_empty()),
        (SOCKETS, "--allow-net HOST:PORT", grants.connections.is_empty()),
    ];
    let is_meant = |import: &str, name: &str| match import {
        PREVIEW1 => name != SOCKETS,
        _ => import.starts_with(name),
    };
    let is_imported = |name: &str| imports.iter().any(|import| is_meant(import, name));
    let denied = denied.into_iter().filter(|(name, _, is_denied)| *is_denied && is_imported(name));
    let denied: Vec<_> = denied.map(|(name, option, _)| format!("{name} ({option})")).collect();
    (!denied.is_empty()).then(|| denied.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(imports: &[&str], grants: &Grants, expect: Option<&str>) {
        let imports: Vec<_> = imports.iter().map(|import| (*import).to_owned()).collect();
        assert_eq!(denied(&imports, grants).as_deref(), expect, "{imports:?}");
    }

    #[test]
    fn imports_without_a_grant_are_named_with_their_option() {
        let nothing = Grants::default();
        check(&[], &nothing, None);
        check(&["wasi:cli/stdout@0.2.3", "wasi:random/random@0.2.3"], &nothing, None);
        check(
            &["wasi:filesystem/types@0.2.3", "wasi:filesystem/preopens@0.2.3", "wasi:sockets/tcp@0.2.3"],
            &nothing,
            Some("wasi:filesystem (--allow-dir HOST::GUEST), wasi:sockets (--allow-net HOST:PORT)"),
        );
        let granted = Grants {
            environment: vec![("A".to_owned(), "b".to_owned())],
            connections: vec!["h:1".to_owned()],
            ..nothing
        };
        check(&["wasi:cli/environment@0.2.3", "wasi:sockets/tcp@0.2.3"], &granted, None);
        check(
            &["wasi_snapshot_preview1"],
            &Grants::default(),
            Some("wasi:filesystem (--allow-dir HOST::GUEST), wasi:cli/environment (--env NAME)"),
        );
        check(&["wasi_snapshot_preview1"], &granted, Some("wasi:filesystem (--allow-dir HOST::GUEST)"));
    }
}
