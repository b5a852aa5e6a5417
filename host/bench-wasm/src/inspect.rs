//! Determines the kind of a file, and the imports and exports of a component, without executing it.

use crate::LoadError;
use std::path::Path;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// The version of wit/workload that this host supports.
pub(crate) const WORKLOAD_VERSION: &str = "0.1.0";

const PLUGIN: &str = "bench-host:workload/plugin@";

/// The name of the interface that a module for the driver `workload` exports, without the version.
pub(crate) const SESSIONS: &str = "bench-host:workload/sessions@";

/// What a WebAssembly file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A component.
    Component,
    /// A core module.
    CoreModule,
}

/// Checks the first bytes: whether it is WebAssembly, and whether it is a component.
pub(crate) fn sniff(path: &Path, bytes: &[u8]) -> Result<Kind, LoadError> {
    const MAGIC: [u8; 4] = *b"\0asm";
    match bytes {
        [magic @ .., version0, version1, layer0, layer1] if magic == MAGIC => {
            match ([*version0, *version1], [*layer0, *layer1]) {
                (_, [1, 0]) => Ok(Kind::Component),
                ([1, 0], [0, 0]) => Ok(Kind::CoreModule),
                _ => Err(LoadError::NotWasm(path.to_owned())),
            }
        }
        [head @ .., _, _, _, _] if bytes.len() > 8 && head.starts_with(&MAGIC) => sniff(path, &bytes[..8]),
        _ if bytes.starts_with(&MAGIC) => {
            Err(LoadError::Damaged { path: path.to_owned(), reason: "the header is incomplete".to_owned() })
        }
        _ => Err(LoadError::NotWasm(path.to_owned())),
    }
}

/// The interfaces that a component imports, in order, and the modules that core modules which it exports import.
pub(crate) fn imports(engine: &Engine, component: &Component) -> Vec<String> {
    let ty = component.component_type();
    let mut names: Vec<_> = ty.imports(engine).map(|(name, _)| name.to_owned()).collect();
    for (_, exported) in ty.exports(engine) {
        let ComponentItem::Module(module) = exported.ty else { continue };
        for ((from, _), _) in module.imports(engine) {
            if !names.iter().any(|name| name == from) {
                names.push(from.to_owned());
            }
        }
    }
    names
}

/// Whether the component exports an interface whose name has this prefix.
pub(crate) fn exports(engine: &Engine, component: &Component, begin: &str) -> bool {
    component.component_type().exports(engine).any(|(name, _)| name.starts_with(begin))
}

/// Whether it exports the interface of modules that were written for this host. An error if that has an unsupported version.
pub(crate) fn is_plugin(path: &Path, engine: &Engine, component: &Component) -> Result<bool, LoadError> {
    let exported = component.component_type();
    let found = exported.exports(engine).find_map(|(name, _)| name.strip_prefix(PLUGIN).map(str::to_owned));
    match found {
        None => Ok(false),
        Some(found) if compatible(&found, WORKLOAD_VERSION) => Ok(true),
        Some(found) => Err(LoadError::Version { path: path.to_owned(), found, ours: WORKLOAD_VERSION }),
    }
}

/// Whether the versions are compatible: equal minor versions below 1.0, equal major versions from 1.0 on, and the module's version
/// is not newer.
pub(crate) fn compatible(found: &str, ours: &str) -> bool {
    let parse = |version: &str| {
        let mut numbers = version.split('.').map(|part| part.parse::<u64>().ok());
        Some([numbers.next()??, numbers.next()??, numbers.next()??])
    };
    match (parse(found), parse(ours)) {
        (Some([0, minor, patch]), Some([0, our_minor, our_patch])) => minor == our_minor && patch <= our_patch,
        (Some([major, minor, _]), Some([our_major, our_minor, _])) => major == our_major && minor <= our_minor,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expect: &str) {
        let found = sniff(Path::new("x"), bytes).map_or_else(|error| error.to_string(), |kind| format!("{kind:?}"));
        assert!(found.starts_with(expect), "{bytes:?}: {found}");
    }

    #[test]
    fn kind_of_file_is_determined_by_its_first_bytes() {
        check(b"", "x: not a WebAssembly file");
        check(b"#!/bin/sh\n", "x: not a WebAssembly file");
        check(b"\0asm", "x: damaged");
        check(b"\0asm\x01\0\0\0", "CoreModule");
        check(b"\0asm\x01\0\0\0rest of it", "CoreModule");
        check(b"\0asm\x0d\0\x01\0", "Component");
        check(b"\0asm\x0d\0\x01\0rest of it", "Component");
    }

    #[test]
    fn versions_are_compatible_within_a_minor_below_one() {
        for (found, ours, expect) in [
            ("0.1.0", "0.1.0", true),
            ("0.1.0", "0.1.3", true),
            ("0.1.4", "0.1.3", false),
            ("0.2.0", "0.1.0", false),
            ("1.0.0", "0.1.0", false),
            ("1.1.9", "1.2.0", true),
            ("x", "0.1.0", false),
        ] {
            assert_eq!(compatible(found, ours), expect, "{found} on {ours}");
        }
    }
}
