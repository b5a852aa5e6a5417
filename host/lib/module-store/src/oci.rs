//! The documents of the OCI image specification that are used here. Fields of others are ignored, so what came from elsewhere is kept
//! as the bytes that its digest is of.

use crate::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Annotations, sorted so that equal ones have equal bytes.
pub type Annotations = BTreeMap<String, String>;

/// The media and artifact types.
pub mod media_type {
    /// An image manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An image index.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// The config of an artifact that has none: `{}`.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// The config of a WebAssembly artifact, as `wkg` writes it.
    pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
    /// A component or a core module.
    pub const WASM: &str = "application/wasm";
    /// A native probe: the type of the artifact.
    pub const PROBE: &str = "application/vnd.bench-host.probe.v1";
    /// A native probe: the type of the layer.
    pub const PROBE_LAYER: &str = "application/vnd.bench-host.probe.layer.v1";
    /// A signature: the type of the artifact.
    pub const SIGNATURE: &str = "application/vnd.bench-host.signature.v1";
    /// The statement that was signed.
    pub const STATEMENT_LAYER: &str = "application/vnd.bench-host.statement.v1+text";
    /// The signature, as minisign writes it.
    pub const MINISIGN_LAYER: &str = "application/vnd.minisign";
}

/// The keys of annotations.
pub mod annotation {
    /// The name of an entry of an image layout.
    pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
    /// The name of a file.
    pub const TITLE: &str = "org.opencontainers.image.title";
    /// The version of a module.
    pub const VERSION: &str = "org.opencontainers.image.version";
    /// The URL of the sources.
    pub const SOURCE: &str = "org.opencontainers.image.source";
    /// The licence, as an SPDX expression.
    pub const LICENSES: &str = "org.opencontainers.image.licenses";
    /// One sentence about a module.
    pub const DESCRIPTION: &str = "org.opencontainers.image.description";
    /// The system and processor of a probe, such as `linux/amd64`.
    pub const PLATFORM: &str = "dev.bench-host.platform";
    /// The arm that a probe is.
    pub const ARM: &str = "dev.bench-host.arm";
    /// The manifest that an entry of the store is attached to.
    pub const SUBJECT: &str = "dev.bench-host.subject";
    /// Where a module was pulled from.
    pub const PULLED_FROM: &str = "dev.bench-host.pulled-from";
}

/// What a document says of a blob or of another document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type.
    pub media_type: String,
    /// The digest of the bytes.
    pub digest: Digest,
    /// The number of bytes.
    pub size: u64,
    /// The type of the artifact that a manifest describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
}

/// An image manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// The media type of this document; some writers leave it out.
    #[serde(default)]
    pub media_type: String,
    /// The type of the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The config.
    pub config: Descriptor,
    /// The files.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
}

/// An image index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// The media type of this document; some writers leave it out.
    #[serde(default)]
    pub media_type: String,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
}

impl Descriptor {
    /// The descriptor of `bytes`.
    pub fn of_bytes(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of_bytes(bytes), bytes.len() as u64)
    }

    /// A descriptor without annotations.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self { media_type: media_type.to_owned(), digest, size, artifact_type: None, annotations: Annotations::new() }
    }

    /// The same with an annotation.
    #[must_use]
    pub fn annotated(mut self, key: &str, value: impl Into<String>) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }

    /// The annotation `key`.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }
}

impl Manifest {
    /// A manifest of these files.
    pub fn new(artifact_type: Option<&str>, config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: media_type::MANIFEST.to_owned(),
            artifact_type: artifact_type.map(str::to_owned),
            config,
            layers,
            subject: None,
            annotations: Annotations::new(),
        }
    }

    /// Its bytes: the same for equal manifests.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a manifest is JSON")
    }

    /// Its files: the config, and then the layers.
    pub fn files(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.config).chain(&self.layers)
    }

    /// The only layer of this type.
    pub fn layer(&self, media_type: &str) -> Option<&Descriptor> {
        let mut layers = self.layers.iter().filter(|layer| layer.media_type == media_type);
        layers.next().filter(|_| layers.next().is_none())
    }
}

impl Default for Index {
    fn default() -> Self {
        Self { schema_version: 2, media_type: media_type::INDEX.to_owned(), manifests: Vec::new() }
    }
}
