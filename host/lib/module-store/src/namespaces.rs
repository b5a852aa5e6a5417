//! Which registry has the modules of a namespace, as the user has told `wkg`: its file `wasm-pkg/config.toml`.

use crate::reference::{ModuleName, ReferenceError, RemoteReference};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The registries of namespaces and of single modules.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Namespaces {
    namespace_registries: BTreeMap<String, MappingToml>,
    package_registry_overrides: BTreeMap<String, MappingToml>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NamespacesError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is malformed.
    #[error("{}: line {line} is not one of the settings of wkg; correct it, or give an address oci://HOST/REPOSITORY:TAG", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
}

/// A registry by its host, or with what its host would tell about it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum MappingToml {
    Registry(String),
    Custom {
        registry: String,
        #[serde(default)]
        metadata: MetadataToml,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MetadataToml {
    oci: OciToml,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OciToml {
    registry: Option<String>,
    namespace_prefix: Option<String>,
}

impl Namespaces {
    /// Reads the file at `path`; there are no registries if there is no file.
    pub fn read(path: &Path) -> Result<Self, NamespacesError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(NamespacesError::Io { path: path.to_owned(), source }),
        };
        toml::from_str(&text).map_err(|error| {
            // Only where it is, because the text of the error may show a part of the line, which may be a password.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            NamespacesError::Malformed { path: path.to_owned(), line: before.matches('\n').count() + 1 }
        })
    }

    /// The address of the module, if its namespace has a registry. The settings that a registry publishes about itself are not fetched.
    pub fn address(&self, name: &ModuleName) -> Option<Result<RemoteReference, ReferenceError>> {
        let module = format!("{}:{}", name.namespace, name.name);
        let mapping = self.package_registry_overrides.get(&module);
        let (registry, prefix) = match mapping.or_else(|| self.namespace_registries.get(&name.namespace))? {
            MappingToml::Registry(registry) => (registry, ""),
            MappingToml::Custom { registry, metadata: MetadataToml { oci } } => {
                (oci.registry.as_ref().unwrap_or(registry), oci.namespace_prefix.as_deref().unwrap_or_default())
            }
        };
        let address = format!("oci://{registry}/{prefix}{}/{}:{}", name.namespace, name.name, name.version);
        Some(address.parse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        default_registry = "default.example.org"

        [namespace_registries]
        acme = "registry.example.org"
        local = { registry = "names.example.org", metadata = { preferredProtocol = "oci", oci = { registry = "127.0.0.1:5000" } } }
        deep = { registry = "registry.example", metadata = { oci = { namespacePrefix = "owner/" } } }
        bad = "user@registry.example.org"

        [package_registry_overrides]
        "acme:other" = "other.example.org"

        [registry."registry.example.org".oci]
        auth = { username = "user", password = "secret" }
    "#;

    fn read(text: &str) -> Result<Namespaces, NamespacesError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        Namespaces::read(&path)
    }

    #[test]
    fn module_is_where_its_namespace_is() {
        let namespaces = read(TEXT).unwrap();
        let check = |name: &str, expect: Option<&str>| {
            let found = namespaces.address(&name.parse().unwrap()).map(|address| address.unwrap().to_string());
            assert_eq!(found.as_deref(), expect, "{name}");
        };
        check("acme:json@1.2.0", Some("oci://registry.example.org/acme/json:1.2.0"));
        check("acme:other@1.2.0", Some("oci://other.example.org/acme/other:1.2.0"));
        check("local:json@1.2.0-rc.1", Some("oci://127.0.0.1:5000/local/json:1.2.0-rc.1"));
        check("deep:json@1.2.0", Some("oci://registry.example/owner/deep/json:1.2.0"));
        // A name that nobody has placed is not asked for anywhere.
        check("else:json@1.2.0", None);
        let bad = namespaces.address(&"bad:json@1.2.0".parse().unwrap());
        assert_eq!(bad, Some(Err(ReferenceError::Credentials)));
    }

    #[test]
    fn name_is_the_same_after_it_was_pulled_from_its_address() {
        for name in ["acme:json@1.2.0", "deep:json@1.2.0", "local:a-b@1.0.0-rc.1"] {
            let name: ModuleName = name.parse().unwrap();
            let address = read(TEXT).unwrap().address(&name).unwrap().unwrap();
            assert_eq!(address.module_name(), Some(name));
        }
    }

    #[test]
    fn absent_file_has_no_registries_and_a_malformed_one_is_reported_without_what_it_holds() {
        let absent = Namespaces::read(Path::new("/nowhere/config.toml")).unwrap();
        assert_eq!(absent.address(&"acme:json@1.2.0".parse().unwrap()), None);
        for text in ["secret", "namespace_registries = \"secret\"", "[namespace_registries]\nacme = { secret = 1 }"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("config.toml: line ") && !error.contains("secret"), "{error}");
        }
        let error = read("\n\nnamespace_registries = 1\n").unwrap_err().to_string();
        assert!(error.contains("config.toml: line 3 is not one of"), "{error}");
    }
}
