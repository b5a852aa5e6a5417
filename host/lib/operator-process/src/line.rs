//! The lines of the protocol, as types that both ends share.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A call of the host.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call<'a> {
    /// `start`, `reconcile`, `suspend`, `resume`.
    #[serde(borrow)]
    pub call: Cow<'a, str>,
    /// The arguments of `start`: names and values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<(String, String)>,
    /// The event of `reconcile`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventLine<'a>>,
    /// The state for `resume`, in Base64.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Cow<'a, str>>,
}

/// An event of a watch.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLine<'a> {
    /// `ADDED`, `MODIFIED`, `DELETED`.
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    /// The object after the event.
    #[serde(borrow)]
    pub object: ObjectLine<'a>,
}

/// An object; absent fields are empty.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectLine<'a> {
    /// Its kind.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// Its namespace.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its version, or the version to be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<u64>,
    /// The desired state: a JSON object.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<&'a RawValue>,
}

/// A message of the program: a question to the control plane, or the end of a call.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply<'a> {
    /// `get`, `apply`, `create`, `update`, `delete`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub plane: Option<Cow<'a, str>>,
    /// The object of the question.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectLine<'a>>,
    /// The call succeeded.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Done<'a>>,
    /// The call failed; says why.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
}

/// The result of a call.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done<'a> {
    /// The watches from `start`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watches: Vec<WatchLine>,
    /// The state from `suspend`, in Base64.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Cow<'a, str>>,
}

/// A watch: events of a kind in a namespace.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchLine {
    /// The objects' kind.
    pub kind: String,
    /// Their namespace.
    pub namespace: String,
}

/// The control plane's answer to a question.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer<'a> {
    /// The current object.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectLine<'a>>,
    /// It was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<bool>,
    /// `notFound`, `conflict`, `invalid`, `unavailable`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Cow<'a, str>>,
    /// The current version, for a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Why it was refused.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
}

/// A line that cannot be parsed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Encodes a state for a line.
pub fn encode_state(state: &[u8]) -> String {
    BASE64_STANDARD.encode(state)
}

/// Decodes a state that [`encode_state`] encoded.
pub fn decode_state(text: &str) -> Result<Vec<u8>, Unreadable> {
    BASE64_STANDARD.decode(text).map_err(|error| Unreadable(format!("the state is not Base64: {error}")))
}
