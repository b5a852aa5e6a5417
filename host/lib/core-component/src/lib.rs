//! Makes a component out of a core module, as compilers of Go and C build it. The module's own exports and imports say which
//! interfaces the component has.

use std::collections::BTreeSet;
use std::fmt::Write;
use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The module that system calls of WASI 0.1 are imported from. An adapter translates them.
const ADAPTED: &str = "wasi_snapshot_preview1";

/// Other packages use this one, so it is parsed first.
const FIRST: &str = "workload";

/// The reason why a core module cannot be made a component.
#[derive(Debug, thiserror::Error)]
pub enum WrapError {
    /// It is not a core module.
    #[error("not a core module, but {0}")]
    NotCore(&'static str),
    /// It cannot be parsed.
    #[error("damaged or incomplete: {0}")]
    Damaged(#[from] wasmparser::BinaryReaderError),
    /// It exports no function of a WIT interface.
    #[error(
        "exports no function of a WIT interface, such as `bench-host:workload/plugin@0.1.0#describe`; build it with an SDK \
         (`bench-host new`), as a library without `main` (Go: -buildmode=c-shared; C: -mexec-model=reactor)"
    )]
    NoInterface,
    /// The functions do not fit the WIT packages.
    #[error("does not fit the WIT packages of this version: {0}")]
    Misfit(String),
}

/// The component around `core`. `packages` are the names of WIT packages and their texts. A module with embedded component types, as
/// `wit-bindgen c` makes it, needs no packages.
pub fn component(core: &[u8], packages: &[(&str, &str)]) -> Result<Vec<u8>, WrapError> {
    let described = describe(core)?;
    let mut module = core.to_vec();
    if !described.has_types {
        embed(&mut module, &described, packages)?;
    }
    let encoder = ComponentEncoder::default().validate(true);
    let encoded = encoder
        .module(&module)
        .and_then(|encoder| encoder.adapter(ADAPTED, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER))
        .and_then(|mut encoder| encoder.encode());
    encoded.map_err(misfit)
}

/// What a core module has of interfaces.
#[derive(Debug, Default, PartialEq, Eq)]
struct Described {
    exports: BTreeSet<String>,
    imports: BTreeSet<String>,
    /// Whether its component types are embedded.
    has_types: bool,
}

fn describe(core: &[u8]) -> Result<Described, WrapError> {
    let mut described = Described::default();
    if !core.starts_with(b"\0asm") {
        return Err(WrapError::NotCore("a file of another kind"));
    }
    if Parser::is_component(core) {
        return Err(WrapError::NotCore("a component; load it as it is"));
    }
    for payload in Parser::new(0).parse_all(core) {
        match payload? {
            Payload::ExportSection(exports) => {
                for export in exports {
                    described.exports.extend(interface(export?.name));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let module = import?.module;
                    // The functions of exported resources are imported from a module of this form.
                    described.imports.extend(Some(module).filter(|name| !name.starts_with("[export]")).and_then(named));
                }
            }
            Payload::CustomSection(section) => described.has_types |= section.name().starts_with("component-type"),
            _ => {}
        }
    }
    if described.exports.is_empty() && !described.has_types {
        return Err(WrapError::NoInterface);
    }
    Ok(described)
}

/// The interface of an exported function, `package:name/interface@version#function`.
fn interface(export: &str) -> Option<String> {
    let (interface, _) = export.split_once('#')?;
    // A function that frees memory after a call belongs to an interface that is exported anyway.
    named(interface).filter(|name| !name.starts_with("cabi_post_"))
}

/// `name`, if it is that of an interface.
fn named(name: &str) -> Option<String> {
    (name.contains(':') && name.contains('/')).then(|| name.to_owned())
}

/// Embeds the types of the world that has the module's interfaces.
fn embed(module: &mut Vec<u8>, described: &Described, packages: &[(&str, &str)]) -> Result<(), WrapError> {
    let mut resolve = Resolve::default();
    let (first, others): (Vec<_>, Vec<_>) = packages.iter().partition(|(name, _)| *name == FIRST);
    for (name, text) in first.into_iter().chain(others) {
        resolve.push_str(format!("{name}.wit"), text).map_err(misfit)?;
    }
    let package = resolve.push_str("world.wit", &world(described)).map_err(misfit)?;
    let world = resolve.select_world(&[package], None).map_err(misfit)?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8).map_err(misfit)
}

/// An error of the encoder and its causes, as one line.
fn misfit(error: impl std::fmt::Display) -> WrapError {
    let text = format!("{error:#}");
    WrapError::Misfit(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A world with the module's interfaces, in WIT.
fn world(described: &Described) -> String {
    let mut text = "package bench-host:wrapped;\nworld module {\n".to_owned();
    for (keyword, names) in [("import", &described.imports), ("export", &described.exports)] {
        for name in names {
            writeln!(text, "  {keyword} {name};").expect("writing to a string cannot fail");
        }
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = "package a:b@1.0.0; interface i { f: func(); } interface j { g: func(); }";

    fn check(text: &str, expect: Result<(), &str>) {
        let core = wat::parse_str(text).unwrap();
        match (component(&core, &[("a", PACKAGE)]), expect) {
            (Ok(bytes), Ok(())) => assert!(Parser::is_component(&bytes)),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expect) => panic!("{found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn world_has_the_interfaces_of_the_module() {
        let core = r#"(module
            (import "a:b/j@1.0.0" "g" (func))
            (import "[export]a:b/i@1.0.0" "[resource-drop]r" (func (param i32)))
            (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
            (func (export "a:b/i@1.0.0#f")) (func (export "cabi_post_a:b/i@1.0.0#f")) (func (export "cabi_realloc")))"#;
        let described = describe(&wat::parse_str(core).unwrap()).unwrap();
        assert_eq!(
            world(&described),
            "package bench-host:wrapped;\nworld module {\n  import a:b/j@1.0.0;\n  export a:b/i@1.0.0;\n}\n"
        );
    }

    #[test]
    fn module_becomes_a_component_or_is_refused_with_the_next_step() {
        check(r#"(module (func (export "a:b/i@1.0.0#f")))"#, Ok(()));
        check(r#"(module (func (export "a:b/i@2.0.0#f")))"#, Err("does not fit the WIT packages of this version"));
        check(r#"(module (func (export "_start")))"#, Err("build it with an SDK (`bench-host new`)"));
        check("(component)", Err("a component; load it as it is"));
        assert!(component(b"#!/bin/sh", &[]).unwrap_err().to_string().contains("a file of another kind"));
    }
}
