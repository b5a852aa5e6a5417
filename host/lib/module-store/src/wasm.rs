//! What the config of a WebAssembly artifact says of a file: read from its sections, without compiling it.

use crate::digest::Digest;
use serde::Serialize;
use wasmparser::{Encoding, Parser, Payload};

/// The config of type `application/vnd.wasm.config.v0+json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [Digest; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Names>,
}

/// The names that a component imports and exports.
#[derive(Debug, Default, Serialize)]
struct Names {
    exports: Vec<String>,
    imports: Vec<String>,
}

/// The time of every artifact, so that a module has the same digest whenever it is added.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// The platform of a component in statements.
pub(crate) const PLATFORM: &str = "wasip2/wasm";

/// The bytes of the config for the module `bytes`, or why it is not WebAssembly.
pub(crate) fn config(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let component = names(bytes)?;
    let config = Config {
        created: CREATED,
        architecture: "wasm",
        os: if component.is_some() { "wasip2" } else { "wasip1" },
        layer_digests: [Digest::of_bytes(bytes)],
        component,
    };
    Ok(serde_json::to_vec(&config).expect("a config is JSON"))
}

/// What a component imports and exports; `None` for a core module.
fn names(bytes: &[u8]) -> Result<Option<Names>, String> {
    let mut names = Names::default();
    let mut is_component = false;
    // Sections of what is nested in a component are not its own.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| error.to_string())? {
            Payload::Version { encoding, .. } if depth == 0 => is_component = encoding == Encoding::Component,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.imports.push(import.map_err(|error| error.to_string())?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    names.exports.push(export.map_err(|error| error.to_string())?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(is_component.then_some(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_has_the_fields_that_other_tools_read() {
        let text = r#"(component
            (import "wasi:io/poll@0.2.0" (instance))
            (component (import "inner" (func)))
            (core module)
            (export "a" (instance 0)))"#;
        let bytes = wat::parse_str(text).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&config(&bytes).unwrap()).unwrap();
        let expect = serde_json::json!({
            "created": "1970-01-01T00:00:00Z",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [Digest::of_bytes(&bytes).to_string()],
            "component": {"exports": ["a"], "imports": ["wasi:io/poll@0.2.0"]},
        });
        assert_eq!(config, expect);
    }

    #[test]
    fn core_module_has_no_component() {
        let bytes = wat::parse_str("(module)").unwrap();
        let config: serde_json::Value = serde_json::from_slice(&config(&bytes).unwrap()).unwrap();
        assert_eq!((&config["os"], config.get("component")), (&serde_json::json!("wasip1"), None));
        for bytes in [&b""[..], b"\0asm", b"not wasm"] {
            assert!(super::config(bytes).is_err(), "{bytes:?}");
        }
    }
}
