//! The JSON of the API server, as far as this crate reads or writes it.

use super::names::{GROUP, Resource, VERSION};
use crate::spec::Spec;
use crate::{Key, Object, PlaneError, Scope};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An object of any kind.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Wire {
    pub(super) metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    spec: Spec,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) resource_version: String,
    /// When its removal began.
    pub(super) deletion_timestamp: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// The status of a definition.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    #[serde(deserialize_with = "or_default")]
    pub(super) conditions: Vec<Condition>,
}

/// One condition of a status.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) what: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) message: String,
}

/// Objects at one version.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Wires {
    pub(super) metadata: ListMetadata,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) items: Vec<Wire>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListMetadata {
    pub(super) resource_version: String,
}

/// An empty list may be absent or `null`.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

impl Wire {
    /// Converts to the object of `scope`.
    pub(super) fn object(self, scope: &Scope) -> Result<Object, PlaneError> {
        let resource_version = version(&self.metadata.resource_version)?;
        let key = self.key(scope);
        Ok(Object { key, resource_version, spec: json!(self.spec).to_string() })
    }

    pub(super) fn key(&self, scope: &Scope) -> Key {
        Key::new(&scope.kind, &scope.namespace, &self.metadata.name)
    }
}

/// Parses a resource version, which is a number in every server on etcd.
pub(super) fn version(text: &str) -> Result<u64, PlaneError> {
    text.parse().map_err(|_| {
        let reason =
            format!("the API server's resourceVersion `{text}` is not a number, so versions cannot be compared");
        PlaneError::Unavailable(reason)
    })
}

/// The object as JSON; with a version, it replaces the object at that version.
pub(super) fn object(resource: &Resource, name: &str, spec: &Spec, version: Option<u64>) -> Value {
    let mut metadata = json!({ "name": name });
    if let Some(version) = version {
        metadata["resourceVersion"] = json!(version.to_string());
    }
    let api_version = format!("{GROUP}/{VERSION}");
    json!({ "apiVersion": api_version, "kind": resource.kind, "metadata": metadata, "spec": spec })
}

pub(super) fn body(resource: &Resource, name: &str, spec: &Spec, version: Option<u64>) -> Vec<u8> {
    object(resource, name, spec, version).to_string().into_bytes()
}
